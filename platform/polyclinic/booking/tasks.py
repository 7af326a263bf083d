"""What happens after commits: times that somebody else took, and appointments that nobody paid (B2, C5)."""

from __future__ import annotations

import uuid

from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from polyclinic.booking.charges import EXPIRE
from polyclinic.booking.models import Appointment, Hold
from polyclinic.booking.paying import expire_appointment
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.scope import Scope
from polyclinic.kernel.transactions import transactional
from polyclinic.web import jobs
from polyclinic.web.db import engine, open_session

UNPAID = "hold.unpaid"


def init_app(app: Flask) -> None:
    """Listen to the calendar."""
    jobs.on(app, "claims.expired", on_claims_expired)
    jobs.on(app, UNPAID, on_unpaid)
    jobs.on(app, EXPIRE, on_expire)


def on_claims_expired(message: jobs.Message) -> None:
    """Mark the holds behind removed claims, whichever portals they belong to."""
    wanted = [uuid.UUID(one) for one in message.payload["claim_ids"]]
    with open_session(engine(), Scope("job")) as session:
        expire_holds(session, wanted)


def on_unpaid(message: jobs.Message) -> None:
    """Give up the appointment that a hold had become, when its time has been taken by somebody else."""
    with open_session(engine(), message.scope) as session:
        query = select(Appointment.id).where(Appointment.hold_id == uuid.UUID(message.payload["hold_id"]))
        appointment_id = session.scalar(query)
        session.rollback()
        if appointment_id is not None:
            expire_appointment(session, appointment_id)


def on_expire(message: jobs.Message) -> None:
    """Give up the appointment that its patient did not pay in time."""
    with open_session(engine(), message.scope) as session:
        expire_appointment(session, uuid.UUID(message.payload["id"]))


@transactional
def expire_holds(session: Session, hold_ids: list[uuid.UUID]) -> int:
    """Mark dead holds as expired; returns how many were marked now. They count as dead before (C5).

    Those that had become an appointment waiting for its payment are given up in their portals, so that the page of the
    provider is closed soon after somebody else took the time (B2).
    """
    marked = session.scalars(
        update(Hold)
        .where(Hold.id.in_(hold_ids), Hold.state == "open", Hold.expires_at <= text("(SELECT app_now())"))
        .values(state="expired")
        .returning(Hold.id)
        .execution_options(synchronize_session=False)
    ).all()
    waiting = session.execute(
        select(Hold.id, Hold.portal_id).where(
            Hold.id.in_(hold_ids), Hold.state == "booked", Hold.expires_at <= text("(SELECT app_now())")
        )
    ).all()
    for hold_id, portal_id in waiting:
        announce(session, UNPAID, {"hold_id": str(hold_id)}, portal_id=portal_id)
    return len(marked)
