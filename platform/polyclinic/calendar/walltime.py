"""Wall clocks: what a clock on the wall of a zone shows, and when it shows it.

A wall time that a zone skips (the hour that daylight saving takes away) has no instant, one that it repeats has two;
both are offered, told apart by their offset (C1, C2). Instants are whole seconds since 1970 UTC in the arithmetic, and
aware UTC datetimes at its edge. A *local second* is ``day number * 86400 + seconds of the clock``.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from typing import NamedTuple

from polyclinic.calendar.intervals import Span
from polyclinic.kernel.zones import zone

DAY = 86_400
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_PROBE = 6 * 3600


class Stretch(NamedTuple):
    """A time between two changes of a zone's clock: UTC seconds, and the seconds that local time is ahead of UTC."""

    begin: int
    end: int
    offset: int


class WallTime(NamedTuple):
    """What a clock shows at an instant; ``offset`` tells the two readings of a repeated hour apart."""

    day: dt.date
    minute: int
    offset: int
    repeated: bool


def seconds(moment: dt.datetime) -> int:
    """Return the whole seconds since 1970 of an aware datetime, rounded down."""
    since = moment - _EPOCH
    return since.days * DAY + since.seconds


def moment(instant: int) -> dt.datetime:
    """Return the UTC datetime of whole seconds since 1970."""
    return dt.datetime.fromtimestamp(instant, dt.UTC)


def day_number(day: dt.date) -> int:
    """Return the days from 1970-01-01 to ``day``."""
    return day.toordinal() - _EPOCH_ORDINAL


def day_of(number: int) -> dt.date:
    """Return the date of a day number."""
    return dt.date.fromordinal(number + _EPOCH_ORDINAL)


def weekday_of(number: int) -> int:
    """Return the weekday of a day number; Monday is 0."""
    return (number + 3) % 7


def _ahead(local: dt.datetime) -> int:
    return round((local.replace(tzinfo=dt.UTC) - local).total_seconds())


def _offset(name: str, instant: int) -> int:
    return _ahead(dt.datetime.fromtimestamp(instant, zone(name)))


@functools.lru_cache(maxsize=4096)
def _year(name: str, year: int) -> tuple[Stretch, ...]:
    """Return the stretches of one UTC year; zones tell no list of their changes, so it is found by bisection."""
    end = seconds(dt.datetime(year + 1, 1, 1, tzinfo=dt.UTC))
    begin = at = seconds(dt.datetime(year, 1, 1, tzinfo=dt.UTC))
    offset = _offset(name, at)
    found: list[Stretch] = []
    while at < end:
        ahead = min(at + _PROBE, end)
        if _offset(name, ahead) == offset:
            at = ahead
            continue
        low, high = at, ahead
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(name, middle) == offset else (low, middle)
        if high < end:
            found.append(Stretch(begin, high, offset))
            begin, offset = high, _offset(name, high)
        at = high
    found.append(Stretch(begin, end, offset))
    return tuple(found)


def stretches(name: str, low: int, high: int) -> list[Stretch]:
    """Return the stretches of the zone ``name`` that cover the instants from ``low`` to ``high``, in order, clipped."""
    joined: list[Stretch] = []
    for year in range(moment(low).year, moment(high).year + 1):
        for begin, end, offset in _year(name, year):
            if end <= low or begin >= high:
                continue
            begin, end = max(begin, low), min(end, high)
            if joined and joined[-1].offset == offset:
                joined[-1] = Stretch(joined[-1].begin, end, offset)
            else:
                joined.append(Stretch(begin, end, offset))
    return joined


def spans_of(pieces: list[Stretch], low: int, high: int) -> Iterator[Span]:
    """Yield the instants of ``pieces`` at which the clock shows the local seconds from ``low`` to ``high``.

    Nothing where the clock skips them, two spans where it shows some of them twice.
    """
    for begin, end, offset in pieces:
        first, last = max(low - offset, begin), min(high - offset, end)
        if first < last:
            yield first, last


def instants_of(name: str, day: dt.date, minute: int) -> list[dt.datetime]:
    """Return when the clock of a zone shows ``minute`` of ``day``: one instant, none in a gap, two in a fold."""
    local = day_number(day) * DAY + minute * 60
    pieces = stretches(name, local - 2 * DAY, local + 2 * DAY)
    return [moment(begin) for begin, _ in spans_of(pieces, local, local + 1)]


def days_in(name: str, first: dt.date, last: dt.date) -> Span | None:
    """Return the instants from the beginning of ``first`` to the end of ``last`` on a zone's calendar.

    None where the zone skips all of these days (Apia, 30 December 2011).
    """
    low, high = day_number(first) * DAY, (day_number(last) + 1) * DAY
    found = list(spans_of(stretches(name, low - 2 * DAY, high + 2 * DAY), low, high))
    return (found[0][0], found[-1][1]) if found else None


def wall_time(name: str, instant: dt.datetime) -> WallTime:
    """Return what the clock of the zone ``name`` shows at an aware datetime."""
    local = instant.astimezone(zone(name))
    offset, other = _ahead(local), _ahead(local.replace(fold=1 - local.fold))
    # In a gap both readings differ too, but no instant shows a time inside a gap.
    return WallTime(local.date(), local.hour * 60 + local.minute, offset, other != offset)
