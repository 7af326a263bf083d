"""A specialist's time in the Specialist Portal's API (W1): availability rules, exceptions, time off, slots."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, cast

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from polyclinic.calendar import availability, schemas
from polyclinic.calendar.models import AvailabilityException, AvailabilityRule, TimeOff
from polyclinic.calendar.services import get_offer, offer_days
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Invalid, NotFound
from polyclinic.web.api import PageArgs, api_blueprint, fetch_page, idempotent
from polyclinic.web.auth import current_session, require_kind, require_scope
from polyclinic.web.places import PlaceFlask

#: A slot list is asked for a month and a little more at a time.
MOST_DAYS = 62

blueprint = api_blueprint("specialists_calendar_api", "specialists", "The specialist's own time.")


def _reader() -> Actor:
    actor = require_kind("specialist")
    require_scope(actor, "availability:read")
    return actor


def _writer() -> tuple[Actor, str]:
    """Return the specialist and their own zone."""
    actor = require_kind("specialist")
    require_scope(actor, "availability:write")
    return actor, actor.zone or "UTC"


@blueprint.route("/availability-rules")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, schemas.RulePageSchema)
def rules(args: dict[str, Any]) -> dict[str, Any]:
    """List the weekly hours from Monday on."""
    query = select(AvailabilityRule).where(AvailabilityRule.specialist_id == _reader().id)
    keys: list[Any] = [AvailabilityRule.weekday, AvailabilityRule.starts, AvailabilityRule.id]
    items, following = fetch_page(current_session(), query, keys, **args)
    return {"items": items, "next_cursor": following}


@blueprint.route("/availability-rules", methods=["POST"])
@idempotent
@blueprint.arguments(schemas.RuleSchema)
@blueprint.response(201, schemas.ChangedRuleSchema)
def add_rule(data: dict[str, Any]) -> Any:
    """Add weekly hours."""
    actor, zone = _writer()
    return availability.create_rule(current_session(), actor, schemas.rule_from(data, zone))


@blueprint.route("/availability-rules/<uuid:entry_id>")
@blueprint.response(200, schemas.RuleSchema)
def rule(entry_id: uuid.UUID) -> Any:
    """Return weekly hours."""
    return availability.get_own(current_session(), _reader(), AvailabilityRule, entry_id)


@blueprint.route("/availability-rules/<uuid:entry_id>", methods=["PUT"])
@blueprint.arguments(schemas.RuleSchema)
@blueprint.response(200, schemas.ChangedRuleSchema)
def replace_rule(data: dict[str, Any], entry_id: uuid.UUID) -> Any:
    """Replace weekly hours."""
    actor, zone = _writer()
    return availability.update_rule(current_session(), actor, entry_id, schemas.rule_from(data, zone))


@blueprint.route("/availability-rules/<uuid:entry_id>", methods=["DELETE"])
@blueprint.response(200, schemas.DeletedSchema)
def remove_rule(entry_id: uuid.UUID) -> Any:
    """Remove weekly hours."""
    return availability.delete_entry(current_session(), _writer()[0], AvailabilityRule, entry_id)


@blueprint.route("/exceptions")
@blueprint.arguments(schemas.ListQuery, location="query")
@blueprint.response(200, schemas.ExceptionPageSchema)
def exceptions(args: dict[str, Any]) -> dict[str, Any]:
    """List the exceptions by date."""
    since = args.pop("since")
    query = select(AvailabilityException).where(AvailabilityException.specialist_id == _reader().id)
    if since is not None:
        query = query.where(AvailabilityException.date >= since)
    keys: list[Any] = [AvailabilityException.date, AvailabilityException.id]
    items, following = fetch_page(current_session(), query, keys, **args)
    return {"items": items, "next_cursor": following}


@blueprint.route("/exceptions", methods=["POST"])
@idempotent
@blueprint.arguments(schemas.ExceptionSchema)
@blueprint.response(201, schemas.ChangedExceptionSchema)
def add_exception(data: dict[str, Any]) -> Any:
    """Open or close time on one date."""
    actor, zone = _writer()
    return availability.create_exception(current_session(), actor, schemas.exception_from(data, zone))


@blueprint.route("/exceptions/<uuid:entry_id>")
@blueprint.response(200, schemas.ExceptionSchema)
def exception(entry_id: uuid.UUID) -> Any:
    """Return an exception."""
    return availability.get_own(current_session(), _reader(), AvailabilityException, entry_id)


@blueprint.route("/exceptions/<uuid:entry_id>", methods=["PUT"])
@blueprint.arguments(schemas.ExceptionSchema)
@blueprint.response(200, schemas.ChangedExceptionSchema)
def replace_exception(data: dict[str, Any], entry_id: uuid.UUID) -> Any:
    """Replace an exception."""
    actor, zone = _writer()
    return availability.update_exception(current_session(), actor, entry_id, schemas.exception_from(data, zone))


@blueprint.route("/exceptions/<uuid:entry_id>", methods=["DELETE"])
@blueprint.response(200, schemas.DeletedSchema)
def remove_exception(entry_id: uuid.UUID) -> Any:
    """Remove an exception."""
    return availability.delete_entry(current_session(), _writer()[0], AvailabilityException, entry_id)


@blueprint.route("/time-off")
@blueprint.arguments(schemas.ListQuery, location="query")
@blueprint.response(200, schemas.TimeOffPageSchema)
def time_off(args: dict[str, Any]) -> dict[str, Any]:
    """List time off by its beginning."""
    since = args.pop("since")
    query = select(TimeOff).where(TimeOff.specialist_id == _reader().id)
    if since is not None:
        query = query.where(TimeOff.ends_at > dt.datetime.combine(since, dt.time(), dt.UTC))
    keys: list[Any] = [TimeOff.starts_at, TimeOff.id]
    items, following = fetch_page(current_session(), query, keys, **args)
    return {"items": items, "next_cursor": following}


@blueprint.route("/time-off", methods=["POST"])
@idempotent
@blueprint.arguments(schemas.TimeOffSchema)
@blueprint.response(201, schemas.ChangedTimeOffSchema)
def add_time_off(data: dict[str, Any]) -> Any:
    """Take time off; it never fails because of an appointment."""
    actor, zone = _writer()
    return availability.create_time_off(current_session(), actor, schemas.absence_from(data, zone))


@blueprint.route("/time-off/<uuid:entry_id>")
@blueprint.response(200, schemas.TimeOffSchema)
def one_time_off(entry_id: uuid.UUID) -> Any:
    """Return time off."""
    return availability.get_own(current_session(), _reader(), TimeOff, entry_id)


@blueprint.route("/time-off/<uuid:entry_id>", methods=["PUT"])
@blueprint.arguments(schemas.TimeOffSchema)
@blueprint.response(200, schemas.ChangedTimeOffSchema)
def replace_time_off(data: dict[str, Any], entry_id: uuid.UUID) -> Any:
    """Change time off."""
    actor, zone = _writer()
    return availability.update_time_off(current_session(), actor, entry_id, schemas.absence_from(data, zone))


@blueprint.route("/time-off/<uuid:entry_id>", methods=["DELETE"])
@blueprint.response(200, schemas.DeletedSchema)
def remove_time_off(entry_id: uuid.UUID) -> Any:
    """Give time off back."""
    return availability.delete_entry(current_session(), _writer()[0], TimeOff, entry_id)


@blueprint.route("/slots")
@blueprint.arguments(schemas.SlotQuery, location="query")
@blueprint.response(200, schemas.SlotsSchema)
def slots(args: dict[str, Any]) -> dict[str, Any]:
    """Return what one of the specialist's listings offers, as a new patient there would see it."""
    actor, portal = _reader(), cast(PlaceFlask, current_app).places.portal(args["portal"])
    if portal is None or actor.id is None:
        raise NotFound()
    days = (args["until"] - args["first"]).days
    if not 0 < days <= MOST_DAYS:
        message = _l("Expected a day after “from”, at most %(days)s days later.", days=MOST_DAYS)
        raise Invalid("wrong-days", message, fields={"to": message})
    session = current_session()
    offer = get_offer(session, portal.id, portal.settings, actor.id, args["service"])
    found = offer_days(session, offer, args["first"], days, actor.zone or offer.zone)
    return {"items": [slot for day in found.values() for slot in day]}
