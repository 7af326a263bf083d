"""The calendar attachment of a mail: one event with a stable UID, as RFC 5545 and RFC 5546 want it (C8)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from polyclinic.kernel.clock import real_now
from polyclinic.kernel.later import Later

if TYPE_CHECKING:
    import icalendar
else:
    icalendar = Later("icalendar")

Method = Literal["REQUEST", "CANCEL"]


@dataclass(frozen=True, slots=True)
class Invitation:
    """An appointment as a calendar sees it; times UTC, written in ``zone``."""

    uid: str
    """Ends with the portal's stored domain, so that it names no sibling (P4)."""
    sequence: int
    method: Method
    starts_at: dt.datetime
    ends_at: dt.datetime
    zone: str
    title: str
    link: str


def write_ics(
    invitation: Invitation, organizer: tuple[str, str], attendee: tuple[str, str], stamp: dt.datetime | None = None
) -> bytes:
    """Write an invitation from ``organizer`` to ``attendee``, both (name, address); METHOD goes into the MIME type too.

    DTSTAMP rises with SEQUENCE: it is the real time of writing.
    """
    zone = ZoneInfo(invitation.zone)
    event = icalendar.Event()
    event.add("uid", invitation.uid)
    event.add("sequence", invitation.sequence)
    event.add("dtstamp", stamp or real_now())
    event.add("dtstart", invitation.starts_at.astimezone(zone))
    event.add("dtend", invitation.ends_at.astimezone(zone))
    event.add("summary", invitation.title)
    event.add("url", invitation.link)
    event.add("description", invitation.link)
    event.add("status", "CANCELLED" if invitation.method == "CANCEL" else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if invitation.method == "CANCEL" else "OPAQUE")
    event.add("organizer", _person(*organizer))
    guest = _person(*attendee)
    guest.params["partstat"] = icalendar.vText("ACCEPTED")
    guest.params["rsvp"] = icalendar.vText("FALSE")
    event.add("attendee", guest, encode=False)
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", invitation.method)
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _person(name: str, address: str) -> icalendar.vCalAddress:
    person = icalendar.vCalAddress(f"mailto:{address}")
    person.params["cn"] = icalendar.vText(name)
    return person
