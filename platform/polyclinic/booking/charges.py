"""What an appointment costs its patient: the charge, the time kept for its payment, the end of both (B2, B6, E8)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import cast

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import update
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.booking.models import Appointment, Hold
from polyclinic.booking.rules import PAYING_TIME
from polyclinic.calendar.services import extend_claim, release_claim
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.due import fall_due
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.money import Money
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.zones import zone
from polyclinic.payments.charging import Owed, find_charge, make_charge, reduced_charge, void_charge
from polyclinic.payments.models import Charge, Payment
from polyclinic.payments.paying import SYNC, Way, can_be_paid, find_payment, intend_payment, neutral_description
from polyclinic.payments.refund_rules import RefundTerms
from polyclinic.payments.refunding import request_refund, terms_of_refund
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.policy import LOCALES
from polyclinic.web.i18n import format_day, use_locale
from polyclinic.web.places import PlaceFlask, link_to
from polyclinic.web.plugins import current_hooks

CAUSE = "appointment"
LATE_FEE = "late_fee"
#: Gives up an appointment that was not paid in time: {"id"}.
EXPIRE = "appointment.expire"


def charge_visit(session: Session, actor: Actor, portal: PortalView, appointment: Appointment) -> Charge | None:
    """Freeze what an appointment costs, in the caller's transaction; None where it costs nothing.

    Raises Conflict where the portal's payment model cannot take the price now.
    """
    price = Money(appointment.price_minor, appointment.currency)
    if not price:
        return None
    with use_locale(actor.locale or portal.settings.get(LOCALES)[0]):
        description = neutral_description(format_day(appointment.starts_at, zone(appointment.zone), "long"))
    owed = Owed(CAUSE, appointment.id, appointment.patient_id, appointment.specialist_id, description)
    return make_charge(session, current_hooks(), portal, owed, price)


def await_payment(
    session: Session, actor: Actor, portal: PortalView, appointment: Appointment, charge: Charge
) -> Payment:
    """Have a new appointment wait for its payment: its time is kept 15 minutes from now, once (B2)."""
    appointment.state, appointment.pay_until = "pending_payment", now(session) + PAYING_TIME
    session.flush()
    session.execute(update(Hold).where(Hold.id == appointment.hold_id).values(expires_at=appointment.pay_until))
    extend_claim(session, appointment.specialist_id, claim_of(appointment), appointment.pay_until)
    fall_due(session, EXPIRE, appointment.id, appointment.pay_until, portal_id=appointment.portal_id)
    payment = intend_payment(session, [charge], appointment.pay_until, _way(actor, portal, appointment))
    detail = {"payment": str(payment.id)}
    record(session, actor, "appointment.awaits_payment", "appointment", appointment.id, detail=detail)
    return payment


def pay_again(session: Session, actor: Actor, portal: PortalView, appointment: Appointment) -> Payment:
    """Return the payment of an appointment that waits for one: the one that can be paid, else another try.

    In the caller's transaction, the appointment being locked. Raises Conflict where its time to be paid is over.
    """
    if appointment.state != "pending_payment" or appointment.pay_until is None or appointment.pay_until <= now(session):
        raise Conflict("payment-over", _l("This appointment does not wait for a payment any more."))
    payment = find_payment(session, CAUSE, appointment.id)
    charge = find_charge(session, CAUSE, appointment.id)
    if payment is not None and (can_be_paid(payment) or payment.state == "paid"):
        return payment
    if charge is None:
        raise Conflict("payment-over", _l("This appointment does not wait for a payment any more."))
    return intend_payment(session, [charge], appointment.pay_until, _way(actor, portal, appointment))


def _way(actor: Actor, portal: PortalView, appointment: Appointment) -> Way:
    """Return the patient's language, and our pages before and after the provider's, on the portal's stored host."""
    app = cast(PlaceFlask, current_app)
    pages = [
        link_to(app, "portal", portal.host, f"portal_paying.{endpoint}", appointment_id=appointment.id)
        for endpoint in ("returned", "pay")
    ]
    return Way(actor.locale or portal.settings.get(LOCALES)[0], *pages)


def claim_of(appointment: Appointment) -> uuid.UUID:
    """Return the id of the claim that keeps an appointment's time: its hold's until it is confirmed."""
    if appointment.state == "pending_payment" and appointment.hold_id is not None:
        return appointment.hold_id
    return appointment.id


def free_time(session: Session, appointment: Appointment) -> None:
    """Free the time of an appointment at once, before its state changes."""
    release_claim(session, appointment.specialist_id, claim_of(appointment))


def end_charge(session: Session, actor: Actor, appointment: Appointment, fee: Money) -> None:
    """Settle the money of an appointment that was just cancelled, by its frozen policy (B6, E8).

    What was paid goes back but for ``fee``; what was not is not owed any more, and its page is closed (B2). Where the
    specialist sends an invoice, the late fee is a charge of its own.
    """
    charge = find_charge(session, CAUSE, appointment.id)
    if charge is None:
        return
    terms = terms_of_refund(session, charge, fee, appointment.cancelled_by or "system")
    if terms is not None:
        request_refund(session, actor, charge, terms.back, terms.reason, f"cancel:{appointment.id}")
        return
    if charge.paid_at is not None and charge.provider:
        record(session, actor, "refund.withheld", "charge", charge.id, portal_id=charge.portal_id)
        return
    if charge.paid_at is None:
        void_charge(session, charge)
        if fee and not charge.provider:
            reduced_charge(session, charge, LATE_FEE, fee)
    payment = find_payment(session, CAUSE, appointment.id)
    if payment is not None and can_be_paid(payment):
        announce(session, SYNC, {"payment_id": str(payment.id)}, portal_id=appointment.portal_id)


def refund_preview(session: Session, appointment: Appointment, fee: Money, by: str) -> RefundTerms | None:
    """Return what would go back if ``by`` cancelled now and owed ``fee``; None where nothing was paid online (B6)."""
    charge = find_charge(session, CAUSE, appointment.id)
    return None if charge is None else terms_of_refund(session, charge, fee, by)


def seconds_to_pay(appointment: Appointment, moment: dt.datetime) -> int:
    """Return how long an appointment still waits for its payment."""
    if appointment.state != "pending_payment" or appointment.pay_until is None:
        return 0
    return max(0, int((appointment.pay_until - moment).total_seconds()))
