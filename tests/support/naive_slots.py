"""A second, deliberately naive model of the slots: it asks the clock of every single minute, and shares no code."""

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

from polyclinic.calendar.rules import Calendar, DayException, SlotTerms, WeeklyRule

MINUTE = dt.timedelta(minutes=1)


def _for(entry: WeeklyRule | DayException, portal: uuid.UUID, service: uuid.UUID) -> bool:
    return entry.portals in (None, entry.portals if portal in (entry.portals or ()) else 0) and entry.services in (
        None,
        entry.services if service in (entry.services or ()) else 0,
    )


def _rule_covers(rule: WeeklyRule, minute: dt.datetime) -> bool:
    local = minute.astimezone(ZoneInfo(rule.zone))
    return (
        local.weekday() == rule.weekday
        and (rule.valid_from is None or rule.valid_from <= local.date())
        and (rule.valid_until is None or local.date() <= rule.valid_until)
        and rule.starts <= local.hour * 60 + local.minute < rule.ends
    )


def _exception_covers(exception: DayException, minute: dt.datetime) -> bool:
    local = minute.astimezone(ZoneInfo(exception.zone))
    return local.date() == exception.day and exception.starts <= local.hour * 60 + local.minute < exception.ends


def _is_open(calendar: Calendar, terms: SlotTerms, minute: dt.datetime) -> bool:
    mine = [e for e in calendar.exceptions if _for(e, terms.portal, terms.service) and _exception_covers(e, minute)]
    if any(exception.kind == "closed" for exception in mine):
        return False
    return bool(mine) or any(
        _for(rule, terms.portal, terms.service) and _rule_covers(rule, minute) for rule in calendar.rules
    )


def slots_minute_by_minute(
    calendar: Calendar, terms: SlotTerms, start: dt.datetime, end: dt.datetime, now: dt.datetime
) -> list[dt.datetime]:
    """Return the starts of all slots from ``start`` to ``end`` (whole minutes) by trying every minute in turn."""
    free: dict[dt.datetime, bool] = {}
    opened: dict[dt.datetime, bool] = {}

    def is_open(minute: dt.datetime) -> bool:
        if minute not in opened:
            opened[minute] = _is_open(calendar, terms, minute)
        return opened[minute]

    def is_free(minute: dt.datetime) -> bool:
        if minute not in free:
            first, last = minute.timestamp(), minute.timestamp() + 60
            free[minute] = not any(begin < last and first < until for begin, until in calendar.busy)
        return free[minute]

    found = []
    begin = start
    while begin < end:
        local = begin.astimezone(ZoneInfo(calendar.zone))
        on_step = (local.hour * 60 + local.minute) % terms.step == 0
        in_time = now + terms.notice <= begin <= now + terms.horizon
        if on_step and in_time:
            core = [begin + i * MINUTE for i in range(terms.duration)]
            whole = [begin + i * MINUTE for i in range(-terms.before, terms.duration + terms.after)]
            if all(map(is_open, core)) and all(map(is_free, whole)):
                found.append(begin)
        begin += MINUTE
    return found
