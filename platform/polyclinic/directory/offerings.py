"""What can be booked: the services of a portal, and which of them a listing offers at what price (E2, C3)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.directory.models import ListingService, Service
from polyclinic.directory.policy import pricing_of
from polyclinic.directory.rules import refuse_price
from polyclinic.directory.services import get_listing, require_operator
from polyclinic.directory.words import SLUG
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Invalid, NotFound
from polyclinic.kernel.transactions import transactional
from polyclinic.tenancy.places import PortalView


@dataclass(frozen=True, slots=True)
class ServiceTerms:
    """A service as a portal describes it; lengths in minutes, the price in minor units of the portal's currency."""

    slug: str
    name: Mapping[str, str]
    duration_minutes: int
    summary: Mapping[str, str] = field(default_factory=dict)
    price_minor: int | None = None
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    position: int = 0
    active: bool = True


@dataclass(frozen=True, slots=True)
class OfferedService:
    """A service that a listing offers: its price in minor units and its buffers, None for the portal's."""

    service_id: uuid.UUID
    price_minor: int | None = None
    buffer_before_minutes: int | None = None
    buffer_after_minutes: int | None = None


@transactional
def save_service(session: Session, actor: Actor, portal_id: uuid.UUID, terms: ServiceTerms) -> Service:
    """Add a service to a portal, or change the one with this slug; raises Invalid per field.

    Appointments keep what was agreed: they copy name, length and price.
    """
    require_operator(actor, portal_id)
    wrong = _wrong_terms(terms)
    if wrong:
        raise Invalid("service", _l("This service cannot be saved like this."), fields=wrong)
    service = session.scalars(
        select(Service).where(Service.portal_id == portal_id, Service.slug == terms.slug)
    ).one_or_none()
    if service is None:
        service = Service(portal_id=portal_id, slug=terms.slug)
        session.add(service)
    service.name, service.summary = dict(terms.name), dict(terms.summary)
    service.duration_minutes, service.price_minor = terms.duration_minutes, terms.price_minor
    service.buffer_before_minutes = terms.buffer_before_minutes
    service.buffer_after_minutes = terms.buffer_after_minutes
    service.position, service.active = terms.position, terms.active
    session.flush()
    record(session, actor, "service.saved", "service", service.id, portal_id=portal_id, detail={"slug": terms.slug})
    return service


def _wrong_terms(terms: ServiceTerms) -> dict[str, object]:
    wrong: dict[str, object] = {}
    if not SLUG.fullmatch(terms.slug):
        wrong["slug"] = _l("Expected small letters, digits and hyphens, such as “first-visit”.")
    if not terms.name or not all(text.strip() for text in terms.name.values()):
        wrong["name"] = _l("Expected a name in at least one language.")
    if not 5 <= terms.duration_minutes <= 480:
        wrong["duration_minutes"] = _l("Expected a length from 5 minutes to 8 hours.")
    for name in ("buffer_before_minutes", "buffer_after_minutes"):
        if not 0 <= getattr(terms, name) <= 240:
            wrong[name] = _l("Expected a buffer of up to 4 hours.")
    if terms.price_minor is not None and terms.price_minor < 0:
        wrong["price_minor"] = _l("A price is zero or more.")
    return wrong


@transactional
def set_listing_services(
    session: Session, actor: Actor, portal: PortalView, listing_id: uuid.UUID, offered: Sequence[OfferedService]
) -> list[ListingService]:
    """Make ``offered`` what a listing offers from now on; what is left out is switched off, never deleted.

    Raises Invalid with one message per service slug where a price is not this specialist's to make (E2).
    """
    listing = get_listing(session, portal.id, listing_id)
    services = {
        service.id: service for service in session.scalars(select(Service).where(Service.portal_id == portal.id))
    }
    _refuse_offered(portal, services, offered)
    mine = select(ListingService).where(
        ListingService.portal_id == portal.id, ListingService.specialist_id == listing.specialist_id
    )
    rows = {row.service_id: row for row in session.scalars(mine)}
    for row in rows.values():
        row.active = False
    for one in offered:
        known = rows.get(one.service_id)
        row = known or ListingService(
            portal_id=portal.id, specialist_id=listing.specialist_id, service_id=one.service_id
        )
        row.active, row.price_minor = True, one.price_minor
        row.buffer_before_minutes, row.buffer_after_minutes = one.buffer_before_minutes, one.buffer_after_minutes
        if known is None:
            rows[one.service_id] = row
            session.add(row)
    session.flush()
    detail = {"services": {services[one.service_id].slug: one.price_minor for one in offered}}
    record(session, actor, "listing.services", "listing", listing.id, portal_id=portal.id, detail=detail)
    return [row for row in rows.values() if row.active]


def _refuse_offered(
    portal: PortalView, services: Mapping[uuid.UUID, Service], offered: Sequence[OfferedService]
) -> None:
    if any(one.service_id not in services for one in offered):
        raise NotFound
    pricing = pricing_of(portal.settings)
    wrong: dict[str, object] = {}
    for one in offered:
        refusal = refuse_price(pricing, one.price_minor)
        if refusal is not None:
            wrong[services[one.service_id].slug] = refusal.message
        buffers = (one.buffer_before_minutes, one.buffer_after_minutes)
        if any(buffer is not None and not 0 <= buffer <= 240 for buffer in buffers):
            wrong[services[one.service_id].slug] = _l("Expected a buffer of up to 4 hours.")
    if wrong:
        raise Invalid("services", _l("Some services cannot be offered like this."), fields=wrong)
