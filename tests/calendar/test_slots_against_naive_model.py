"""The slots of the rules equal those of a model that tries every minute, over random calendars and hard zones."""

import dataclasses
import datetime as dt
import itertools
import uuid
from typing import Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyclinic.calendar.intervals import Span, minus, union, within
from polyclinic.calendar.rules import Calendar, DayException, SlotTerms, WeeklyRule, free_slots, is_offered, next_free
from polyclinic.calendar.walltime import seconds
from support.naive_slots import slots_minute_by_minute

ZONES = ["Europe/Berlin", "Australia/Lord_Howe", "America/Vancouver", "Africa/Casablanca", "Pacific/Apia", "UTC"]
#: Days on which one of the zones changes its clocks, and an ordinary one.
DAYS = [
    dt.date(2026, 3, 8),
    dt.date(2026, 3, 22),
    dt.date(2026, 9, 20),
    dt.date(2026, 10, 25),
    dt.date(2027, 3, 28),
    dt.date(2027, 4, 4),
    dt.date(2027, 10, 3),
    dt.date(2011, 12, 30),
    dt.date(2027, 6, 9),
]
PORTALS = [uuid.UUID(int=1), uuid.UUID(int=2)]
SERVICES = [uuid.UUID(int=3), uuid.UUID(int=4)]


def some(of: list[uuid.UUID]) -> st.SearchStrategy[frozenset[uuid.UUID] | None]:
    return st.none() | st.frozensets(st.sampled_from(of), min_size=1)


@st.composite
def hours(draw: st.DrawFn) -> tuple[int, int]:
    start = draw(st.integers(0, 1439))
    return start, draw(st.integers(start + 1, 1440))


@st.composite
def problems(draw: st.DrawFn) -> tuple[Calendar, SlotTerms, dt.datetime, dt.datetime, dt.datetime]:
    day = draw(st.sampled_from(DAYS))
    zones = st.sampled_from(ZONES)
    near = st.sampled_from([day + dt.timedelta(days=n) for n in (-1, 0, 1)])
    rules = []
    for _ in range(draw(st.integers(0, 4))):
        start, end = draw(hours())
        rules.append(
            WeeklyRule(
                draw(near).weekday(),
                start,
                end,
                draw(zones),
                draw(st.none() | near),
                draw(st.none() | near),
                draw(some(PORTALS)),
                draw(some(SERVICES)),
            )
        )
    exceptions = []
    for _ in range(draw(st.integers(0, 3))):
        start, end = draw(hours())
        kind: Literal["extra", "closed"] = "extra" if draw(st.booleans()) else "closed"
        exceptions.append(
            DayException(draw(near), kind, draw(zones), start, end, draw(some(PORTALS)), draw(some(SERVICES)))
        )
    begin = dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(minutes=draw(st.integers(-720, 720)))
    busy = []
    for _ in range(draw(st.integers(0, 4))):
        first = seconds(begin) + 60 * draw(st.integers(-120, 1500))
        busy.append((first, first + 60 * draw(st.integers(1, 300))))
    terms = SlotTerms(
        draw(st.sampled_from(PORTALS)),
        draw(st.sampled_from(SERVICES)),
        draw(st.integers(5, 120)),
        draw(st.integers(0, 30)),
        draw(st.integers(0, 30)),
        draw(st.sampled_from([5, 10, 15, 25, 30, 50, 60])),
        dt.timedelta(minutes=draw(st.integers(0, 600))),
        dt.timedelta(minutes=draw(st.integers(0, 3000))),
    )
    now = begin + dt.timedelta(minutes=draw(st.integers(-900, 300)))
    calendar = Calendar(draw(zones), rules, exceptions, busy)
    return calendar, terms, begin, begin + dt.timedelta(minutes=draw(st.integers(1, 1440))), now


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_slots_equal_those_of_the_minute_by_minute_model(
    problem: tuple[Calendar, SlotTerms, dt.datetime, dt.datetime, dt.datetime],
) -> None:
    """C1, C2, C3: availability − busy − buffers − notice − horizon − filters, on days on which clocks jump."""
    calendar, terms, begin, end, now = problem
    found = free_slots(calendar, terms, begin, end, now)
    assert [slot.start for slot in found] == slots_minute_by_minute(calendar, terms, begin, end, now)
    assert all(slot.end - slot.start == dt.timedelta(minutes=terms.duration) for slot in found)
    assert all(is_offered(calendar, terms, slot.start, now) for slot in found)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_the_next_free_time_is_the_first_slot_and_keeps_until_it_is_stale(
    problem: tuple[Calendar, SlotTerms, dt.datetime, dt.datetime, dt.datetime],
) -> None:
    """C2: stored answers are right at every moment before their ``stale_at``."""
    calendar, terms, _, _, now = problem
    answer = next_free(calendar, terms, now)
    for later in (now, now + (answer.stale_at - now) / 2, answer.stale_at - dt.timedelta(microseconds=1)):
        if now <= later < answer.stale_at:
            slots = free_slots(calendar, terms, later, later + terms.horizon + dt.timedelta(days=1), later)
            assert (slots[0].start if slots else None) == answer.at
    assert answer.stale_at > now


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(1, 40))
def test_another_portals_booking_looks_like_private_blocks_over_the_same_range(
    problem: tuple[Calendar, SlotTerms, dt.datetime, dt.datetime, dt.datetime], cut: int
) -> None:
    """C10: however the busy range is cut into blocks, the slot list is the same."""
    calendar, terms, begin, end, now = problem
    blocks = [part for low, high in calendar.busy for part in ((low, low + cut), (low + cut, high))]
    blocked = dataclasses.replace(calendar, busy=blocks)
    assert free_slots(calendar, terms, begin, end, now) == free_slots(blocked, terms, begin, end, now)


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def moments(spans: list[Span]) -> set[int]:
    return {moment for low, high in spans for moment in range(low, high)}


@given(SPANS, SPANS)
def test_interval_arithmetic_is_that_of_sets(some_spans: list[Span], others: list[Span]) -> None:
    """C2: union, difference and clipping equal those of the sets of moments, and stay disjoint and sorted."""
    left, right = union(some_spans), union(others)
    assert moments(left) == moments(some_spans)
    assert moments(minus(left, right)) == moments(left) - moments(right)
    assert moments(within(left, 10, 40)) == moments(left) & set(range(10, 40))
    for spans in (left, minus(left, right)):
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
        assert all(low < high for low, high in spans)
