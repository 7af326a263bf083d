"""C8: the calendar attachment is what RFC 5545 and RFC 5546 want, and nothing in it names more than it must."""

import datetime as dt

import pytest
from icalendar import Calendar

from polyclinic.notifications.invitation import Invitation, Method, write_ics

START = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)


def write(method: Method = "REQUEST", sequence: int = 0, zone: str = "Europe/Berlin", name: str = "Pat Alpha") -> bytes:
    invitation = Invitation(
        "1f0a@alpha.example",
        sequence,
        method,
        START,
        START + dt.timedelta(minutes=50),
        zone,
        "Appointment with Ada",
        "https://alpha.example/appointments/1f0a",
    )
    return write_ics(invitation, ("Alpha", "hello@alpha.example"), (name, "pat@example.org"))


def test_invitation_carries_its_zone_and_wall_time() -> None:
    calendar = Calendar.from_ical(write())
    (event,) = calendar.walk("VEVENT")
    (zone,) = calendar.walk("VTIMEZONE")
    assert zone["TZID"] == "Europe/Berlin"
    assert event["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert event["DTSTART"].dt.isoformat() == "2026-11-24T09:00:00+01:00"
    assert event["DTEND"].dt - event["DTSTART"].dt == dt.timedelta(minutes=50)


@pytest.mark.parametrize(("method", "status"), [("REQUEST", "CONFIRMED"), ("CANCEL", "CANCELLED")])
def test_method_status_sequence_and_people(method: Method, status: str) -> None:
    """C8: METHOD, rising SEQUENCE and DTSTAMP, ORGANIZER = sender, same UID."""
    first, second = (Calendar.from_ical(write(method, sequence)) for sequence in (0, 1))
    before, after = first.walk("VEVENT")[0], second.walk("VEVENT")[0]
    assert (first["METHOD"], after["STATUS"]) == (method, status)
    assert before["UID"] == after["UID"] == "1f0a@alpha.example"
    assert before["SEQUENCE"] < after["SEQUENCE"]
    assert before["DTSTAMP"].dt <= after["DTSTAMP"].dt
    assert str(after["ORGANIZER"]) == "mailto:hello@alpha.example"
    assert str(after["ATTENDEE"]) == "mailto:pat@example.org"


def test_a_name_cannot_write_lines_of_its_own() -> None:
    """No property can be smuggled in through a name."""
    text = write(name='Pat"\r\nATTACH:https://evil.example\r\n').decode()
    assert not any(line.startswith("ATTACH") for line in text.replace("\r\n ", "").splitlines())


def test_lines_are_folded_and_end_as_the_rfc_says() -> None:
    content = write(zone="Asia/Tokyo")
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert max(len(line) for line in content.split(b"\r\n")) <= 75
