"""Wall clocks that jump: gaps have no slot, folds have each twice, and nine o'clock stays nine o'clock (C1, C2)."""

import datetime as dt
import uuid
import zoneinfo

import pytest

from polyclinic.calendar.rules import Calendar, SlotTerms, WeeklyRule, free_slots
from polyclinic.calendar.walltime import days_in, instants_of, moment, wall_time
from polyclinic.kernel.zones import UnknownZone, is_zone, zone

HARD = [
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Vancouver",
    "Europe/Berlin",
    "Asia/Kathmandu",
]
TERMS = SlotTerms(uuid.uuid4(), uuid.uuid4(), duration=30, horizon=dt.timedelta(days=4000))


def slots(name: str, day: dt.date, start: int, end: int, terms: SlotTerms = TERMS) -> list[str]:
    """Return the slots of one local day as UTC clock times with the wall time and offset they are shown with."""
    calendar = Calendar(name, [WeeklyRule(day.weekday(), start, end, name)])
    begin = dt.datetime.combine(day, dt.time(), dt.UTC) - dt.timedelta(days=1)
    found = free_slots(calendar, terms, begin, begin + dt.timedelta(days=3), begin)
    shown = []
    for slot in found:
        wall = wall_time(name, slot.start)
        if wall.day == day:
            shown.append(f"{slot.start:%d %H:%M} {wall.minute // 60:02}:{wall.minute % 60:02} {wall.offset / 3600:+g}")
    return shown


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("year", [2011, 2026, 2027])
def test_nine_stays_nine_all_year(name: str, year: int) -> None:
    """C1: 09:00 local stays 09:00 across daylight-saving changes; a day the zone skipped has no nine o'clock."""
    calendar = Calendar(name, [WeeklyRule(day, 540, 570, name) for day in range(7)])
    begin, end = dt.datetime(year, 1, 2, tzinfo=dt.UTC), dt.datetime(year, 12, 31, tzinfo=dt.UTC)
    found = free_slots(calendar, TERMS, begin, end, begin)
    local = [slot.start.astimezone(zoneinfo.ZoneInfo(name)) for slot in found]
    assert {(time.hour, time.minute) for time in local} == {(9, 0)}
    days = {time.date() for time in local}
    skipped = {dt.date(2011, 12, 30)} if name == "Pacific/Apia" else set()
    every = {begin.date() + dt.timedelta(days=n) for n in range(1, 363)}
    assert every - days == (skipped if year == 2011 else set())
    assert len(local) == len(days)


def test_vancouver_keeps_utc_minus_seven_in_december_2026() -> None:
    """C1: the pinned tzdata knows; the machine's may still say UTC-8."""
    assert slots("America/Vancouver", dt.date(2026, 12, 1), 540, 570) == ["01 16:00 09:00 -7"]


def test_a_skipped_hour_has_no_slot() -> None:
    """C2: Berlin, 28 March 2027: clocks go from 02:00 to 03:00."""
    assert slots("Europe/Berlin", dt.date(2027, 3, 28), 60, 240) == [
        "28 00:00 01:00 +1",
        "28 00:30 01:30 +1",
        "28 01:00 03:00 +2",
        "28 01:30 03:30 +2",
    ]
    assert instants_of("Europe/Berlin", dt.date(2027, 3, 28), 150) == []


def test_a_repeated_hour_is_offered_twice_with_its_offset() -> None:
    """C2: Berlin, 31 October 2027: 02:00–03:00 happens twice."""
    assert slots("Europe/Berlin", dt.date(2027, 10, 31), 120, 180) == [
        "31 00:00 02:00 +2",
        "31 00:30 02:30 +2",
        "31 01:00 02:00 +1",
        "31 01:30 02:30 +1",
    ]
    assert len(instants_of("Europe/Berlin", dt.date(2027, 10, 31), 150)) == 2
    assert wall_time("Europe/Berlin", dt.datetime(2027, 10, 31, 1, tzinfo=dt.UTC)).repeated
    assert not wall_time("Europe/Berlin", dt.datetime(2027, 10, 31, 2, tzinfo=dt.UTC)).repeated


def test_a_session_over_the_change_lasts_as_long_as_it_says() -> None:
    """C2: 90 minutes from 01:30 in the night of the skipped hour end at 04:00 on the wall."""
    terms = SlotTerms(TERMS.portal, TERMS.service, duration=90, horizon=dt.timedelta(days=4000))
    assert slots("Europe/Berlin", dt.date(2027, 3, 28), 90, 240, terms) == ["28 00:30 01:30 +1"]


def test_lord_howe_moves_by_half_an_hour() -> None:
    """C2: 02:00–02:30 is skipped in October, 01:30–02:00 repeated in April."""
    assert slots("Australia/Lord_Howe", dt.date(2027, 10, 3), 90, 180) == ["02 15:00 01:30 +10.5", "02 15:30 02:30 +11"]
    assert slots("Australia/Lord_Howe", dt.date(2027, 4, 4), 90, 120) == ["03 14:30 01:30 +11", "03 15:00 01:30 +10.5"]


def test_apia_had_no_thirtieth_of_december_2011() -> None:
    """C1: the whole day is a gap: no slot, no time off on it, and 24 hours from the 29th to the end of the 31st."""
    assert slots("Pacific/Apia", dt.date(2011, 12, 30), 0, 1440) == []
    assert days_in("Pacific/Apia", dt.date(2011, 12, 30), dt.date(2011, 12, 30)) is None
    around = days_in("Pacific/Apia", dt.date(2011, 12, 29), dt.date(2011, 12, 31))
    assert around is not None
    assert around[1] - around[0] == 2 * 86400


def test_a_day_off_in_casablanca_is_as_long_as_its_day() -> None:
    """C1: 20 September 2026 has 25 hours there; a midnight that a zone skips begins the day an hour later."""
    long = days_in("Africa/Casablanca", dt.date(2026, 9, 20), dt.date(2026, 9, 20))
    assert long is not None
    assert long[1] - long[0] == 25 * 3600
    short = days_in("America/Santiago", dt.date(2027, 9, 5), dt.date(2027, 9, 5))
    assert short is not None
    assert (moment(short[0]).astimezone(zone("America/Santiago")).hour, short[1] - short[0]) == (1, 23 * 3600)


def test_a_rule_keeps_its_own_zone_and_steps_keep_the_specialists() -> None:
    """C1, C2: hours kept in Kathmandu (+5:45) by a specialist who works in Berlin now."""
    calendar = Calendar("Europe/Berlin", [WeeklyRule(0, 600, 720, "Asia/Kathmandu")])
    begin = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
    found = free_slots(calendar, TERMS, begin, begin + dt.timedelta(days=1), begin)
    assert [f"{slot.start:%H:%M}" for slot in found] == ["04:30", "05:00", "05:30"]


def test_zones_come_from_the_pinned_data_only() -> None:
    """C1: the machine's own files are not searched, and a wrong name is refused with a sentence."""
    assert zoneinfo.TZPATH == ()
    assert is_zone("Europe/Berlin")
    for wrong in ("europe/berlin", "Mars/Olympus", "../../etc/passwd", "", None):
        assert not is_zone(wrong)
    with pytest.raises(UnknownZone) as refusal:
        zone("Mars/Olympus")
    assert "Mars/Olympus" in str(refusal.value)
