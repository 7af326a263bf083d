"""What happens after commits: holds whose time somebody else took are marked as expired (C5)."""

from __future__ import annotations

import uuid

from flask import Flask
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from polyclinic.booking.models import Hold
from polyclinic.kernel.scope import Scope
from polyclinic.kernel.transactions import transactional
from polyclinic.web import jobs
from polyclinic.web.db import engine, open_session


def init_app(app: Flask) -> None:
    """Listen to the calendar."""
    jobs.on(app, "claims.expired", on_claims_expired)


def on_claims_expired(message: jobs.Message) -> None:
    """Mark the holds behind removed claims, whichever portals they belong to."""
    wanted = [uuid.UUID(one) for one in message.payload["claim_ids"]]
    with open_session(engine(), Scope("job")) as session:
        expire_holds(session, wanted)


@transactional
def expire_holds(session: Session, hold_ids: list[uuid.UUID]) -> int:
    """Mark dead holds as expired; returns how many were marked now. They count as dead before (C5)."""
    marked = session.scalars(
        update(Hold)
        .where(Hold.id.in_(hold_ids), Hold.state == "open", Hold.expires_at <= text("(SELECT app_now())"))
        .values(state="expired")
        .returning(Hold.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(marked)
