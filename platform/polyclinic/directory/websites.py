"""The Websites page of the Specialist Portal: each portal's listing, its rules in words, what it offers (S6)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.directory import offerings, services
from polyclinic.directory.models import Listing, ListingService, PublishedProfile, Service
from polyclinic.directory.notices import Notice, notices_of
from polyclinic.directory.policy import PRICING, pricing_of
from polyclinic.directory.rules import price_of
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import NotFound, Refusal
from polyclinic.kernel.money import Money
from polyclinic.tenancy.places import PortalView
from polyclinic.web.auth import current_session, require, require_kind
from polyclinic.web.places import PlaceFlask, link_to
from polyclinic.web.portal_badges import PortalBadge, badge_of

blueprint = Blueprint("specialists_directory", __name__, subdomain="specialists", template_folder="templates")

OWN_PRICES = ("own", "range")


@dataclass(frozen=True, slots=True)
class Offered:
    """A service of a portal and what the listing makes of it."""

    service: Service
    active: bool
    own: str
    """The specialist's own price in major units as typed, where the portal's policy allows one."""
    price: Money | None
    """What a visit costs; None where it cannot be booked for want of a price."""


@dataclass(frozen=True, slots=True)
class Website:
    """One portal as the specialist sees it."""

    portal: PortalView
    badge: PortalBadge
    listing: Listing
    offered: list[Offered]
    pricing: str
    own_prices: bool
    currency: str
    link: str
    """Address of the public profile, empty while there is none."""
    notices: list[Notice]
    """What else stands in the way, and how to go on."""


@blueprint.get("/websites")
@require("specialist")
def websites() -> str:
    """Show every listing of the specialist."""
    return _page()


@blueprint.post("/websites/<uuid:listing_id>/state")
@require("specialist")
def move(listing_id: uuid.UUID) -> ResponseReturnValue:
    """Pause or resume a listing."""

    def act(session: Session, actor: Actor, listing: Listing) -> None:
        services.move_listing(session, actor, listing.portal_id, listing.id, request.form.get("state", ""))

    return _changed(listing_id, act, _("Your listing has changed."))


@blueprint.post("/websites/<uuid:listing_id>/limits")
@require("specialist")
def limit(listing_id: uuid.UUID) -> ResponseReturnValue:
    """Say whether patients may book directly, and how many there may be."""

    def act(session: Session, actor: Actor, listing: Listing) -> None:
        typed = request.form.get("capacity", "").strip()
        services.set_listing_limits(
            session,
            actor,
            listing.portal_id,
            listing.id,
            accepts_booking="accepts_booking" in request.form,
            capacity=None if not typed else int(typed) if typed.isdecimal() else -1,
        )

    return _changed(listing_id, act, _("Saved."))


@blueprint.post("/websites/<uuid:listing_id>/services")
@require("specialist")
def offer(listing_id: uuid.UUID) -> ResponseReturnValue:
    """Choose services, and set prices where the portal lets specialists set them (E2)."""

    def act(session: Session, actor: Actor, listing: Listing) -> None:
        portal = _portal(listing)
        known = session.scalars(select(ListingService).where(*_of(listing))).all()
        before = {row.service_id: row for row in known}
        offered = []
        for service in session.scalars(select(Service).where(Service.portal_id == listing.portal_id, Service.active)):
            if f"offers-{service.id}" not in request.form:
                continue
            row = before.get(service.id)
            offered.append(
                offerings.OfferedService(
                    service.id,
                    _typed_price(portal, request.form.get(f"price-{service.id}", "")),
                    row.buffer_before_minutes if row else None,
                    row.buffer_after_minutes if row else None,
                )
            )
        offerings.set_listing_services(session, actor, portal, listing.id, offered)

    return _changed(listing_id, act, _("Saved. Patients see it from now on."))


def _typed_price(portal: PortalView, typed: str) -> int | None:
    pricing = pricing_of(portal.settings)
    if not typed.strip() or portal.settings.get(PRICING) not in OWN_PRICES:
        return None
    try:
        return Money.parse(typed.replace(",", "."), pricing.currency).minor
    except ValueError:
        return -1  # no price: the service refuses it with the sentence for this portal


def _changed(listing_id: uuid.UUID, act: Callable[[Session, Actor, Listing], None], said: str) -> ResponseReturnValue:
    actor, session = require_kind("specialist"), current_session()
    listing = _mine(session, actor, listing_id)
    try:
        act(session, actor, listing)
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(listing_id, refusal), refusal.status
    flash(said, "positive")
    return redirect(url_for(".websites", _anchor=f"website-{listing_id}"), 303)


def _mine(session: Session, actor: Actor, listing_id: uuid.UUID) -> Listing:
    found = session.scalars(
        select(Listing).where(Listing.id == listing_id, Listing.specialist_id == actor.id)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def _page(refused: uuid.UUID | None = None, refusal: Refusal | None = None) -> str:
    actor, session = require_kind("specialist"), current_session()
    listings = session.scalars(select(Listing).where(Listing.specialist_id == actor.id)).all()
    shown = [_website(session, listing) for listing in listings if listing.state != "ended"]
    return render_template(
        "directory/websites.html",
        websites=sorted(shown, key=lambda website: website.badge.name),
        states={
            "applied": _("Waiting for approval"),
            "listed": _("Listed"),
            "paused": _("Paused"),
            "rejected": _("Not listed"),
        },
        tones={"applied": "caution", "listed": "positive", "paused": "neutral", "rejected": "critical"},
        refused=refused,
        refusal=refusal,
    )


def _website(session: Session, listing: Listing) -> Website:
    portal = _portal(listing)
    pricing = pricing_of(portal.settings)
    known = {row.service_id: row for row in session.scalars(select(ListingService).where(*_of(listing)))}
    offered = []
    every = select(Service).where(Service.portal_id == portal.id, Service.active).order_by(Service.position)
    for service in session.scalars(every):
        row = known.get(service.id)
        own = row.price_minor if row else None
        offered.append(
            Offered(
                service,
                bool(row and row.active),
                "" if own is None else str(Money(own, pricing.currency).amount),
                price_of(pricing, service.price_minor, own),
            )
        )
    policy = portal.settings.get(PRICING)
    published = session.scalar(select(PublishedProfile.listing_id).where(PublishedProfile.listing_id == listing.id))
    return Website(
        portal,
        badge_of(portal),
        listing,
        offered,
        pricing_words()[policy],
        policy in OWN_PRICES,
        pricing.currency,
        _link(portal, listing) if published else "",
        notices_of(session, require_kind("specialist"), portal, listing),
    )


def pricing_words() -> dict[str, str]:
    """Return the pricing policies in words, for specialists."""
    return {
        "fixed": _("The website sets the prices."),
        "own": _("You set your own prices."),
        "range": _("You set your own prices within the website's range."),
        "free": _("Visits are free of charge."),
    }


def _of(listing: Listing) -> tuple[Any, Any]:
    return ListingService.portal_id == listing.portal_id, ListingService.specialist_id == listing.specialist_id


def _portal(listing: Listing) -> PortalView:
    found = cast(PlaceFlask, current_app).places.portal(listing.portal_id)
    if found is None:
        raise NotFound
    return found


def _link(portal: PortalView, listing: Listing) -> str:
    return link_to(current_app, "portal", portal.host, "portal_directory.profile", listing_id=listing.id)
