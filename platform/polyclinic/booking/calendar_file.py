"""An appointment as a file for the reader's own calendar (C8): no health details, and no network in it (P4, T3)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from polyclinic.booking.models import Appointment
from polyclinic.kernel.later import Later

if TYPE_CHECKING:
    import icalendar
else:
    icalendar = Later("icalendar")


def write_calendar_file(appointment: Appointment, title: str, host: str, link: str, stamp: dt.datetime) -> bytes:
    """Return one event with the UID that mails use; ``stamp`` is real time and rises with the sequence."""
    zone = ZoneInfo(appointment.zone)
    event = icalendar.Event()
    event.add("uid", f"{appointment.id}@{host}")
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", stamp)
    event.add("dtstart", appointment.starts_at.astimezone(zone))
    event.add("dtend", appointment.ends_at.astimezone(zone))
    event.add("summary", title)
    event.add("url", link)
    event.add("status", "CANCELLED" if appointment.state == "cancelled" else "CONFIRMED")
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
