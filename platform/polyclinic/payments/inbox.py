"""What payment providers send: stored before it is handled, handled once, in any order (E7).

An event is a hint to read again. Its worker finds whose object it names, in the account that sent it, and then reads
the payment or the account anew; what it finds nobody for stays to be seen by operators and is tried again for a day.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from flask import Flask
from sqlalchemy import Engine, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from polyclinic.kernel.clock import now
from polyclinic.kernel.due import fall_due
from polyclinic.kernel.ids import new_id, parse_id
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.payments.inbox_models import WebhookEvent
from polyclinic.payments.inbox_targets import Target, follow, target_of
from polyclinic.payments.references import remember_reference
from polyclinic.web import jobs
from polyclinic.web.db import db

log = logging.getLogger(__name__)

ARRIVED, EXPIRED = "webhook.arrived", "webhook.expired"
KEPT = dt.timedelta(days=90)
#: Pauses between the searches for what an event belongs to; after the last one it stays unmatched.
PAUSES = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 1200))


@dataclass(frozen=True, slots=True)
class Received:
    """An event whose signature was checked, stripped of everything but ids."""

    provider: str
    event_id: str
    endpoint: str
    kind: str
    account: str
    external_ids: Collection[str]
    named: Mapping[str, str] = field(default_factory=dict)
    ignored: str = ""
    """Why nothing follows from it ("test-mode"); "" for what is to be handled."""


def store_event(engine: Engine, received: Received) -> bool:
    """Store an event and have it handled after commit; returns False for one that is known already."""
    with open_session(engine, Scope("door")) as session:
        row_id = new_id()
        stored = session.connection().execute(
            insert(WebhookEvent)
            .values(
                id=row_id,
                provider=received.provider,
                event_id=received.event_id,
                endpoint=received.endpoint,
                kind=received.kind,
                account=received.account,
                external_ids=list(received.external_ids),
                named=dict(received.named),
                state="ignored" if received.ignored else "received",
                note=received.ignored,
            )
            .on_conflict_do_nothing()
            .execution_options(preserve_rowcount=True)
        )
        if stored.rowcount == 0:
            return False
        if not received.ignored:
            announce(session, ARRIVED, {"id": str(row_id)})
        fall_due(session, EXPIRED, row_id, now(session) + KEPT)
        session.commit()
        return True


def init_app(app: Flask) -> None:
    """Have events handled, and forgotten after 90 days."""
    jobs.on(app, ARRIVED, handle_event)
    jobs.on(app, EXPIRED, forget_event)


def handle_event(message: jobs.Message) -> None:
    """Find whose an event is and read that again; raises what the reading raised, to be tried again."""
    event_id = uuid.UUID(message.payload["id"])
    with open_session(db.engine, Scope("job")) as session:
        event = session.get(WebhookEvent, event_id)
        if event is None or event.state in ("handled", "ignored"):
            return
        target = target_of(session, event)
    if target is None:
        _keep_unmatched(event_id)
        return
    reason = follow(target, event)
    if reason:
        log.warning("%s event %s is not believed: %s", event.provider, event.event_id, reason)
        _keep_unmatched(event_id, reason)
        return
    _mark_handled(event_id, target)


def _keep_unmatched(event_id: uuid.UUID, reason: str = "") -> None:
    """Say that nobody was found, and look again later: the transaction that makes the object may be the slower one."""
    with open_session(db.engine, Scope("job")) as session:
        event = session.get_one(WebhookEvent, event_id, with_for_update=True)
        event.state, event.note = "unmatched", reason or "unknown-ids"
        if not reason and event.tries < len(PAUSES):
            fall_due(session, ARRIVED, event_id, now(session) + PAUSES[event.tries])
        event.tries += 1
        session.commit()


def _mark_handled(event_id: uuid.UUID, target: Target) -> None:
    with open_session(db.engine, Scope("job", portal=target.portal_id)) as session:
        event = session.get_one(WebhookEvent, event_id, with_for_update=True)
        event.state, event.note, event.handled_at = "handled", "", now(session)
        event.portal_id = target.portal_id
        _remember(session, event, target)
        session.commit()


def _remember(session: Session, event: WebhookEvent, target: Target) -> None:
    """Learn the other ids of the object, so that later events that name only those are found."""
    for external_id in event.external_ids:
        remember_reference(
            session,
            event.provider,
            event.account,
            external_id,
            portal_id=target.portal_id,
            kind=target.kind,
            cause_id=target.cause_id,
        )


def forget_event(message: jobs.Message) -> None:
    """Delete an event that is 90 days old."""
    event_id = parse_id(message.payload["id"])
    with open_session(db.engine, Scope("job")) as session:
        session.execute(delete(WebhookEvent).where(WebhookEvent.id == event_id))
        session.commit()
