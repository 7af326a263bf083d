"""Writing to a portal's support desk, and answering (T2, T3)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.transactions import transactional
from polyclinic.pages.models import ContactMessage
from polyclinic.pages.rules import Writing
from polyclinic.tenancy.places import PortalView


@transactional
def write_contact_message(session: Session, portal: PortalView, writing: Writing, locale: str) -> uuid.UUID:
    """Keep a message for the portal's operators and have the support address told that there is one.

    The mail carries no word of it (T3): people write about their health to whoever answers.
    """
    message_id = new_id()
    session.execute(
        ContactMessage.__table__.insert().inline(),  # type: ignore[attr-defined]  # Table; writers may not read
        {
            "id": message_id,
            "portal_id": portal.id,
            "name": writing.name,
            "email": writing.email,
            "topic": writing.topic,
            "body": writing.body,
            "locale": locale,
        },
    )
    payload = {"message_id": str(message_id), "topic": writing.topic}
    announce(session, "contact.written", payload, portal_id=portal.id)
    return message_id


def get_contact_message(session: Session, message_id: uuid.UUID) -> ContactMessage:
    """Return a message in the operator's scope; raises NotFound."""
    found = session.scalars(select(ContactMessage).where(ContactMessage.id == message_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


@transactional
def read_contact_message(session: Session, actor: Actor, message_id: uuid.UUID) -> ContactMessage:
    """Return a message to an operator and write down that they read it (U3)."""
    found = get_contact_message(session, message_id)
    record(session, actor, "contact.read", "contact_message", found.id, portal_id=found.portal_id)
    return found


@transactional
def mark_contact_message(session: Session, actor: Actor, message_id: uuid.UUID, *, answered: bool) -> None:
    """Take a message off the list of what waits, or put it back."""
    found = get_contact_message(session, message_id)
    moment: dt.datetime | None = now(session) if answered else None
    found.state, found.answered_at = ("answered" if answered else "new"), moment
    action = "contact.answered" if answered else "contact.reopened"
    record(session, actor, action, "contact_message", found.id, portal_id=found.portal_id)
