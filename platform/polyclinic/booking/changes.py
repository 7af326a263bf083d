"""What follows from a new state of an appointment: audit, outbox, hooks, in the transaction that makes it (B5)."""

from __future__ import annotations

import logging

from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.booking.appointments import party_of
from polyclinic.booking.models import Appointment
from polyclinic.hooks.types import AppointmentChange, Moment
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.outbox import announce
from polyclinic.web.plugins import current_hooks

log = logging.getLogger(__name__)


def changed(
    session: Session, actor: Actor, appointment: Appointment, moment: Moment, detail: dict[str, object]
) -> None:
    """Write what follows from a new state: audit, outbox, hooks (B5)."""
    kind, by = f"appointment.{moment}", party_of(actor)
    record(session, actor, kind, "appointment", appointment.id, portal_id=appointment.portal_id, detail=detail)
    announce(
        session,
        kind,
        {"appointment_id": str(appointment.id), "by": by, "sequence": appointment.sequence},
        portal_id=appointment.portal_id,
    )
    _tell_plugins(
        session,
        AppointmentChange(
            moment,
            appointment.id,
            appointment.portal_id,
            appointment.patient_id,
            appointment.specialist_id,
            appointment.starts_at,
            by,
        ),
    )


def _tell_plugins(session: Session, change: AppointmentChange) -> None:
    """Call the hook in a savepoint: a plugin that raises undoes what it did, not the booking (X2)."""
    try:
        with session.begin_nested():
            current_hooks().call.appointment_changed(change=change)
    except Exception:
        log.exception("a plugin failed at appointment_changed (%s)", change.moment)
