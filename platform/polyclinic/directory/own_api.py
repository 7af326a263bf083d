"""A specialist's own listings and profile in the Specialist Portal's API (W1)."""

from __future__ import annotations

import uuid
from typing import Any, cast

from flask import current_app, request
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.directory import offerings, profiles, schemas, services
from polyclinic.directory.models import Listing, ListingService, SpecialistProfile
from polyclinic.directory.portraits import MOST_BYTES
from polyclinic.directory.rules import REVIEWED_FIELDS, waiting_fields
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Invalid, NotFound
from polyclinic.tenancy.places import PortalView
from polyclinic.web.api import PageArgs, api_blueprint, fetch_page, idempotent
from polyclinic.web.auth import current_session, require_kind, require_scope
from polyclinic.web.files import files
from polyclinic.web.places import PlaceFlask, link_to

blueprint = api_blueprint("specialists_directory_api", "specialists", "The specialist's own listings and profile.")

SCOPES = {
    "listings:read": _l("See your listings and what they offer"),
    "listings:write": _l("Change your listings and what they offer"),
    "profile:read": _l("See your profile"),
    "profile:write": _l("Change your profile"),
}


def _actor(scope: str) -> tuple[Actor, uuid.UUID]:
    actor = require_kind("specialist")
    require_scope(actor, scope)
    if actor.id is None:
        raise NotFound
    return actor, actor.id


def _app() -> PlaceFlask:
    return cast(PlaceFlask, current_app)


@blueprint.route("/listings")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, schemas.ListingPageSchema)
def listings(args: dict[str, Any]) -> dict[str, Any]:
    """List the specialist's listings on all portals."""
    _, me = _actor("listings:read")
    session = current_session()
    query = select(Listing).where(Listing.specialist_id == me)
    rows, following = fetch_page(session, query, [Listing.created_at, Listing.id], **args)
    profile = profiles.get_profile(session, me)
    return {"items": [_shown(row, profile) for row in rows], "next_cursor": following}


@blueprint.route("/listings", methods=["POST"])
@idempotent
@blueprint.arguments(schemas.ApplicationSchema)
@blueprint.response(201, schemas.ListingSchema)
def apply(data: dict[str, Any]) -> dict[str, Any]:
    """Apply for a listing on a portal."""
    actor, me = _actor("listings:write")
    portal = next((view for view in _app().places.portals() if view.slug == data["portal"]), None)
    if portal is None:
        raise NotFound
    session = current_session()
    listing = services.apply_for_listing(session, actor, portal)
    return _shown(listing, profiles.get_profile(session, me))


@blueprint.route("/listings/<uuid:listing_id>", methods=["PATCH"])
@blueprint.arguments(schemas.ListingChangeSchema)
@blueprint.response(200, schemas.ListingSchema)
def change_listing(data: dict[str, Any], listing_id: uuid.UUID) -> dict[str, Any]:
    """Pause, resume or end a listing, and say how many patients it takes."""
    actor, me = _actor("listings:write")
    session = current_session()
    listing = _mine(session, listing_id)
    if {"accepts_booking", "capacity"} & set(data):
        limits: dict[str, Any] = {"accepts_booking": listing.accepts_booking, "capacity": listing.capacity}
        limits |= {name: value for name, value in data.items() if name in limits}
        listing = services.set_listing_limits(session, actor, listing.portal_id, listing_id, **limits)
    if "state" in data and data["state"] != listing.state:
        listing = services.move_listing(session, actor, listing.portal_id, listing_id, data["state"])
    return _shown(listing, profiles.get_profile(session, me))


@blueprint.route("/listings/<uuid:listing_id>/services")
@blueprint.response(200, schemas.ListingServicesSchema)
def listing_services(listing_id: uuid.UUID) -> dict[str, Any]:
    """Return what a listing offers."""
    _actor("listings:read")
    listing = _mine(current_session(), listing_id)
    query = select(ListingService).where(
        ListingService.portal_id == listing.portal_id,
        ListingService.specialist_id == listing.specialist_id,
        ListingService.active,
    )
    return {"items": current_session().scalars(query).all()}


@blueprint.route("/listings/<uuid:listing_id>/services", methods=["PUT"])
@blueprint.arguments(schemas.ListingServicesSchema)
@blueprint.response(200, schemas.ListingServicesSchema)
def replace_listing_services(data: dict[str, Any], listing_id: uuid.UUID) -> dict[str, Any]:
    """Replace what a listing offers; prices as the portal's policy allows (E2)."""
    actor, _ = _actor("listings:write")
    listing = _mine(current_session(), listing_id)
    offered = [offerings.OfferedService(**one) for one in data["items"]]
    rows = offerings.set_listing_services(current_session(), actor, _portal(listing), listing_id, offered)
    return {"items": rows}


@blueprint.route("/profile")
@blueprint.etag
@blueprint.response(200, schemas.SpecialistProfileSchema)
def profile() -> Any:
    """Return the specialist's profile."""
    _, me = _actor("profile:read")
    found = profiles.get_profile(current_session(), me)
    if found is None:
        raise NotFound
    return found


@blueprint.route("/profile", methods=["PATCH"])
@blueprint.arguments(schemas.SpecialistProfileChangeSchema)
@blueprint.response(200, schemas.SpecialistProfileSchema)
def change_profile(data: dict[str, Any]) -> Any:
    """Change the given fields; what needs no review goes live on every portal at once (S3)."""
    actor, me = _actor("profile:write")
    return profiles.save_profile(current_session(), actor, me, data)


@blueprint.route("/profile/portrait", methods=["PUT"])
@blueprint.response(204)
def replace_portrait() -> Any:
    """Replace the portrait by the JPEG, PNG or WebP file that is the body of the request."""
    actor, me = _actor("profile:write")
    request.max_content_length = MOST_BYTES + 1
    content = request.get_data()
    if not content:
        message = _l("Expected the picture as the body of the request.")
        raise Invalid("image-missing", message, fields={"image": message})
    profiles.set_portrait(current_session(), actor, files(), me, content)


def _mine(session: Session, listing_id: uuid.UUID) -> Listing:
    found = session.scalars(select(Listing).where(Listing.id == listing_id)).one_or_none()
    if found is None:
        raise NotFound
    return found


def _portal(listing: Listing) -> PortalView:
    portal = _app().places.portal(listing.portal_id)
    if portal is None:
        raise NotFound
    return portal


def _shown(listing: Listing, profile: SpecialistProfile | None) -> dict[str, Any]:
    portal = _portal(listing)
    address = link_to(_app(), "portal", portal.host, "portal_directory.profile", listing_id=listing.id)
    own = {name: getattr(profile, name) for name in REVIEWED_FIELDS} if profile else {}
    names = ("id", "state", "state_reason", "accepts_booking", "capacity", "active_allocations")
    return {
        **{name: getattr(listing, name) for name in names},
        "portal": portal.slug,
        "portal_name": portal.name,
        "waiting": waiting_fields(own, listing.approved) if listing.approved else [],
        "url": address if listing.state == "listed" else None,
    }
