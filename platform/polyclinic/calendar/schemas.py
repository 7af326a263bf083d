"""Shapes of a specialist's time in the Specialist Portal's API. Wall-clock times are "HH:MM", days are dates."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from flask_babel import gettext as _
from marshmallow import ValidationError, fields, validate

from polyclinic.calendar.entries import Absence, minutes_of, refusal
from polyclinic.calendar.rules import MINUTES_OF_DAY, DayException, WeeklyRule
from polyclinic.web.api import ApiSchema, PageArgs

_CLOCK = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")


class WallTime(fields.Field):  # type: ignore[type-arg]  # generic only in its stubs
    """A time on a wall clock, "09:00"; "24:00" is the end of the day. Minutes from midnight inside."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        minute = minutes_of(value, 0) if isinstance(value, dt.time) else int(value)
        if attr == "ends" and minute == 0:
            minute = MINUTES_OF_DAY
        return f"{minute // 60:02}:{minute % 60:02}"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValidationError(_("Expected a time of day such as 09:00; the end may be 24:00."))
        return MINUTES_OF_DAY if found[1] is None else int(found[1]) * 60 + int(found[2])


class ConcernedSchema(ApiSchema):
    """An appointment that a change leaves outside the availability; it stays as it is."""

    appointment_id = fields.UUID(attribute="claim_id")
    start = fields.AwareDateTime(metadata={"description": "UTC"})
    end = fields.AwareDateTime(metadata={"description": "UTC"})


class EntrySchema(ApiSchema):
    """What all entries of a calendar share."""

    id = fields.UUID(dump_only=True)
    zone = fields.String(load_default=None, metadata={"description": "IANA name; the specialist's own by default"})


class FilteredSchema(EntrySchema):
    """An entry that may hold for some portals and services only; null means all."""

    portals = fields.List(fields.UUID(), load_default=None, allow_none=True)
    services = fields.List(fields.UUID(), load_default=None, allow_none=True)


class RuleSchema(FilteredSchema):
    """Weekly hours; the dates are both included."""

    weekday = fields.Integer(required=True, strict=True, metadata={"description": "0 is Monday"})
    starts = WallTime(required=True)
    ends = WallTime(required=True)
    valid_from = fields.Date(load_default=None, allow_none=True)
    valid_until = fields.Date(load_default=None, allow_none=True)


class ExceptionSchema(FilteredSchema):
    """Extra or closed time on one date; closed without times is the whole day."""

    kind = fields.String(required=True, validate=validate.OneOf(("extra", "closed")))
    date = fields.Date(required=True)
    starts = WallTime(load_default=None, allow_none=True)
    ends = WallTime(load_default=None, allow_none=True)


class TimeOffSchema(EntrySchema):
    """Time off: two instants, or whole days, both included."""

    starts_at = fields.AwareDateTime(load_default=None, allow_none=True)
    ends_at = fields.AwareDateTime(load_default=None, allow_none=True)
    first_day = fields.Date(load_default=None, load_only=True, allow_none=True)
    last_day = fields.Date(load_default=None, load_only=True, allow_none=True)
    label = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))


def _changed(entry: type[EntrySchema], name: str) -> type[ApiSchema]:
    members = {"entry": fields.Nested(entry, attribute="row"), "concerned": fields.List(fields.Nested(ConcernedSchema))}
    return type(name, (ApiSchema,), {"__doc__": "An entry and the appointments it concerns.", **members})


def _page(entry: type[EntrySchema], name: str) -> type[ApiSchema]:
    members = {"items": fields.List(fields.Nested(entry)), "next_cursor": fields.String(allow_none=True)}
    return type(name, (ApiSchema,), {"__doc__": "A page of entries.", **members})


ChangedRuleSchema = _changed(RuleSchema, "ChangedRuleSchema")
ChangedExceptionSchema = _changed(ExceptionSchema, "ChangedExceptionSchema")
ChangedTimeOffSchema = _changed(TimeOffSchema, "ChangedTimeOffSchema")
RulePageSchema = _page(RuleSchema, "RulePageSchema")
ExceptionPageSchema = _page(ExceptionSchema, "ExceptionPageSchema")
TimeOffPageSchema = _page(TimeOffSchema, "TimeOffPageSchema")


class DeletedSchema(ApiSchema):
    """What a removed entry leaves behind."""

    concerned = fields.List(fields.Nested(ConcernedSchema))


class ListQuery(PageArgs):
    """Filters of exceptions and time off: what ends before ``from`` is left out."""

    since = fields.Date(data_key="from", load_default=None)


class SlotQuery(ApiSchema):
    """Which slots: one service on one portal, from a day until before another, on the calendar of ``zone``."""

    portal = fields.UUID(required=True)
    service = fields.UUID(required=True)
    first = fields.Date(data_key="from", required=True)
    until = fields.Date(data_key="to", required=True)


class SlotSchema(ApiSchema):
    """A time that can be booked."""

    start = fields.AwareDateTime(metadata={"description": "UTC"})
    end = fields.AwareDateTime(metadata={"description": "UTC"})


class SlotsSchema(ApiSchema):
    """Slots in order."""

    items = fields.List(fields.Nested(SlotSchema))


def rule_from(data: dict[str, Any], zone: str) -> WeeklyRule:
    """Return the rule that a request describes; ``zone`` where it names none."""
    return WeeklyRule(
        data["weekday"],
        data["starts"],
        data["ends"],
        data["zone"] or zone,
        data["valid_from"],
        data["valid_until"],
        *_filters(data),
    )


def exception_from(data: dict[str, Any], zone: str) -> DayException:
    """Return the exception that a request describes; raises Invalid where extra time has no times."""
    missing = [name for name in ("starts", "ends") if data[name] is None]
    if len(missing) == 1 or (missing and data["kind"] == "extra"):
        raise refusal(dict.fromkeys(missing, "not-a-time"))
    starts, ends = (0, MINUTES_OF_DAY) if missing else (data["starts"], data["ends"])
    return DayException(data["date"], data["kind"], data["zone"] or zone, starts, ends, *_filters(data))


def absence_from(data: dict[str, Any], zone: str) -> Absence:
    """Return the time off that a request describes."""
    return Absence(
        data["zone"] or zone, data["starts_at"], data["ends_at"], data["first_day"], data["last_day"], data["label"]
    )


def _filters(data: dict[str, Any]) -> tuple[Any, Any]:
    portals, services = data["portals"], data["services"]
    return None if portals is None else frozenset(portals), None if services is None else frozenset(services)
