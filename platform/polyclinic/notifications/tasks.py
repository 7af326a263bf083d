"""What each kind of message makes us write, and to whom. Nobody is told of their own action (T2)."""

from __future__ import annotations

import functools
import uuid
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select

from polyclinic.booking.models import Appointment
from polyclinic.identity.models import Operator, Patient, Specialist
from polyclinic.kernel.ids import digest
from polyclinic.kernel.scope import open_session
from polyclinic.notifications import letters
from polyclinic.notifications.compose import Recipient
from polyclinic.notifications.letters import Visit
from polyclinic.notifications.people import operator_recipient, patient_recipient, portal_of, specialist_recipient
from polyclinic.notifications.senders import Sender, as_network, as_portal
from polyclinic.notifications.services import send_letter
from polyclinic.tenancy.places import PlaceName, PortalView
from polyclinic.tenancy.policy import LOCALES, TIME_ZONE
from polyclinic.web import jobs
from polyclinic.web.db import db
from polyclinic.web.jobs import Message
from polyclinic.web.theming import brand_of_portal

#: Where each reader sees the appointment; a link opens a page and does nothing (B10).
APPOINTMENT_PAGES: dict[PlaceName, str] = {
    "portal": "portal_appointments.show",
    "specialists": "specialists_booking.show",
}


#: Where the support desk reads a message; the console may be another program.
CONTACT_PAGE = "console_contact.show"
ENQUIRY_PAGE = "console_enquiries.show"
#: Whose work it is to answer enquiries, among the operators of the whole network.
ANSWERING = ("owner", "admin", "support")


@dataclass(frozen=True, slots=True)
class Parties:
    """An appointment with both people, loaded in the scope of its portal."""

    appointment: Appointment
    patient: Patient
    specialist: Specialist
    portal: PortalView


def listen(app: Flask) -> None:
    """Register the handlers."""
    jobs.on(app, "appointment.confirmed", on_confirmed)
    jobs.on(app, "appointment.cancelled", on_cancelled)
    jobs.on(app, "identity.code", on_code, forget=True)
    jobs.on(app, "identity.welcome", on_welcome)
    jobs.needs(app, "css_inline", "icalendar")
    jobs.on(app, "contact.written", on_contact)
    jobs.on(app, "enquiry.written", on_enquiry)


def on_confirmed(message: Message) -> None:
    """Confirm to the patient, with the invitation; tell the specialist."""
    found = _parties(message)
    if found is None or found.appointment.state == "cancelled":
        return  # the cancellation has a message of its own
    patient, specialist = found.patient, found.specialist
    sender, network = as_portal(found.portal), as_network()
    visit = _visit(found, sender)
    send_letter(
        message,
        sender,
        patient_recipient(patient),
        lambda: letters.confirmation(sender, patient.name, patient.zone, visit),
    )
    theirs = _visit(found, network)
    send_letter(
        message,
        network,
        specialist_recipient(specialist),
        lambda: letters.new_appointment(network, specialist.name, specialist.zone, theirs, found.portal.name),
    )


def on_cancelled(message: Message) -> None:
    """Tell whoever did not cancel; both, where an operator or the system did."""
    found = _parties(message)
    if found is None:
        return
    patient, specialist = found.patient, found.specialist
    by = found.appointment.cancelled_by
    if by != "patient":
        sender = as_portal(found.portal)
        visit = _visit(found, sender)
        send_letter(
            message,
            sender,
            patient_recipient(patient),
            lambda: letters.cancellation(sender, patient.name, patient.zone, visit),
        )
    if by != "specialist":
        network = as_network()
        theirs = _visit(found, network)
        send_letter(
            message,
            network,
            specialist_recipient(specialist),
            lambda: letters.cancellation(network, specialist.name, specialist.zone, theirs, found.portal.name),
        )


def on_code(message: Message) -> None:
    """Send a code to the address that was typed, known or not."""
    payload = message.payload
    sender = _sender(message, payload["subject_kind"])
    email = str(payload["email"])
    recipient = Recipient(
        kind=payload["subject_kind"],
        id=digest(email).hex(),
        name="",
        address=email,
        locale=payload.get("locale") or sender.default_locale,
        zone=sender.zone,
    )
    minutes = int(payload.get("minutes", 10))
    send_letter(message, sender, recipient, lambda: letters.code(sender, str(payload["code"]), minutes))


def on_welcome(message: Message) -> None:
    """Welcome a new person."""
    kind, subject = str(message.payload["subject_kind"]), uuid.UUID(message.payload["subject_id"])
    sender = _sender(message, kind)
    recipient = _person(message, kind, subject)
    if recipient is not None:
        send_letter(message, sender, recipient, lambda: letters.welcome(sender, recipient.name))


def on_contact(message: Message) -> None:
    """Tell a portal's support address that there is a message; nobody, where the portal has no such address."""
    portal, desk = portal_of(message), as_network("admin")
    address = brand_of_portal(portal).support_email
    if not address:
        return
    zone, locale = portal.settings.get(TIME_ZONE), portal.settings.get(LOCALES)[0]
    recipient = Recipient("support", digest(address).hex(), "", address, locale, zone)
    link = desk.page(CONTACT_PAGE, message_id=message.payload["message_id"])
    topic = str(message.payload["topic"])
    send_letter(message, desk, recipient, lambda: letters.contact_message(desk, portal.name, topic, link))


def on_enquiry(message: Message) -> None:
    """Tell the operators of the whole network whose work it is to answer."""
    desk = as_network("admin")
    link = desk.page(ENQUIRY_PAGE, enquiry_id=message.payload["enquiry_id"])
    with open_session(db.engine, message.scope) as session:
        people = session.scalars(
            select(Operator).where(Operator.portals.is_(None), Operator.state == "active", Operator.role.in_(ANSWERING))
        ).all()
    for one in people:
        name = one.name
        send_letter(message, desk, operator_recipient(one), functools.partial(letters.enquiry, desk, name, link))


def _person(message: Message, kind: str, subject: uuid.UUID) -> Recipient | None:
    with open_session(db.engine, message.scope) as session:
        if kind == "patient":
            patient = session.scalar(select(Patient).where(Patient.id == subject))
            return patient_recipient(patient) if patient else None
        if kind == "specialist":
            specialist = session.get(Specialist, subject)
            return specialist_recipient(specialist) if specialist else None
        operator = session.get(Operator, subject)
        return operator_recipient(operator) if operator else None


def _sender(message: Message, subject_kind: str) -> Sender:
    if subject_kind == "patient":
        return as_portal(portal_of(message))
    return as_network("admin" if subject_kind == "operator" else "specialists")


def _parties(message: Message) -> Parties | None:
    """Load an appointment with both people; None where it does not exist in the message's portal."""
    with open_session(db.engine, message.scope) as session:
        wanted = uuid.UUID(message.payload["appointment_id"])
        appointment = session.scalar(select(Appointment).where(Appointment.id == wanted))
        if appointment is None:
            return None
        patient = session.scalar(select(Patient).where(Patient.id == appointment.patient_id))
        specialist = session.get(Specialist, appointment.specialist_id)
        if patient is None or specialist is None:
            return None
        return Parties(appointment, patient, specialist, portal_of(message))


def _visit(found: Parties, sender: Sender) -> Visit:
    """What a letter may say; the UID ends with the reader's own host, so that it names no sibling (P4)."""
    appointment = found.appointment
    return Visit(
        uid=f"{appointment.id}@{sender.host}",
        sequence=appointment.sequence,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        specialist=appointment.specialist_name,
        link=sender.link(APPOINTMENT_PAGES[sender.place], appointment_id=appointment.id),
    )
