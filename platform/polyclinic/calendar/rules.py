"""Which times of a specialist are free: values in, slots out (C1, C2, C3, C5, C10).

Nothing here knows a database, a clock or a web framework. What a specialist is busy with comes as bare spans, so a
portal that computes slots learns no more than that (C10).

Decisions that the product leaves open:

* Availability is a set of minutes. Rules that overlap are merged, and a slot may cross from one into the next.
* A rule ends at 24:00 at the latest; working past midnight is two rules, which merge. So an end before its beginning is
  always a mistake and is refused as one.
* ``closed`` beats ``extra``: time that the specialist closed is never offered.
* The session itself (its core) lies inside the availability; its buffers may reach outside it, but not into anything
  the specialist is busy with.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from polyclinic.calendar.intervals import Span, minus, overlaps, union
from polyclinic.calendar.walltime import DAY, Stretch, day_number, moment, seconds, spans_of, stretches, weekday_of

MINUTES_OF_DAY = 1440
#: How far beyond the horizon the next free time is looked for, to know when the horizon will reach it.
BEYOND = dt.timedelta(days=31)


@dataclass(frozen=True, slots=True)
class WeeklyRule:
    """Open every week: minutes of a weekday (Monday is 0) on the wall clock of ``zone``, on both given days too.

    ``portals`` and ``services`` of None mean all of them.
    """

    weekday: int
    starts: int
    ends: int
    zone: str
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
    portals: frozenset[uuid.UUID] | None = None
    services: frozenset[uuid.UUID] | None = None


@dataclass(frozen=True, slots=True)
class DayException:
    """One date that differs from the weekly rules, by extra or closed time: the whole day unless minutes are given."""

    day: dt.date
    kind: Literal["extra", "closed"]
    zone: str
    starts: int = 0
    ends: int = MINUTES_OF_DAY
    portals: frozenset[uuid.UUID] | None = None
    services: frozenset[uuid.UUID] | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """One specialist's time as the slots need it.

    ``zone`` is the zone whose midnight the steps count from. ``busy`` holds claims (with their buffers), time off and
    external events alike, expired claims left out (C5); ``first_expiry`` is when the first of its holds ends.
    """

    zone: str
    rules: Sequence[WeeklyRule]
    exceptions: Sequence[DayException] = ()
    busy: Sequence[Span] = ()
    first_expiry: int | None = None


@dataclass(frozen=True, slots=True)
class SlotTerms:
    """What a portal's listing offers for one service; lengths, buffers and steps in minutes."""

    portal: uuid.UUID
    service: uuid.UUID
    duration: int
    before: int = 0
    after: int = 0
    step: int = 30
    notice: dt.timedelta = dt.timedelta()
    horizon: dt.timedelta = dt.timedelta(days=60)


class Slot(NamedTuple):
    """A time that can be booked: the core of the session, UTC."""

    start: dt.datetime
    end: dt.datetime


class NextFree(NamedTuple):
    """The first free start, None where there is none, and when this answer has to be computed again at the latest."""

    at: dt.datetime | None
    stale_at: dt.datetime


def _applies(entry: WeeklyRule | DayException, portal: uuid.UUID | None, service: uuid.UUID | None) -> bool:
    return (portal is None or entry.portals is None or portal in entry.portals) and (
        service is None or entry.services is None or service in entry.services
    )


class _Clocks:
    """The stretches of every zone that one computation meets, looked up once; a day more than asked on both sides."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low - DAY, high + DAY
        self._known: dict[str, list[Stretch]] = {}

    def __getitem__(self, name: str) -> list[Stretch]:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = stretches(name, self.low, self.high)
        return known

    def days(self, name: str) -> range:
        pieces = self[name]
        return range((self.low + pieces[0].offset) // DAY, (self.high + pieces[-1].offset) // DAY + 1)


def _weekly(rules: Iterable[WeeklyRule], clocks: _Clocks) -> Iterator[Span]:
    for rule in rules:
        days, pieces = clocks.days(rule.zone), clocks[rule.zone]
        first = days.start if rule.valid_from is None else max(days.start, day_number(rule.valid_from))
        stop = days.stop if rule.valid_until is None else min(days.stop, day_number(rule.valid_until) + 1)
        first += (rule.weekday - weekday_of(first)) % 7
        opens, closes = rule.starts * 60, rule.ends * 60
        for day in range(first, stop, 7):
            yield from spans_of(pieces, day * DAY + opens, day * DAY + closes)


def _dated(exceptions: Iterable[DayException], kind: str, clocks: _Clocks) -> Iterator[Span]:
    for exception in exceptions:
        if exception.kind == kind:
            midnight = day_number(exception.day) * DAY
            yield from spans_of(
                clocks[exception.zone], midnight + exception.starts * 60, midnight + exception.ends * 60
            )


def open_spans(
    calendar: Calendar, low: int, high: int, portal: uuid.UUID | None = None, service: uuid.UUID | None = None
) -> list[Span]:
    """Return the availability around ``low`` to ``high``: rules and extra time without closed time.

    For every portal or service where none is named. May reach past the given seconds, never falls short of them.
    """
    clocks = _Clocks(low, high)
    return _open(calendar, clocks, portal, service)


def _open(calendar: Calendar, clocks: _Clocks, portal: uuid.UUID | None, service: uuid.UUID | None) -> list[Span]:
    rules = [rule for rule in calendar.rules if _applies(rule, portal, service)]
    exceptions = [one for one in calendar.exceptions if _applies(one, portal, service)]
    opened = union([*_weekly(rules, clocks), *_dated(exceptions, "extra", clocks)])
    return minus(opened, union(_dated(exceptions, "closed", clocks))) if exceptions else opened


def _start_ranges(calendar: Calendar, terms: SlotTerms, clocks: _Clocks, low: int, high: int) -> list[Span]:
    """Return the seconds at which a session may start, steps aside.

    A session of length d with buffers b and a collides with a busy span (x, y) if it starts after x - d - a and before
    y + b; the claims bring buffers of their own, so those of neighbours add up (C3).
    """
    length, before, after = terms.duration * 60, terms.before * 60, terms.after * 60
    starts = [
        (max(begin, low), min(end - length + 1, high))
        for begin, end in _open(calendar, clocks, terms.portal, terms.service)
        if begin < high and end - length >= low and end - begin >= length
    ]
    taken = union((begin - length - after + 1, end + before) for begin, end in calendar.busy)
    return minus(starts, taken)


def _on_steps(ranges: Iterable[Span], pieces: list[Stretch], step: int) -> Iterator[int]:
    """Yield the instants of ``ranges`` at which the clock shows a multiple of ``step`` seconds since its midnight."""
    for low, high in ranges:
        for begin, end, offset in pieces:
            if begin >= high or end <= low:
                continue
            first, stop = max(low, begin) + offset, min(high, end) + offset
            while first < stop:
                midnight = first - first % DAY
                turn = min(stop, midnight + DAY)
                for local in range(first + (midnight - first) % step, turn, step):
                    yield local - offset
                first = turn


def _starts(calendar: Calendar, terms: SlotTerms, low: int, high: int, now: dt.datetime) -> Iterator[int]:
    low = max(low, seconds_up(now + terms.notice))
    high = min(high, seconds(now + terms.horizon) + 1)
    if low >= high or not (calendar.rules or calendar.exceptions):
        return
    clocks = _Clocks(low, high + terms.duration * 60)
    ranges = _start_ranges(calendar, terms, clocks, low, high)
    yield from _on_steps(ranges, clocks[calendar.zone], terms.step * 60)


def free_slots(
    calendar: Calendar, terms: SlotTerms, start: dt.datetime, end: dt.datetime, now: dt.datetime
) -> list[Slot]:
    """Return the slots that begin from ``start`` until before ``end``, in order (C2).

    Minimum notice and horizon count from ``now``. Steps are minutes on the wall clock of the specialist's zone from its
    midnight: a skipped hour has no slot, a repeated one has each twice.
    """
    length = dt.timedelta(minutes=terms.duration)
    found = map(moment, _starts(calendar, terms, seconds_up(start), seconds_up(end), now))
    return [Slot(begin, begin + length) for begin in found]


def seconds_up(instant: dt.datetime) -> int:
    """Return the whole seconds since 1970 of an aware datetime, rounded up."""
    return seconds(instant) + (1 if instant.microsecond else 0)


def is_offered(calendar: Calendar, terms: SlotTerms, start: dt.datetime, now: dt.datetime) -> bool:
    """Tell whether a session beginning exactly at ``start`` is among the slots."""
    if start.microsecond:
        return False
    at = seconds(start)
    return next(_starts(calendar, terms, at, at + 1, now), None) == at


def next_free(calendar: Calendar, terms: SlotTerms, now: dt.datetime) -> NextFree:
    """Return the first slot's start and when to ask again although nobody changed anything.

    That is when the slot can no longer be booked for want of notice, when a hold expires that may free an earlier one,
    or, where nothing is free, when the horizon reaches the first free time behind it.
    """
    far = replace(terms, horizon=terms.horizon + BEYOND)
    end = now + far.horizon
    first = next(map(moment, _starts(calendar, far, seconds(now), seconds(end), now)), None)
    if first is not None and first <= now + terms.horizon:
        found, stale = first, first - terms.notice + dt.timedelta.resolution
    else:
        found, stale = None, (first or end) - terms.horizon
    if calendar.first_expiry is not None:
        stale = min(stale, moment(calendar.first_expiry))
    return NextFree(found, stale)


def lost_spans(before: Calendar, after: Calendar, low: int, high: int) -> list[Span]:
    """Return the availability, of any portal and service, that a change of rules or exceptions took away."""
    return minus(open_spans(before, low, high), open_spans(after, low, high))


def at_risk(cores: Sequence[Span], spans: Iterable[Span]) -> list[int]:
    """Return the places in ``cores`` of the sessions that ``spans`` touch; nothing fails because of them (C9)."""
    concerned = list(spans)
    return [place for place, core in enumerate(cores) if overlaps(core, concerned)]


def wrong_hours(starts: object, ends: object) -> dict[str, str]:
    """Return the fields of opening hours that are wrong, with a code each: minutes from midnight, end at most 1440."""
    wrong: dict[str, str] = {}
    if not isinstance(starts, int) or not 0 <= starts < MINUTES_OF_DAY:
        wrong["starts"] = "not-a-time"
    if not isinstance(ends, int) or not 0 < ends <= MINUTES_OF_DAY:
        wrong["ends"] = "not-a-time"
    if not wrong and isinstance(starts, int) and isinstance(ends, int) and ends <= starts:
        wrong["ends"] = "end-before-start"
    return wrong


def wrong_rule(rule: WeeklyRule) -> dict[str, str]:
    """Return the fields of an availability rule that are wrong, with a code each."""
    wrong = wrong_hours(rule.starts, rule.ends) | _wrong_filter(rule)
    if not 0 <= rule.weekday <= 6:
        wrong["weekday"] = "not-a-weekday"
    if rule.valid_from and rule.valid_until and rule.valid_until < rule.valid_from:
        wrong["valid_until"] = "end-before-start"
    return wrong


def wrong_exception(exception: DayException, others: Sequence[DayException]) -> dict[str, str]:
    """Return the fields of an exception that are wrong, with a code each.

    Extra time that closed time swallows whole is refused: it would have no effect.
    """
    wrong = wrong_hours(exception.starts, exception.ends) | _wrong_filter(exception)
    if not wrong and exception.kind == "extra" and _is_closed(exception, others):
        wrong["date"] = "closed-then"
    return wrong


def _is_closed(extra: DayException, others: Sequence[DayException]) -> bool:
    closed = union(
        (other.starts, other.ends)
        for other in others
        if (other.kind, other.day, other.zone) == ("closed", extra.day, extra.zone)
        and (other.portals is None or (extra.portals is not None and extra.portals <= other.portals))
        and (other.services is None or (extra.services is not None and extra.services <= other.services))
    )
    return not minus([(extra.starts, extra.ends)], closed)


def _wrong_filter(entry: WeeklyRule | DayException) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if entry.portals is not None and not entry.portals:
        wrong["portals"] = "none-chosen"
    if entry.services is not None and not entry.services:
        wrong["services"] = "none-chosen"
    return wrong
