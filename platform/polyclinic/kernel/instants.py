"""Days and instants as people and programs write them, within the years that this program can reckon with.

A time zone moves an instant by up to a day, and pages step from week to week: at the ends of what Python can
represent both leave the calendar. So days from outside are held to centuries in which nothing overflows.
"""

from __future__ import annotations

import datetime as dt

FIRST_YEAR, LAST_YEAR = 1900, 2199


def parse_day(text: str | None) -> dt.date | None:
    """Return the day written in ISO 8601, or None where it is none or out of reach."""
    try:
        found = dt.date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if in_reach(found) else None


def parse_instant(text: str | None) -> dt.datetime | None:
    """Return the instant written in ISO 8601 with its offset, in UTC; None where it is none or UTC cannot hold it."""
    try:
        found = dt.datetime.fromisoformat(text or "")
        return None if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def in_reach(day: dt.date) -> bool:
    """Tell whether a day is in the years that this program can reckon with."""
    return FIRST_YEAR <= day.year <= LAST_YEAR
