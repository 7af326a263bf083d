"""What is written when money moves: to the patient, as the portal (T1, T2). Specialists read it on their pages."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.booking.models import Appointment
from polyclinic.booking.offers import get_offering, next_times
from polyclinic.directory.models import Listing
from polyclinic.identity.models import Patient
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Conflict, NotFound
from polyclinic.kernel.money import Money
from polyclinic.kernel.scope import open_session
from polyclinic.notifications import money_letters
from polyclinic.notifications.compose import Recipient
from polyclinic.notifications.letters import Letter
from polyclinic.notifications.money_letters import Bill
from polyclinic.notifications.people import patient_recipient, portal_of
from polyclinic.notifications.senders import Sender, as_portal
from polyclinic.notifications.services import send_letter
from polyclinic.payments.models import Charge, Payment, Refund
from polyclinic.payments.refund_rules import REASONS
from polyclinic.web import jobs
from polyclinic.web.db import db
from polyclinic.web.jobs import Message


@dataclass(frozen=True, slots=True)
class Told:
    """Who is written to about what, loaded in the scope of the portal."""

    sender: Sender
    recipient: Recipient
    charge: Charge
    refund: Refund | None = None

    @property
    def bill(self) -> Bill:
        """What a letter may say."""
        page = self.sender.link("portal_appointments.show", appointment_id=self.charge.cause_id)
        return Bill(Money(self.charge.amount_minor, self.charge.currency), self.charge.description, page)

    @property
    def back(self) -> Money:
        """How much goes back."""
        return Money(self.refund.amount_minor if self.refund else 0, self.charge.currency)


def listen(app: Flask) -> None:
    """Register the handlers."""
    jobs.on(app, "payment.paid", on_paid)
    jobs.on(app, "payment.failed", on_failed)
    jobs.on(app, "refund.requested", on_refund_requested)
    jobs.on(app, "refund.succeeded", on_refunded)
    jobs.on(app, "refund.failed", on_refund_failed)


def on_paid(message: Message) -> None:
    """Thank for a payment."""
    told = _paid(message)
    if told is not None:
        _send(message, told, lambda: money_letters.payment_received(told.recipient.name, told.bill))


def on_failed(message: Message) -> None:
    """Say that a payment failed for good, such as a transfer that never came."""
    told = _paid(message)
    if told is not None:
        _send(message, told, lambda: money_letters.payment_failed(told.recipient.name, told.bill))


def on_refund_requested(message: Message) -> None:
    """Say that money is on its way back; with an apology and the next times where it came too late (B8)."""
    told = _returned(message)
    if told is None or told.refund is None:
        return
    name, bill, back, reason = told.recipient.name, told.bill, told.back, told.refund.reason
    if reason != "payment_too_late":
        _send(message, told, lambda: money_letters.refund_requested(name, bill, back, str(REASONS[reason])))
        return
    times, zone, home = _next_times(message, told), told.recipient.zone, told.sender.home()
    _send(message, told, lambda: money_letters.paid_too_late(name, bill, back, times, zone, home))


def on_refunded(message: Message) -> None:
    """Say that the money has been returned."""
    told = _returned(message)
    if told is not None:
        _send(message, told, lambda: money_letters.refunded(told.recipient.name, told.bill, told.back))


def on_refund_failed(message: Message) -> None:
    """Say that it could not be returned."""
    told = _returned(message)
    if told is not None:
        _send(message, told, lambda: money_letters.refund_failed(told.recipient.name, told.bill, told.back))


def _send(message: Message, told: Told, write: Callable[[], Letter]) -> None:
    send_letter(message, told.sender, told.recipient, write)


def _paid(message: Message) -> Told | None:
    """Return who is told of a payment: of its first charge, which stands for all of one cause."""
    with open_session(db.engine, message.scope) as session:
        payment = session.get(Payment, uuid.UUID(message.payload["payment_id"]))
        if payment is None:
            return None
        cause = Charge.cause_kind == payment.cause_kind, Charge.cause_id == payment.cause_id
        charge = session.scalars(select(Charge).where(*cause)).one_or_none()
        return None if charge is None else _told(session, message, charge)


def _returned(message: Message) -> Told | None:
    with open_session(db.engine, message.scope) as session:
        refund = session.get(Refund, uuid.UUID(message.payload["refund_id"]))
        if refund is None:
            return None
        charge = session.scalars(select(Charge).where(Charge.id == refund.charge_id)).one()
        return _told(session, message, charge, refund)


def _told(session: Session, message: Message, charge: Charge, refund: Refund | None = None) -> Told:
    patient = session.scalars(select(Patient).where(Patient.id == charge.patient_id)).one()
    return Told(as_portal(portal_of(message)), patient_recipient(patient), charge, refund)


def _next_times(message: Message, told: Told) -> list[dt.datetime]:
    """Return the next times of what was paid for, as its patient would be offered them; none where they may not be."""
    portal, charge = portal_of(message), told.charge
    actor = Actor("patient", charge.patient_id, portal.id)
    with open_session(db.engine, actor.scope()) as session:
        appointment = session.get(Appointment, charge.cause_id)
        listing_id = session.scalar(
            select(Listing.id).where(Listing.portal_id == portal.id, Listing.specialist_id == charge.specialist_id)
        )
        if appointment is None or listing_id is None:
            return []
        try:
            offering = get_offering(session, portal, listing_id, appointment.service_id)
        except (NotFound, Conflict):
            return []
        return list(next_times(session, actor, portal, offering, 3))
