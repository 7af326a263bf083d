"""Booking, cancelling and completing appointments (B2, B5, B6).

Locks in one order everywhere: holder → specialist → appointment. Each use case writes audit, outbox and what hooks
hear in the transaction that changes the appointment.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.allocation.services import open_allocation
from polyclinic.audit.services import record
from polyclinic.booking.appointments import cancelling_means, cancelling_refused, get_appointment, party_of
from polyclinic.booking.changes import changed
from polyclinic.booking.charges import await_payment, charge_visit, end_charge, free_time, pay_again
from polyclinic.booking.holds import (
    forget_details,
    get_hold,
    lock_holder,
    lock_specialists,
    offering_of,
    require_live,
)
from polyclinic.booking.models import Appointment, AppointmentMessage, Hold
from polyclinic.booking.offers import Offering, refuse_slots
from polyclinic.booking.policy import FREE_CANCELLATION, LATE_FEE
from polyclinic.booking.rules import (
    TRANSITIONS,
    Action,
    CancellationPolicy,
    Details,
    can_complete,
    clean_message,
)
from polyclinic.calendar.services import firm_claim
from polyclinic.consents.services import give_consents, require_consents
from polyclinic.identity.models import Patient
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict, Defect, NotFound, Unauthenticated
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.money import Money
from polyclinic.kernel.transactions import transactional
from polyclinic.payments.models import Payment
from polyclinic.payments.services import payment_terms
from polyclinic.tenancy.places import PortalView
from polyclinic.web.plugins import current_hooks


@transactional
def confirm_booking(
    session: Session,
    actor: Actor,
    portal: PortalView,
    hold_id: uuid.UUID,
    details: Details,
    consents: Collection[uuid.UUID] = (),
    *,
    how: str = "booking",
) -> Appointment:
    """Make a patient's live hold an appointment, with the consents (version ids) that the booking gate asks for.

    Where the portal's payment model charges online it waits for its payment, the time kept for 15 minutes more (B2);
    else it is confirmed. Idempotent: a hold that is booked already returns its appointment. Price is the one shown with
    the hold, the cancellation policy the portal's of this moment; both stay (B6, E2). Raises NotFound for anybody
    else's hold, Gone for a dead one, Invalid for missing consents, Conflict where the specialist can no longer be
    booked (B1).
    """
    if actor.kind != "patient" or actor.id is None:
        raise Unauthenticated("sign-in-required", _l("Please confirm your e-mail address first."))
    lock_holder(session, actor, portal)
    hold = get_hold(session, actor, portal, hold_id)
    if hold.state == "booked":
        return booked_appointment(session, portal, hold)
    require_live(session, actor, portal, hold)
    texts = require_consents(session, portal, "booking", actor.locale or "", actor.id, consents)
    lock_specialists(session, {hold.specialist_id})
    offering = _still_offered(session, actor, portal, hold)
    appointment = _new_appointment(session, actor, portal, hold, offering)
    session.add(appointment)
    session.flush()
    hold.state = "booked"
    give_consents(session, actor, portal, [text.version_id for text in texts], how=how)
    _keep_details(session, actor, portal, appointment, details)
    charge = charge_visit(session, actor, portal, appointment)
    if charge is not None and charge.provider:
        await_payment(session, actor, portal, appointment, charge)
        return appointment
    firm_claim(session, hold.specialist_id, hold.id, appointment.id)
    open_allocation(session, actor, portal.id, actor.id, hold.specialist_id, "browse")
    changed(session, actor, appointment, "confirmed", {"hold": str(hold.id)})
    return appointment


def booked_appointment(session: Session, portal: PortalView, hold: Hold) -> Appointment:
    """Return what a booked hold has become."""
    return session.scalars(
        select(Appointment).where(Appointment.portal_id == portal.id, Appointment.hold_id == hold.id)
    ).one()


def _still_offered(session: Session, actor: Actor, portal: PortalView, hold: Hold) -> Offering:
    """Ask B1 again, now that nobody else can be faster: capacity, modes and the relationship may have changed."""
    try:
        offering = offering_of(session, portal, hold)
    except NotFound:
        raise Conflict(
            "no-longer-offered",
            _l("This can no longer be booked here. Nothing was booked; please choose somebody else."),
        ) from None
    if (refusal := refuse_slots(session, actor, portal, offering)) is not None:
        raise refusal
    return offering


def _new_appointment(session: Session, actor: Actor, portal: PortalView, hold: Hold, offering: Offering) -> Appointment:
    price = Money(hold.price_minor, hold.currency)
    moment = now(session)
    policy = CancellationPolicy(portal.settings.get(FREE_CANCELLATION), portal.settings.get(LATE_FEE))
    return Appointment(
        id=new_id(),
        portal_id=portal.id,
        patient_id=actor.id,
        specialist_id=hold.specialist_id,
        service_id=hold.service_id,
        hold_id=hold.id,
        starts_at=hold.starts_at,
        ends_at=hold.ends_at,
        zone=offering.profile.zone,
        state="confirmed",  # until somebody must pay first
        service_name=offering.service.name,
        specialist_name=offering.profile.name,
        price_minor=price.minor,
        currency=price.currency,
        payment_model=payment_terms(current_hooks(), portal, price).model,
        policy=policy.as_json(),
        sequence=0,
        created_at=moment,
    )


def _keep_details(
    session: Session, actor: Actor, portal: PortalView, appointment: Appointment, details: Details
) -> None:
    patient = session.scalars(select(Patient).where(Patient.portal_id == portal.id, Patient.id == actor.id)).one()
    changed = [
        name
        for name, value in (("name", details.name), ("phone", details.phone or None))
        if value is not None and getattr(patient, name) != value
    ]
    if changed:
        patient.name, patient.phone = details.name, details.phone or patient.phone
        session.flush()
        record(session, actor, "patient.changed", "patient", patient.id, detail={"fields": changed})
    if details.message:
        _write_message(session, actor, appointment, "booking", details.message)
    forget_details(session, actor, portal)


def _write_message(session: Session, actor: Actor, appointment: Appointment, kind: str, body: str) -> None:
    session.add(
        AppointmentMessage(
            appointment_id=appointment.id,
            kind=kind,
            portal_id=appointment.portal_id,
            patient_id=appointment.patient_id,
            specialist_id=appointment.specialist_id,
            author=actor.kind,
            body=body,
        )
    )
    session.flush()


@transactional
def cancel_appointment(session: Session, actor: Actor, appointment_id: uuid.UUID, message: str = "") -> Appointment:
    """Cancel an appointment that has not begun, as patient, specialist or operator; the time is free at once.

    ``message`` goes to the other side, from patient or specialist. Cancelling twice by the same side is cancelling
    once. Raises NotFound outside the scope, Conflict where the state or the time does not allow it.
    """
    appointment = _lock_appointment(session, actor, appointment_id)
    by, moment = party_of(actor), now(session)
    if appointment.state == "cancelled" and appointment.cancelled_by == by:
        return appointment
    if (refusal := cancelling_refused(session, actor, appointment)) is not None:
        raise refusal
    text = clean_message(message)
    if text and by not in ("patient", "specialist"):
        raise Defect("operators write no messages (I4)")
    terms = cancelling_means(session, actor, appointment)
    confirmed = appointment.state != "pending_payment"
    free_time(session, appointment)
    appointment.state = _after(appointment, "cancel")
    appointment.cancelled_at, appointment.cancelled_by = moment, by
    appointment.cancelled_late = terms.late
    appointment.sequence += 1
    session.flush()
    if text:
        _write_message(session, actor, appointment, "cancellation", text)
    end_charge(session, actor, appointment, terms.fee)
    detail: dict[str, object] = {"late": terms.late, "fee_minor": terms.fee.minor}
    if confirmed:
        changed(session, actor, appointment, "cancelled", detail)
    else:  # nobody but the patient knew of it
        record(session, actor, "appointment.given_up", "appointment", appointment.id, detail=detail)
    return appointment


@transactional
def complete_appointment(session: Session, actor: Actor, appointment_id: uuid.UUID) -> Appointment:
    """Mark a visit as held, as its specialist, once it has begun; completing twice is completing once.

    Raises NotFound outside the scope, Forbidden to others than the specialist, Conflict before the beginning.
    """
    appointment = _lock_appointment(session, actor, appointment_id)
    by, moment = party_of(actor), now(session)
    if appointment.state == "completed" and by == "specialist":
        return appointment
    if (refusal := can_complete(appointment.state, by, appointment.starts_at, moment)) is not None:
        raise refusal
    appointment.state = _after(appointment, "complete")
    appointment.completed_at = moment
    session.flush()
    changed(session, actor, appointment, "completed", {})
    return appointment


def _lock_appointment(session: Session, actor: Actor, appointment_id: uuid.UUID) -> Appointment:
    """Lock the specialist, then the appointment; raises NotFound outside the actor's scope."""
    found = get_appointment(session, actor, appointment_id)
    lock_specialists(session, {found.specialist_id})
    return get_appointment(session, actor, appointment_id, lock=True)


def _after(appointment: Appointment, action: Action) -> str:
    return TRANSITIONS[appointment.state, action].to


@transactional
def open_payment(session: Session, actor: Actor, portal: PortalView, appointment_id: uuid.UUID) -> Payment:
    """Return the payment that a patient's appointment waits for: the same one until it has failed, then another try.

    Two presses, two tabs and the way back end at one payment (B2). Raises NotFound for anybody else's, Conflict where
    nothing waits any more.
    """
    _lock_appointment(session, actor, appointment_id)
    appointment = get_appointment(session, actor, appointment_id, lock=True)
    return pay_again(session, actor, portal, appointment)
