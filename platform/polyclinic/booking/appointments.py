"""Reading appointments: the access functions that every page, job and answer goes through (I2)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.booking.models import Appointment, AppointmentMessage
from polyclinic.booking.rules import (
    UPCOMING,
    CancellationPolicy,
    CancellationTerms,
    Party,
    can_cancel,
    can_complete,
    cancellation_terms,
    state_now,
)
from polyclinic.directory.models import Listing, PublishedProfile
from polyclinic.identity.models import Patient
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Defect, NotFound, Refusal
from polyclinic.kernel.money import Money
from polyclinic.kernel.transactions import transactional
from polyclinic.web.api import fetch_page

Shelf = Literal["next", "past", "cancelled"]
SHELVES: tuple[Shelf, ...] = ("next", "past", "cancelled")
LAST_PAGE = 10_000
"""Nobody turns so many pages; a larger number in an address counts as this one."""


@dataclass(frozen=True, slots=True)
class AppointmentView:
    """An appointment with the names around it, as patient, specialist or operator may see them."""

    appointment: Appointment
    listing_id: uuid.UUID
    """The specialist's public id on the portal (P4)."""
    image_key: str | None
    """Of the published portrait; None where the listing is not visible."""
    state: str
    """As it counts now: an unpaid one whose time is over is cancelled, swept or not (C5)."""
    patient_name: str
    patient_phone: str | None = None
    patient_email: str | None = None

    @property
    def price(self) -> Money:
        """The price agreed at booking."""
        return price_of_appointment(self.appointment)


def get_appointment(session: Session, actor: Actor, appointment_id: uuid.UUID, *, lock: bool = False) -> Appointment:
    """Return an appointment in the actor's scope; raises NotFound for any other (I2)."""
    query = visible_to(actor).where(Appointment.id == appointment_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound()
    return found


@transactional
def open_appointment(session: Session, actor: Actor, appointment_id: uuid.UUID) -> AppointmentView:
    """Return an appointment with its names for a page of its own; a read by staff is audited (U3)."""
    query = with_names(visible_to(actor).where(Appointment.id == appointment_id), actor)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound()
    view = view_of(row, actor, now(session))
    if actor.kind != "patient":
        appointment = view.appointment
        record(session, actor, "appointment.read", "appointment", appointment.id, portal_id=appointment.portal_id)
    return view


def messages_of(session: Session, actor: Actor, appointment_id: uuid.UUID) -> dict[str, str]:
    """Return what was written with an appointment: ``{"booking": …, "cancellation": …}``.

    For patient and specialist alone; operators have no grant and hear NotFound (I4).
    """
    if actor.kind not in ("patient", "specialist"):
        raise NotFound()
    get_appointment(session, actor, appointment_id)
    rows = session.execute(
        select(AppointmentMessage.kind, AppointmentMessage.body).where(
            AppointmentMessage.appointment_id == appointment_id
        )
    ).all()
    return {row.kind: row.body for row in rows}


def visible_to(actor: Actor) -> Select[Appointment]:
    """Return a query of the appointments in the actor's scope: a patient's own, a specialist's on every portal."""
    query = select(Appointment)
    if actor.kind == "patient":
        return query.where(Appointment.portal_id == actor.portal_id, Appointment.patient_id == actor.id)
    if actor.kind == "specialist":
        return query.where(Appointment.specialist_id == actor.id)
    if actor.kind == "operator":
        return query if actor.portals is None else query.where(Appointment.portal_id.in_(actor.portals))
    raise NotFound()


def on_shelf(shelf: Shelf, moment: dt.datetime) -> ColumnElement[bool]:
    """Return the condition for appointments that are to come or under way, over, or cancelled."""
    if shelf == "cancelled":
        return ~stands(moment)
    coming = stands(moment) & Appointment.state.in_(UPCOMING) & (Appointment.ends_at > moment)
    return coming if shelf == "next" else stands(moment) & ~coming


def stands(moment: dt.datetime) -> ColumnElement[bool]:
    """Return the condition for appointments that are not over: neither cancelled nor unpaid beyond their time (C5)."""
    return (Appointment.state != "cancelled") & ~unpaid(moment)


def unpaid(moment: dt.datetime) -> ColumnElement[bool]:
    """Return the condition for appointments whose time to be paid is over, whoever may sweep them (C5)."""
    return (Appointment.state == "pending_payment") & (Appointment.pay_until <= moment)


def awaited(moment: dt.datetime) -> ColumnElement[bool]:
    """Return the condition for appointments that wait for their payment, and still may (B1)."""
    return (Appointment.state == "pending_payment") & (Appointment.pay_until > moment)


def list_appointments(
    session: Session, actor: Actor, shelf: Shelf, *, limit: int = 50, offset: int = 0
) -> list[AppointmentView]:
    """Return appointments in the actor's scope: the next ones soonest first, others latest first."""
    order: list[ColumnElement[Any]] = [Appointment.starts_at.asc() if shelf == "next" else Appointment.starts_at.desc()]
    moment = now(session)
    query = with_names(visible_to(actor).where(on_shelf(shelf, moment)), actor)
    rows = session.execute(query.order_by(*order, Appointment.id).limit(limit).offset(offset)).all()
    return [view_of(row, actor, moment) for row in rows]


def page_of_appointments(
    session: Session, actor: Actor, shelf: Shelf | None, *, limit: int, cursor: str | None
) -> tuple[list[AppointmentView], str | None]:
    """Return a page of appointments in the actor's scope and the cursor of the following one (W1).

    The next ones come soonest first, as do all together; past and cancelled ones latest first.
    """
    query, moment = visible_to(actor), now(session)
    if shelf is not None:
        query = query.where(on_shelf(shelf, moment))
    keys: list[ColumnElement[Any]] = [Appointment.starts_at.expression, Appointment.id.expression]
    rows, following = fetch_page(
        session, with_names(query, actor), keys, limit=limit, cursor=cursor, descending=shelf in ("past", "cancelled")
    )
    return [view_of(row, actor, moment) for row in rows], following


def appointments_between(
    session: Session, actor: Actor, start: dt.datetime, end: dt.datetime, states: Collection[str] | None = None
) -> list[AppointmentView]:
    """Return appointments in the actor's scope that touch a span, by beginning; those not cancelled unless asked."""
    query = visible_to(actor).where(Appointment.starts_at < end, Appointment.ends_at > start)
    moment = now(session)
    wanted = Appointment.state.in_(states) if states is not None else stands(moment)
    rows = session.execute(with_names(query.where(wanted), actor).order_by(Appointment.starts_at, Appointment.id)).all()
    return [view_of(row, actor, moment) for row in rows]


def count_appointments(session: Session, actor: Actor) -> dict[Shelf, int]:
    """Return how many appointments are on each shelf."""
    moment = now(session)
    columns = [func.count().filter(on_shelf(shelf, moment)) for shelf in SHELVES]
    row = session.execute(visible_to(actor).with_only_columns(*columns)).one()
    return dict(zip(SHELVES, row, strict=True))


def with_names(query: Select[Appointment], actor: Actor) -> Select[Any]:
    """Add to a query of appointments what ``view_of`` needs."""
    query = query.join(
        Listing,
        (Listing.portal_id == Appointment.portal_id) & (Listing.specialist_id == Appointment.specialist_id),
    ).outerjoin(
        PublishedProfile,
        (PublishedProfile.portal_id == Appointment.portal_id)
        & (PublishedProfile.specialist_id == Appointment.specialist_id),
    )
    named: Select[Any] = query.add_columns(Listing.id, PublishedProfile.image_key)
    if actor.kind == "patient":
        return named
    return named.join(Patient, Patient.id == Appointment.patient_id).add_columns(Patient)


def view_of(row: Any, actor: Actor, moment: dt.datetime) -> AppointmentView:
    """Return a row of ``with_names`` as a view; the specialist sees how to reach the patient."""
    appointment, listing_id, image_key, *people = row
    state = state_now(appointment.state, appointment.pay_until, moment)
    if not people:
        return AppointmentView(appointment, listing_id, image_key, state, actor.name)
    patient = people[0]
    if actor.kind == "specialist":
        return AppointmentView(appointment, listing_id, image_key, state, patient.name, patient.phone, patient.email)
    return AppointmentView(appointment, listing_id, image_key, state, patient.name)


def price_of_appointment(appointment: Appointment) -> Money:
    """Return the price agreed at booking."""
    return Money(appointment.price_minor, appointment.currency)


def cancelling_means(session: Session, actor: Actor, appointment: Appointment) -> CancellationTerms:
    """Return what it would mean if this actor cancelled now, by the policy frozen at booking (B6)."""
    return cancellation_terms(
        appointment.starts_at,
        price_of_appointment(appointment),
        CancellationPolicy.from_json(appointment.policy),
        now(session),
        party_of(actor),
    )


def cancelling_refused(session: Session, actor: Actor, appointment: Appointment) -> Refusal | None:
    """Say why this actor cannot cancel now, or None."""
    moment = now(session)
    return can_cancel(effective_state(appointment, moment), party_of(actor), appointment.starts_at, moment)


def completing_refused(session: Session, actor: Actor, appointment: Appointment) -> Refusal | None:
    """Say why this actor cannot mark the visit as held now, or None."""
    return can_complete(appointment.state, party_of(actor), appointment.starts_at, now(session))


def effective_state(appointment: Appointment, moment: dt.datetime) -> str:
    """Return the state of an appointment as it counts at a moment (C5)."""
    return state_now(appointment.state, appointment.pay_until, moment)


def party_of(actor: Actor) -> Party:
    """Return the actor's part in an appointment; visitors have none."""
    if actor.kind == "visitor":
        raise Defect("visitors have no part in appointments")
    return actor.kind
