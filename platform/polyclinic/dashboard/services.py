"""What a specialist's first page and its live numbers say (D1): read, never written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, Select, exists, func, select
from sqlalchemy.orm import Session

from polyclinic.booking.appointments import stands
from polyclinic.booking.models import Appointment
from polyclinic.calendar.models import AvailabilityException, AvailabilityRule
from polyclinic.dashboard.rules import NEW_FOR, ActionItem, Open, action_items
from polyclinic.directory.models import Listing, ListingService
from polyclinic.identity.models import Patient
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.money import Money
from polyclinic.kernel.zones import zone
from polyclinic.patients.services import count_new
from polyclinic.payments.accounts import needed_accounts
from polyclinic.tenancy.places import PortalView
from polyclinic.web.plugins import current_hooks

_AHEAD = ("confirmed", "in_progress")
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Visit:
    """An appointment with the name of its patient."""

    appointment: Appointment
    patient_name: str


@dataclass(frozen=True, slots=True)
class Month:
    """The specialist's current month (their zone)."""

    visits: int
    revenue: tuple[Money, ...]
    """Prices of visits that took place, one sum per currency."""
    per_day: tuple[tuple[dt.date, int], ...]
    """Visits that took place or will, for each day of the month."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What is next and what to do."""

    now: dt.datetime
    next: Visit | None
    today: Sequence[Visit]
    upcoming: Sequence[Visit]
    actions: Sequence[ActionItem]
    new_bookings: Sequence[Visit]
    new_patients: int
    month: Month


def get_dashboard(session: Session, actor: Actor, portals: Sequence[PortalView]) -> Dashboard:
    """Return the specialist's dashboard; ``portals`` are those that list them."""
    moment = now(session)
    ahead = _visits(
        session,
        _mine(actor)
        .where(Appointment.state.in_(_AHEAD), Appointment.ends_at > moment)
        .order_by(Appointment.starts_at)
        .limit(50),
    )
    start, end = _day(moment, actor)
    today = _visits(
        session,
        _mine(actor)
        .where(Appointment.starts_at >= start, Appointment.starts_at < end, stands(moment))
        .order_by(Appointment.starts_at),
    )
    fresh = _visits(
        session,
        _mine(actor)
        .where(Appointment.created_at >= moment - NEW_FOR, Appointment.state.in_(_AHEAD))
        .order_by(Appointment.created_at.desc())
        .limit(SHOWN),
    )
    return Dashboard(
        moment,
        ahead[0] if ahead else None,
        today,
        [visit for visit in ahead if visit.appointment.starts_at >= end][:SHOWN],
        list_actions(session, actor, portals),
        fresh,
        count_new(session, actor, moment - NEW_FOR),
        _month(session, actor, moment),
    )


def list_actions(session: Session, actor: Actor, portals: Sequence[PortalView]) -> list[ActionItem]:
    """Return what the specialist should do, the most urgent first."""
    moment = now(session)
    portal_names = {portal.id: portal.name for portal in portals}
    unmarked = session.execute(
        select(Appointment.id, Patient.name, Appointment.ends_at)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(Appointment.specialist_id == actor.id, Appointment.state.in_(_AHEAD), Appointment.ends_at <= moment)
        .order_by(Appointment.ends_at)
        .limit(20)
    ).all()
    has_hours = session.scalar(
        select(
            exists().where(AvailabilityRule.specialist_id == actor.id)
            | exists().where(AvailabilityException.specialist_id == actor.id, AvailabilityException.kind == "extra")
        )
    )
    listings = session.execute(
        select(
            Listing.portal_id,
            Listing.state,
            exists().where(
                ListingService.portal_id == Listing.portal_id,
                ListingService.specialist_id == Listing.specialist_id,
                ListingService.active,
            ),
        ).where(Listing.specialist_id == actor.id, Listing.state.in_(("listed", "paused")))
    ).all()
    named = [(portal_id, portal_names.get(portal_id, ""), state, offers) for portal_id, state, offers in listings]
    return action_items(
        moment,
        has_hours=bool(has_hours),
        unmarked=[Open(*row) for row in unmarked],
        without_services=[(portal, name) for portal, name, state, offers in named if state == "listed" and not offers],
        paused=[(portal, name) for portal, name, state, _offers in named if state == "paused"],
        unpaid=[
            (needed.account.deadline if needed.account else None, ", ".join(portal.name for portal in needed.portals))
            for needed in needed_accounts(session, actor, current_hooks(), portals)
            if not needed.ready
        ],
    )


def count_live(session: Session, actor: Actor, portals: Sequence[PortalView]) -> dict[str, int]:
    """Return the numbers that change without reloading, by their name in the page."""
    moment = now(session)
    start, end = _day(moment, actor)
    ahead = Appointment.specialist_id == actor.id, Appointment.state.in_(_AHEAD), Appointment.ends_at > moment
    upcoming, today = session.execute(
        select(
            func.count(),
            func.count().filter(Appointment.starts_at >= start, Appointment.starts_at < end),
        ).where(*ahead)
    ).one()
    return {
        "upcoming": upcoming,
        "today": today,
        "actions": len(list_actions(session, actor, portals)),
        "new_patients": count_new(session, actor, moment - NEW_FOR),
    }


def _mine(actor: Actor) -> Select[Appointment, str]:
    return (
        select(Appointment, Patient.name)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(Appointment.specialist_id == actor.id)
    )


def _visits(session: Session, query: Select[Appointment, str]) -> list[Visit]:
    rows: Sequence[Row[Appointment, str]] = session.execute(query).all()
    return [Visit(row[0], row[1]) for row in rows]


def _day(moment: dt.datetime, actor: Actor) -> tuple[dt.datetime, dt.datetime]:
    """Return the specialist's local day around ``moment``, in UTC (23 or 25 h long at a change of the clock)."""
    local = moment.astimezone(zone(actor.zone or "UTC"))
    start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    following = dt.datetime.combine(start.date() + dt.timedelta(days=1), dt.time(), start.tzinfo)
    return start.astimezone(dt.UTC), following.astimezone(dt.UTC)


def _month(session: Session, actor: Actor, moment: dt.datetime) -> Month:
    local = moment.astimezone(zone(actor.zone or "UTC"))
    first = dt.datetime.combine(local.date().replace(day=1), dt.time(), local.tzinfo)
    last_day = (first.date().replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
    end = dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time(), local.tzinfo)
    rows = session.execute(
        select(Appointment.starts_at, Appointment.state, Appointment.price_minor, Appointment.currency).where(
            Appointment.specialist_id == actor.id,
            Appointment.starts_at >= first,
            Appointment.starts_at < end,
            Appointment.state.in_((*_AHEAD, "completed")),
        )
    ).all()
    sums: dict[str, int] = {}
    days = {first.date() + dt.timedelta(days=number): 0 for number in range(last_day.day)}
    for starts_at, state, price, currency in rows:
        days[starts_at.astimezone(local.tzinfo).date()] += 1
        if state == "completed":
            sums[currency] = sums.get(currency, 0) + price
    done = sum(1 for row in rows if row[1] == "completed")
    return Month(done, tuple(Money(minor, code) for code, minor in sorted(sums.items())), tuple(days.items()))
