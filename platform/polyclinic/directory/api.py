"""The directory in the API of a portal (W1): specialists, their free times, services. Everybody may read it."""

from __future__ import annotations

import uuid
from typing import Any

from flask_babel import lazy_gettext as _l

from polyclinic.directory import browsing, schemas
from polyclinic.directory.browsing import Criteria, Order
from polyclinic.directory.offers import next_free_source, slot_offers
from polyclinic.directory.policy import ORDER
from polyclinic.kernel.errors import Invalid, NotFound, Refusal
from polyclinic.kernel.zones import is_zone
from polyclinic.tenancy.policy import TIME_ZONE
from polyclinic.web.api import api_blueprint
from polyclinic.web.auth import current_actor, current_session
from polyclinic.web.places import current_portal

#: Slots are asked for a month and a little more at a time.
MOST_DAYS = 62

blueprint = api_blueprint("portal_directory_api", "portal", "Who can be found, what they offer, when they are free.")


@blueprint.route("/specialists")
@blueprint.arguments(schemas.DirectoryQuery, location="query")
@blueprint.response(200, schemas.SpecialistPageSchema)
def specialists(args: dict[str, Any]) -> dict[str, Any]:
    """List specialists, by next free time unless asked or configured otherwise."""
    portal = current_portal()
    order: Order = "name" if (args["order"] or portal.settings.get(ORDER)) == "name" else "next_free"
    criteria = Criteria(*(args[name] for name in ("category", "topic", "language", "service", "name")))
    session, source = current_session(), next_free_source()
    service_id = browsing.overview(session, portal).service_id(criteria.service) if criteria.service else None
    if source is not None:
        source.refresh(session, portal)
    found = browsing.find_specialists(
        session, portal, source, criteria, order, args["limit"], args["cursor"], service_id
    )
    return {"items": found.profiles, "total": found.total, "next_cursor": found.cursor}


@blueprint.route("/specialists/<uuid:listing_id>")
@blueprint.etag
@blueprint.response(200, schemas.SpecialistDetailSchema)
def specialist(listing_id: uuid.UUID) -> Any:
    """Return one specialist."""
    return browsing.get_profile_page(current_session(), current_portal(), listing_id)


@blueprint.route("/specialists/<uuid:listing_id>/slots")
@blueprint.arguments(schemas.SlotQuery, location="query")
@blueprint.response(200, schemas.OfferedSlotsSchema)
def slots(args: dict[str, Any], listing_id: uuid.UUID) -> dict[str, Any]:
    """Return the slots that this reader is offered; 409 with the reason where there are none for them (B1)."""
    portal, days = current_portal(), (args["until"] - args["first"]).days
    zone = args["zone"] or portal.settings.get(TIME_ZONE)
    wrong: dict[str, Any] = {}
    if not 0 < days <= MOST_DAYS:
        wrong["to"] = _l("Expected a day after “from”, at most %(days)s days later.", days=MOST_DAYS)
    if not is_zone(zone):
        wrong["zone"] = _l("Expected a time zone such as Europe/Berlin.")
    if wrong:
        raise Invalid("wrong-slots", _l("Some fields are missing or wrong."), fields=wrong)
    offers = slot_offers()
    if offers is None:
        raise NotFound
    ask = (current_session(), current_actor(), portal, listing_id, args["service"])
    found = offers.slots(*ask, args["first"], days, zone)
    if isinstance(found, Refusal):
        raise found
    return {"items": [slot for day in found.days for slot in day.slots], "last_day": found.last_day}


@blueprint.route("/services")
@blueprint.response(200, schemas.ServiceSchema(many=True))
def services() -> Any:
    """List the services that can be booked, with what they cost."""
    return browsing.overview(current_session(), current_portal()).services
