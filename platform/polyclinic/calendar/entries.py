"""What a specialist writes into their calendar: rows and the values that slots are computed with, and what is wrong."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.calendar.models import AvailabilityException, AvailabilityRule
from polyclinic.calendar.rules import MINUTES_OF_DAY, DayException, WeeklyRule
from polyclinic.calendar.walltime import days_in, moment
from polyclinic.directory.models import Listing, Service
from polyclinic.kernel.errors import Invalid
from polyclinic.kernel.zones import is_zone

SENTENCES = {
    "not-a-weekday": _l("Choose a day of the week: 0 is Monday, 6 is Sunday."),
    "not-a-time": _l("Expected a time of day such as 09:00; the end may be 24:00."),
    "end-before-start": _l(
        "The end must be after the beginning. To work past midnight, let one rule end at 24:00"
        " and another begin at 00:00."
    ),
    "none-chosen": _l("Choose at least one, or leave it open for all."),
    "closed-then": _l("You closed that time. Open it first, or choose another one."),
    "not-a-zone": _l("Expected a time zone such as Europe/Berlin."),
    "not-yours": _l("Choose among the portals that list you and the services they have."),
    "empty": _l("The end must be after the beginning."),
    "missing": _l("Give a beginning and an end, or a first and a last day."),
    "no-such-day": _l("That day does not exist in this time zone."),
    "too-far": _l("Expected a date within the next five years."),
}


#: Time off further away than this is a mistyped year.
FARTHEST = dt.timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class Absence:
    """Time off as it is asked for: two instants, or whole days on the calendar of ``zone``, both included."""

    zone: str
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    label: str | None = None


def span_of(absence: Absence, today: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Return the instants of time off; raises Invalid."""
    if not is_zone(absence.zone):
        refuse({"zone": "not-a-zone"})
    instants, days = (absence.start, absence.end), (absence.first_day, absence.last_day)
    if instants == (None, None) and days[0] and days[1]:
        return _span_of_days(absence.zone, days[0], days[1], today.date())
    start, end = instants
    if start is None or end is None or days != (None, None):
        raise refusal({"starts_at": "missing"})
    if end <= start:
        refuse({"ends_at": "empty"})
    if not today - FARTHEST <= start < end <= today + FARTHEST:
        refuse({"ends_at": "too-far"})
    return start, end


def _span_of_days(name: str, first: dt.date, last: dt.date, today: dt.date) -> tuple[dt.datetime, dt.datetime]:
    if last < first:
        refuse({"last_day": "empty"})
    if not today - FARTHEST <= first <= last <= today + FARTHEST:
        refuse({"last_day": "too-far"})
    found = days_in(name, first, last)
    if found is None:
        raise refusal({"first_day": "no-such-day"})
    return moment(found[0]), moment(found[1])


def refuse(wrong: Mapping[str, str]) -> None:
    """Raise Invalid with a sentence for each wrong field, if there is one."""
    if wrong:
        raise refusal(wrong)


def refusal(wrong: Mapping[str, str]) -> Invalid:
    """Return what refuses an entry: a sentence for each wrong field."""
    fields = {field: SENTENCES[code] for field, code in wrong.items()}
    return Invalid("wrong-availability", _l("This cannot be saved yet: see the marked fields."), fields=fields)


def wrong_places(session: Session, specialist_id: uuid.UUID, entry: WeeklyRule | DayException) -> dict[str, str]:
    """Return portals that do not list the specialist, services those do not have, and a wrong zone, by field."""
    wrong: dict[str, str] = {} if is_zone(entry.zone) else {"zone": "not-a-zone"}
    if entry.portals or entry.services:
        listed = set(session.scalars(select(Listing.portal_id).where(Listing.specialist_id == specialist_id)))
        if entry.portals and not entry.portals <= listed:
            wrong["portals"] = "not-yours"
        if entry.services:
            known = session.scalars(
                select(Service.id).where(Service.id.in_(entry.services), Service.portal_id.in_(listed))
            )
            if not entry.services <= set(known):
                wrong["services"] = "not-yours"
    return wrong


def _time(minute: int) -> dt.time:
    """Return minutes from midnight as the column holds them; the end of the day is 00:00."""
    return dt.time(minute // 60 % 24, minute % 60)


def minutes_of(time: dt.time | None, default: int) -> int:
    """Return minutes from midnight of a column's time, ``default`` where it is null."""
    return default if time is None else time.hour * 60 + time.minute


def _list(ids: frozenset[uuid.UUID] | None) -> list[uuid.UUID] | None:
    return None if ids is None else sorted(ids)


def _set(ids: list[uuid.UUID] | None) -> frozenset[uuid.UUID] | None:
    return None if ids is None else frozenset(ids)


def rule_of(row: AvailabilityRule) -> WeeklyRule:
    """Return a stored rule as the slots are computed with it."""
    starts, ends = minutes_of(row.starts, 0), minutes_of(row.ends, 0) or MINUTES_OF_DAY
    validity = row.valid_from, row.valid_until
    return WeeklyRule(row.weekday, starts, ends, row.zone, *validity, _set(row.portals), _set(row.services))


def exception_of(row: AvailabilityException) -> DayException:
    """Return a stored exception as the slots are computed with it."""
    starts, ends = minutes_of(row.starts, 0), minutes_of(row.ends, 0) or MINUTES_OF_DAY
    kind: Any = row.kind
    return DayException(row.date, kind, row.zone, starts, ends, _set(row.portals), _set(row.services))


def write_rule(row: AvailabilityRule, rule: WeeklyRule) -> None:
    """Put a rule into its row."""
    row.weekday, row.zone = rule.weekday, rule.zone
    row.starts, row.ends = _time(rule.starts), _time(rule.ends)
    row.valid_from, row.valid_until = rule.valid_from, rule.valid_until
    row.portals, row.services = _list(rule.portals), _list(rule.services)


def write_exception(row: AvailabilityException, exception: DayException) -> None:
    """Put an exception into its row; a whole closed day has no times."""
    whole = (exception.starts, exception.ends) == (0, MINUTES_OF_DAY) and exception.kind == "closed"
    row.kind, row.date, row.zone = exception.kind, exception.day, exception.zone
    row.starts = None if whole else _time(exception.starts)
    row.ends = None if whole else _time(exception.ends)
    row.portals, row.services = _list(exception.portals), _list(exception.services)
