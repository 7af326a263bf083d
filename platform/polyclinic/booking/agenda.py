"""A specialist's time as a calendar shows it: visits, times being booked, time off, and the hours behind them (C6).

Wall times in the specialist's zone are made here; the widget knows no zone (L2).
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from polyclinic.booking.appointments import AppointmentView, appointments_between
from polyclinic.calendar.models import Claim, TimeOff
from polyclinic.calendar.opening import load, opened
from polyclinic.calendar.rules import open_spans
from polyclinic.calendar.walltime import days_in, moment, seconds
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Defect
from polyclinic.kernel.zones import zone

Kind = Literal["appointment", "hold", "time_off", "available"]
#: A calendar asks for a month and its edges at most (days).
LONGEST = 62


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in the calendar; ``start`` and ``end`` are wall times in the specialist's zone, without offset."""

    kind: Kind
    start: dt.datetime
    end: dt.datetime
    id: str = ""
    label: str = ""
    visit: AppointmentView | None = None


def get_agenda(session: Session, actor: Actor, first: dt.date, last: dt.date) -> list[Entry]:
    """Return everything from the beginning of ``first`` to the end of ``last`` on the specialist's calendar."""
    if actor.id is None:
        raise Defect("only a specialist has an agenda")
    name = actor.zone or "UTC"
    span = days_in(name, first, last)
    if span is None:
        return []
    low, high = moment(span[0]), moment(span[1])
    entries = [
        Entry(
            "appointment",
            _wall(visit.appointment.starts_at, name),
            _wall(visit.appointment.ends_at, name),
            str(visit.appointment.id),
            visit=visit,
        )
        for visit in appointments_between(session, actor, low, high)
    ]
    entries += _time_off(session, actor.id, name, low, high)
    with opened(session, actor.id):
        entries += _being_booked(session, actor.id, name, low, high)
        calendar = load(session, actor.id, name, low, high)
    for begin, end in open_spans(calendar, seconds(low), seconds(high)):
        start, stop = max(moment(begin), low), min(moment(end), high)
        if start < stop:
            entries.append(Entry("available", _wall(start, name), _wall(stop, name)))
    return sorted(entries, key=lambda entry: (entry.start, entry.kind))


def _being_booked(
    session: Session, specialist_id: uuid.UUID, name: str, low: dt.datetime, high: dt.datetime
) -> list[Entry]:
    """Return live holds: whose they are, on which portal, nobody tells (C4); dead ones are not there (C5)."""
    rows = session.execute(
        select(Claim.claim_id, func.lower(Claim.core), func.upper(Claim.core)).where(
            Claim.specialist_id == specialist_id,
            Claim.expires_at > now(session),
            func.lower(Claim.core) < high,
            func.upper(Claim.core) > low,
        )
    ).all()
    return [Entry("hold", _wall(start, name), _wall(end, name), str(claim_id)) for claim_id, start, end in rows]


def _time_off(
    session: Session, specialist_id: uuid.UUID, name: str, low: dt.datetime, high: dt.datetime
) -> list[Entry]:
    rows = session.scalars(
        select(TimeOff).where(TimeOff.specialist_id == specialist_id, TimeOff.starts_at < high, TimeOff.ends_at > low)
    ).all()
    return [
        Entry("time_off", _wall(row.starts_at, name), _wall(row.ends_at, name), str(row.id), row.label or "")
        for row in rows
    ]


def _wall(instant: dt.datetime, name: str) -> dt.datetime:
    return instant.astimezone(zone(name)).replace(tzinfo=None)
