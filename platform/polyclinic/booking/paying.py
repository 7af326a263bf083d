"""What becomes of an appointment with its payment: confirmed, given up, or paid too late (B2, B5, B8).

Runs as a job of the portal, inside the transaction that applies what the provider said; the calendar is locked first,
so that whether the time is still free is decided once.
"""

from __future__ import annotations

import uuid
from typing import cast

from flask import current_app
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from polyclinic.allocation.services import open_allocation
from polyclinic.audit.services import record
from polyclinic.booking.changes import changed
from polyclinic.booking.charges import CAUSE, free_time
from polyclinic.booking.holds import lock_specialists
from polyclinic.booking.models import Appointment
from polyclinic.booking.rules import TRANSITIONS, Action, may_revive
from polyclinic.calendar.services import Taken, claim_time, firm_claim, is_live, offers_of
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict, NotFound
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.transactions import transactional
from polyclinic.payments.charging import find_charge, void_charge
from polyclinic.payments.models import Payment
from polyclinic.payments.paying import SYNC, can_be_paid, find_payment
from polyclinic.payments.refund_rules import Reason
from polyclinic.web.places import PlaceFlask


class AppointmentPayments:
    """Tells payments what an appointment makes of them."""

    def lock(self, session: Session, cause_id: uuid.UUID) -> None:
        """Lock the specialist's calendar, then the appointment."""
        _locked(session, cause_id)

    def wants(self, session: Session, payment: Payment) -> bool:
        """Tell whether the appointment still waits for it."""
        appointment = _find(session, payment.cause_id)
        waits = appointment.state == "pending_payment" and appointment.pay_until is not None
        return waits and appointment.pay_until > now(session)  # type: ignore[operator]  # just asked

    def paid(self, session: Session, payment: Payment) -> Reason | None:
        """Confirm the appointment if its time is still free; else all of it goes back (B8)."""
        appointment = _locked(session, payment.cause_id)
        if appointment.state == "pending_payment":
            action: Action = "pay"
        elif may_revive(appointment.state, appointment.cancelled_by, appointment.pay_until):
            action = "pay_late"
        else:
            standing = appointment.state != "cancelled"
            return "paid_twice" if standing else "payment_too_late"
        system = Actor("system", portal_id=appointment.portal_id)
        if not _keep_time(session, appointment):
            if appointment.state == "pending_payment":
                _give_up(session, system, appointment)
            record(session, system, "appointment.paid_too_late", "appointment", appointment.id)
            return "payment_too_late"
        appointment.state = TRANSITIONS[appointment.state, action].to
        appointment.cancelled_at = appointment.cancelled_by = appointment.cancelled_late = None
        session.flush()
        open_allocation(
            session, system, appointment.portal_id, appointment.patient_id, appointment.specialist_id, "browse"
        )
        changed(session, system, appointment, "confirmed", {"payment": str(payment.id), "late": action == "pay_late"})
        return None

    def unpaid(self, session: Session, payment: Payment) -> None:
        """Nothing follows: the patient may try again until the time is over, which is somebody else's message."""


def _keep_time(session: Session, appointment: Appointment) -> bool:
    """Make the time firm: the one that is kept, or the same once more where nobody took it; False where it is gone."""
    hold_id = appointment.hold_id
    if hold_id is not None and is_live(session, appointment.specialist_id, hold_id):
        firm_claim(session, appointment.specialist_id, hold_id, appointment.id)
        return True
    if appointment.starts_at <= now(session):
        return False
    try:
        with session.begin_nested():  # the exclusion constraint speaks by failing
            claim_time(session, appointment.specialist_id, appointment.id, [_time_of(session, appointment)], None)
    except Conflict:
        return False
    return True


def _time_of(session: Session, appointment: Appointment) -> Taken:
    """Return the time of an appointment with today's buffers; without them where the service is no longer offered."""
    portal = cast(PlaceFlask, current_app).places.portal(appointment.portal_id)
    if portal is None:
        raise NotFound()
    offers = offers_of(
        session,
        portal.id,
        portal.settings,
        specialist_ids=[appointment.specialist_id],
        service_id=appointment.service_id,
    )
    core = Range(appointment.starts_at, appointment.ends_at)
    return Taken(offers[0].during(appointment.starts_at) if offers else core, core)


@transactional
def expire_appointment(session: Session, appointment_id: uuid.UUID) -> bool:
    """Give up an appointment that was not paid in time: the time is free, its page is closed at the provider (B2).

    Returns whether that happened now; an earlier call, a payment or a cancellation may have been faster.
    """
    appointment = _locked(session, appointment_id)
    if appointment.state != "pending_payment" or appointment.pay_until is None:
        return False
    if appointment.pay_until > now(session):
        return False
    _give_up(session, Actor("system", portal_id=appointment.portal_id), appointment)
    return True


def _give_up(session: Session, system: Actor, appointment: Appointment) -> None:
    free_time(session, appointment)
    appointment.state = TRANSITIONS[appointment.state, "expire"].to
    appointment.cancelled_at, appointment.cancelled_by, appointment.cancelled_late = now(session), "system", False
    appointment.sequence += 1
    session.flush()
    charge = find_charge(session, CAUSE, appointment.id)
    if charge is not None:
        void_charge(session, charge)
    record(session, system, "appointment.expired", "appointment", appointment.id)
    payment = find_payment(session, CAUSE, appointment.id)
    if payment is not None and can_be_paid(payment):
        announce(session, SYNC, {"payment_id": str(payment.id)}, portal_id=appointment.portal_id)


def _find(session: Session, appointment_id: uuid.UUID, *, lock: bool = False) -> Appointment:
    query = select(Appointment).where(Appointment.id == appointment_id).execution_options(populate_existing=True)
    found = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound()
    return found


def _locked(session: Session, appointment_id: uuid.UUID) -> Appointment:
    found = _find(session, appointment_id)
    lock_specialists(session, {found.specialist_id})
    return _find(session, appointment_id, lock=True)
