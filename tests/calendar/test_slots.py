"""Slots by example: what the rules of a calendar say, without database or application (C1, C2, C3, C10)."""

import dataclasses
import datetime as dt
import uuid

from polyclinic.calendar.rules import (
    Calendar,
    DayException,
    SlotTerms,
    WeeklyRule,
    at_risk,
    free_slots,
    is_offered,
    lost_spans,
    next_free,
    wrong_exception,
    wrong_rule,
)
from polyclinic.calendar.walltime import seconds

PHYSIO, MIND = uuid.uuid4(), uuid.uuid4()
MASSAGE, TALK = uuid.uuid4(), uuid.uuid4()
BERLIN = "Europe/Berlin"
MONDAY = dt.date(2027, 3, 1)
NOW = dt.datetime(2027, 2, 26, 12, tzinfo=dt.UTC)
TERMS = SlotTerms(PHYSIO, MASSAGE, duration=60)


def at(hour: int, minute: int = 0, day: dt.date = MONDAY) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), dt.UTC)


def span(start: dt.datetime, end: dt.datetime) -> tuple[int, int]:
    return seconds(start), seconds(end)


def rule(start: int = 9 * 60, end: int = 12 * 60, weekday: int = 0, **more: object) -> WeeklyRule:
    return WeeklyRule(weekday, start, end, BERLIN, **more)  # type: ignore[arg-type]  # keywords of many types


def starts(calendar: Calendar, terms: SlotTerms = TERMS, day: dt.date = MONDAY, now: dt.datetime = NOW) -> list[str]:
    found = free_slots(calendar, terms, at(0, day=day), at(0, day=day) + dt.timedelta(days=1), now)
    return [f"{slot.start:%H:%M}" for slot in found]


def test_a_rule_offers_steps_from_local_midnight_as_far_as_the_session_fits() -> None:
    """C2: 09:00–12:00 in Berlin is 08:00–11:00 UTC in winter; the last hour starts at 10:00 UTC."""
    assert starts(Calendar(BERLIN, [rule()])) == ["08:00", "08:30", "09:00", "09:30", "10:00"]


def test_steps_count_from_midnight_and_not_from_the_beginning_of_the_rule() -> None:
    """C2: a rule from 09:10 with steps of 30 minutes begins at 09:30."""
    assert starts(Calendar(BERLIN, [rule(9 * 60 + 10)]))[0] == "08:30"


def test_steps_that_do_not_divide_the_day_begin_anew_at_midnight() -> None:
    """C2: steps of 50 minutes hit 09:10, 10:00 and 10:50 on every day alike."""
    calendar = Calendar(BERLIN, [rule(weekday=0), rule(weekday=1)])
    terms = dataclasses.replace(TERMS, step=50)
    expected = ["08:10", "09:00", "09:50"]
    assert starts(calendar, terms) == starts(calendar, terms, MONDAY + dt.timedelta(days=1)) == expected


def test_neighbouring_and_overlapping_rules_are_one_stretch_of_time() -> None:
    """C1: a slot may begin in one rule and end in the next, even over midnight."""
    calendar = Calendar("UTC", [WeeklyRule(0, 22 * 60, 1440, "UTC"), WeeklyRule(1, 0, 60, "UTC")])
    assert starts(calendar) == ["22:00", "22:30", "23:00", "23:30"]
    assert starts(Calendar(BERLIN, [rule(540, 600), rule(570, 660)])) == ["08:00", "08:30", "09:00"]


def test_rules_hold_for_their_dates_portals_and_services_only() -> None:
    """C1: for all portals or some, for all services or some, from and until a date, both included."""
    assert starts(Calendar(BERLIN, [rule(valid_from=MONDAY, valid_until=MONDAY)]))
    assert not starts(Calendar(BERLIN, [rule(valid_from=MONDAY + dt.timedelta(days=1))]))
    assert not starts(Calendar(BERLIN, [rule(valid_until=MONDAY - dt.timedelta(days=1))]))
    assert not starts(Calendar(BERLIN, [rule(portals=frozenset({MIND}))]))
    assert not starts(Calendar(BERLIN, [rule(services=frozenset({TALK}))]))
    assert starts(Calendar(BERLIN, [rule(portals=frozenset({MIND, PHYSIO}), services=frozenset({MASSAGE}))]))


def test_extra_time_adds_and_closed_time_wins() -> None:
    """C1: an exception opens or closes one date; what is closed is never offered."""
    extra = DayException(MONDAY, "extra", BERLIN, 14 * 60, 16 * 60)
    closed = DayException(MONDAY, "closed", BERLIN, 9 * 60 + 30, 15 * 60)
    assert starts(Calendar(BERLIN, [], [extra])) == ["13:00", "13:30", "14:00"]
    assert starts(Calendar(BERLIN, [rule()], [extra, closed])) == ["14:00"]
    assert starts(Calendar(BERLIN, [rule()], [extra, DayException(MONDAY, "closed", BERLIN)])) == []
    for_others = DayException(MONDAY, "closed", BERLIN, portals=frozenset({MIND}))
    assert len(starts(Calendar(BERLIN, [rule()], [for_others]))) == 5


def test_buffers_of_neighbours_add_up() -> None:
    """C3: 10 minutes after the one and 15 before the other keep 25 minutes between the two sessions."""
    first_core = span(at(8), at(9))
    claimed = (first_core[0] - 15 * 60, first_core[1] + 10 * 60)
    terms = dataclasses.replace(TERMS, step=5, before=15, after=10)
    assert starts(Calendar(BERLIN, [rule()], busy=[claimed]), terms)[0] == "09:25"


def test_buffers_may_reach_outside_the_availability_but_not_into_busy_time() -> None:
    """C2, C3: the core lies inside; before 09:00 a buffer is free to use unless something is there."""
    terms = dataclasses.replace(TERMS, before=15)
    assert starts(Calendar(BERLIN, [rule()]), terms)[0] == "08:00"
    early = [span(at(7), at(7, 46))]
    assert starts(Calendar(BERLIN, [rule()], busy=early), terms)[0] == "08:30"


def test_back_to_back_is_possible_without_buffers() -> None:
    """C2: spans are half-open; a session may begin in the second the other ends."""
    assert starts(Calendar(BERLIN, [rule()], busy=[span(at(9), at(10))])) == ["08:00", "10:00"]


def test_minimum_notice_and_horizon_count_from_now() -> None:
    """C2: the first minute that keeps the notice and the last that the horizon reaches are both offered."""
    calendar, half_a_day, days = Calendar(BERLIN, [rule()]), dt.timedelta(hours=12), dt.timedelta(days=3)
    with_notice = dataclasses.replace(TERMS, notice=half_a_day)
    assert starts(calendar, with_notice, now=at(9) - half_a_day)[0] == "09:00"
    assert starts(calendar, with_notice, now=at(9) - half_a_day + dt.timedelta.resolution)[0] == "09:30"
    assert starts(calendar, dataclasses.replace(TERMS, horizon=days), now=at(9) - days)[-1] == "09:00"


def test_a_portal_sees_of_anothers_booking_only_that_the_time_is_busy() -> None:
    """C10: with B's booking, A's slots equal those with private blocks over exactly the same range."""
    booking = span(at(8, 45), at(10, 10))
    block = [span(at(8, 45), at(9, 30)), span(at(9, 30), at(10, 10))]
    terms = dataclasses.replace(TERMS, step=5, before=5, after=5)
    booked, blocked = Calendar(BERLIN, [rule()], busy=[booking]), Calendar(BERLIN, [rule()], busy=block)
    assert starts(booked, terms) == starts(blocked, terms) != starts(Calendar(BERLIN, [rule()]), terms)


def test_only_a_listed_start_is_offered() -> None:
    """B1, C2: a forged time is not among the slots: off the steps, off the rules, a microsecond late."""
    calendar = Calendar(BERLIN, [rule()])
    assert is_offered(calendar, TERMS, at(8, 30), NOW)
    for forged in (
        at(8, 15),
        at(7),
        at(10, 30),
        at(8, 30) + dt.timedelta(microseconds=1),
        at(8, 30, MONDAY + dt.timedelta(days=70)),
    ):
        assert not is_offered(calendar, TERMS, forged, NOW)


def test_the_next_free_time_goes_stale_when_its_notice_or_the_first_hold_runs_out() -> None:
    """C5: a stored answer is asked again when the slot is too near, and when a hold before it may have died."""
    calendar = Calendar(BERLIN, [rule()], busy=[span(at(8), at(9))])
    terms = dataclasses.replace(TERMS, notice=dt.timedelta(hours=2))
    answer = next_free(calendar, terms, NOW)
    assert answer.at == at(9)
    assert answer.stale_at == at(7) + dt.timedelta(microseconds=1)
    assert next_free(calendar, terms, answer.stale_at).at == at(9, 30)
    held = dataclasses.replace(calendar, first_expiry=seconds(NOW) + 600)
    assert next_free(held, terms, NOW) == (at(9), NOW + dt.timedelta(seconds=600))


def test_where_nothing_is_free_the_answer_goes_stale_when_the_horizon_gets_there() -> None:
    """C2: a rule that begins in ten days, a horizon of three."""
    calendar = Calendar(BERLIN, [rule(valid_from=MONDAY + dt.timedelta(days=7))])
    terms = dataclasses.replace(TERMS, horizon=dt.timedelta(days=3))
    answer = next_free(calendar, terms, NOW)
    assert answer.at is None
    assert answer.stale_at == at(8) + dt.timedelta(days=4)
    assert next_free(calendar, terms, answer.stale_at).at == at(8) + dt.timedelta(days=7)
    assert next_free(calendar, terms, answer.stale_at - dt.timedelta(seconds=1)).at is None
    assert next_free(Calendar(BERLIN, []), terms, NOW) == (None, NOW + dt.timedelta(days=31))


def test_a_change_tells_which_sessions_it_leaves_outside_the_availability() -> None:
    """C9: closing 10:00–12:00 concerns the session there, and not the one at nine."""
    before = Calendar(BERLIN, [rule()])
    after = Calendar(BERLIN, [rule()], [DayException(MONDAY, "closed", BERLIN, 600, 720)])
    lost = lost_spans(before, after, *span(at(0), at(23)))
    assert lost == [span(at(9), at(11))]
    assert at_risk([span(at(8), at(9)), span(at(9), at(10))], lost) == [1]


def test_wrong_rules_are_refused_field_by_field() -> None:
    """C1: what, where; a rule over midnight is two rules, so an end before its beginning is a mistake."""
    assert wrong_rule(rule()) == {}
    assert wrong_rule(rule(0, 1440)) == {}
    assert wrong_rule(rule(600, 600)) == {"ends": "end-before-start"}
    assert wrong_rule(rule(1320, 60)) == {"ends": "end-before-start"}
    assert wrong_rule(rule(-1, 1441)) == {"starts": "not-a-time", "ends": "not-a-time"}
    assert wrong_rule(rule(weekday=7)) == {"weekday": "not-a-weekday"}
    assert wrong_rule(rule(valid_from=MONDAY, valid_until=MONDAY - dt.timedelta(days=1))) == {
        "valid_until": "end-before-start"
    }
    assert wrong_rule(rule(portals=frozenset(), services=frozenset())) == {
        "portals": "none-chosen",
        "services": "none-chosen",
    }


def test_extra_time_on_closed_time_is_refused() -> None:
    """C1: it would have no effect; beside the closed part it has."""
    closed = DayException(MONDAY, "closed", BERLIN, 0, 720)
    assert wrong_exception(DayException(MONDAY, "extra", BERLIN, 600, 700), [closed]) == {"date": "closed-then"}
    assert wrong_exception(DayException(MONDAY, "extra", BERLIN, 600, 800), [closed]) == {}
    partly = dataclasses.replace(closed, portals=frozenset({MIND}))
    assert wrong_exception(DayException(MONDAY, "extra", BERLIN, 600, 700), [partly]) == {}
