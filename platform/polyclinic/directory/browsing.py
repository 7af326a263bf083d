"""What the public of a portal reads: who can be found, by which words, offering what at which price.

Everything comes from published copies (S3) and names listings only: the results carry no specialist's id, so that no
page and no answer of the API can give one away (P4).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, null, or_, select, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Session

from polyclinic.directory.models import Listing, ListingService, PublishedProfile, Service
from polyclinic.directory.offers import NextFreeSource
from polyclinic.directory.policy import pricing_of
from polyclinic.directory.publishing import sort_name
from polyclinic.directory.rules import PriceRange, Pricing, is_open, price_of, price_range
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.money import Money
from polyclinic.tenancy.places import PortalView
from polyclinic.web.api import fetch_page

Order = Literal["next_free", "name"]
#: Sorts those without a free time last; no calendar reaches so far.
NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
_FACETS = text(
    """
    SELECT kind.key, word.key, (array_agg(word.value))[1], count(*)
      FROM published_profile AS profile, jsonb_each(profile.words) AS kind, jsonb_each(kind.value) AS word
     WHERE profile.portal_id = :portal
     GROUP BY 1, 2
    UNION ALL
    SELECT 'language', spoken.value, NULL, count(*)
      FROM published_profile AS profile, jsonb_array_elements_text(profile.languages) AS spoken
     WHERE profile.portal_id = :portal
     GROUP BY 2
    UNION ALL
    SELECT 'service', service.slug, service.name, count(profile.listing_id)
      FROM service
      JOIN listing_service AS offered ON offered.portal_id = service.portal_id AND offered.service_id = service.id
           AND offered.active
      JOIN published_profile AS profile ON profile.portal_id = offered.portal_id
           AND profile.specialist_id = offered.specialist_id
     WHERE service.portal_id = :portal AND service.active
     GROUP BY service.id
    """
)


@dataclass(frozen=True, slots=True)
class Criteria:
    """What somebody looks for; slugs of words and services, a language code, part of a name."""

    category: str = ""
    topic: str = ""
    """A specialization or an area of expertise."""
    language: str = ""
    service: str = ""
    name: str = ""

    @property
    def given(self) -> dict[str, str]:
        """The criteria that are set."""
        found = {"category": self.category, "topic": self.topic, "language": self.language, "service": self.service}
        return {name: value for name, value in (*found.items(), ("q", self.name)) if value}


@dataclass(frozen=True, slots=True)
class Offered:
    """A service with one specialist: what it is and what it costs; without a price it cannot be booked (E2)."""

    id: uuid.UUID
    slug: str
    name: Mapping[str, str]
    summary: Mapping[str, str]
    minutes: int
    price: Money | None


@dataclass(frozen=True, slots=True)
class Profile:
    """A published specialist of a portal, by the public id of the listing."""

    id: uuid.UUID
    name: str
    title: Mapping[str, str]
    bio: Mapping[str, str]
    languages: Sequence[str]
    words: Mapping[str, Mapping[str, Mapping[str, str]]]
    portrait: str | None
    """What the address of the portrait changes with; None where there are only initials."""
    zone: str
    published_at: dt.datetime
    open: bool
    """Whether somebody new may book: takes bookings and has capacity (S6)."""
    next_free: dt.datetime | None = None
    offered: tuple[Offered, ...] = field(default=())

    @property
    def bookable(self) -> tuple[Offered, ...]:
        """The services that have a price here (E2)."""
        return tuple(one for one in self.offered if one.price is not None)

    @property
    def prices(self) -> PriceRange | None:
        """From the cheapest to the dearest of the services; a free first talk says nothing about the rest."""
        prices = [one.price for one in self.offered if one.price is not None]
        return price_range([price for price in prices if price] or prices)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the directory."""

    profiles: list[Profile]
    total: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that the directory can be filtered by, and how many it leaves."""

    slug: str
    name: Mapping[str, str]
    people: int


@dataclass(frozen=True, slots=True)
class PricedService:
    """A service of the portal with what it costs, whoever offers it."""

    slug: str
    name: Mapping[str, str]
    summary: Mapping[str, str]
    minutes: int
    prices: PriceRange
    people: int


def find_specialists(
    session: Session,
    portal: PortalView,
    source: NextFreeSource | None,
    criteria: Criteria,
    order: Order,
    limit: int,
    cursor: str | None = None,
) -> Found:
    """Return one page of the people who match, with their next free times and prices, in at most four statements."""
    if source is not None:
        source.refresh(session, portal)
    service_id = _service_id(session, portal.id, criteria.service) if criteria.service else None
    wanted = _matches(portal.id, criteria, service_id)
    next_free = None if source is None else source.earliest(portal.id, service_id)
    total = select(func.count()).select_from(PublishedProfile).where(*wanted).scalar_subquery()
    free = case((_open(), next_free.c.next_free_at)) if next_free is not None else _no_time()
    query = _profiles(portal.id).where(*wanted).add_columns(free.label("free"), total.label("total"))
    if next_free is not None:
        query = query.outerjoin(next_free, next_free.c.specialist_id == PublishedProfile.specialist_id)
    first = func.coalesce(free, literal(NEVER, TIMESTAMP(timezone=True)))
    keys = [first if order == "next_free" else PublishedProfile.sort_name, PublishedProfile.listing_id]
    rows, following = fetch_page(session, query, keys, limit=limit, cursor=cursor)
    services = _offered(session, portal, [row[0].specialist_id for row in rows])
    profiles = [_profile(row[0], row[1], row[2], services.get(row[0].specialist_id, ())) for row in rows]
    return Found(profiles, rows[0][3] if rows else 0, following)


def get_profile_page(session: Session, portal: PortalView, listing_id: uuid.UUID) -> Profile:
    """Return a published specialist with the services offered; raises NotFound for anybody else (I2)."""
    row = session.execute(_profiles(portal.id).where(PublishedProfile.listing_id == listing_id)).one_or_none()
    if row is None:
        raise NotFound
    copy = row[0]
    services = _offered(session, portal, [copy.specialist_id])
    return _profile(copy, row[1], None, services.get(copy.specialist_id, ()))


def next_free_of(
    session: Session, portal: PortalView, source: NextFreeSource, listing_id: uuid.UUID, service_id: uuid.UUID
) -> dt.datetime | None:
    """Return the first free time of one service of a listing."""
    source.refresh(session, portal)
    earliest = source.earliest(portal.id, service_id)
    query = (
        select(earliest.c.next_free_at)
        .join(PublishedProfile, PublishedProfile.specialist_id == earliest.c.specialist_id)
        .where(PublishedProfile.portal_id == portal.id, PublishedProfile.listing_id == listing_id)
    )
    found: dt.datetime | None = session.scalar(query)
    return found


def portrait_key(session: Session, portal: PortalView, listing_id: uuid.UUID) -> str | None:
    """Return where the portrait of a visible listing is kept, None where nobody is or it has none."""
    return session.scalar(
        select(PublishedProfile.image_key).where(
            PublishedProfile.portal_id == portal.id, PublishedProfile.listing_id == listing_id
        )
    )


def choices(session: Session, portal: PortalView) -> dict[str, list[Choice]]:
    """Return what this portal's directory can be filtered by, by kind, the most frequent first."""
    found: dict[str, list[Choice]] = {}
    for kind, slug, name, people in session.execute(_FACETS, {"portal": portal.id}):
        found.setdefault(kind, []).append(Choice(slug, name or {}, people))
    for kind in found:
        found[kind].sort(key=lambda one: (-one.people, one.slug))
    return found


def priced_services(session: Session, portal: PortalView) -> list[PricedService]:
    """Return the services that somebody offers, with what they cost from and to."""
    pricing = pricing_of(portal.settings)
    query = (
        select(Service, ListingService.price_minor, func.count())
        .join(ListingService, _serves(Service.portal_id, Service.id))
        .join(PublishedProfile, _is_of(ListingService.portal_id, ListingService.specialist_id))
        .where(Service.portal_id == portal.id, Service.active, ListingService.active)
        .group_by(Service.id, ListingService.price_minor)
        .order_by(Service.position, Service.slug)
    )
    prices: dict[uuid.UUID, list[Money]] = {}
    people: dict[uuid.UUID, int] = {}
    services: dict[uuid.UUID, Service] = {}
    for service, own, count in session.execute(query):
        price = price_of(pricing, service.price_minor, own)
        if price is not None:
            services[service.id] = service
            prices.setdefault(service.id, []).append(price)
            people[service.id] = people.get(service.id, 0) + count
    return [
        PricedService(one.slug, one.name, one.summary, one.duration_minutes, span, people[one.id])
        for one in services.values()
        if (span := price_range(prices[one.id])) is not None
    ]


def _profiles(portal_id: uuid.UUID) -> Select[PublishedProfile, Listing]:
    return (
        select(PublishedProfile, Listing)
        .join(Listing, _is_of(Listing.portal_id, Listing.specialist_id))
        .where(PublishedProfile.portal_id == portal_id)
    )


def _is_of(portal_id: Any, specialist_id: Any) -> ColumnElement[bool]:
    return and_(PublishedProfile.portal_id == portal_id, PublishedProfile.specialist_id == specialist_id)


def _serves(portal_id: Any, service_id: Any) -> ColumnElement[bool]:
    return and_(ListingService.portal_id == portal_id, ListingService.service_id == service_id)


def _open() -> ColumnElement[bool]:
    """``rules.is_open`` in SQL."""
    room = or_(Listing.capacity.is_(None), Listing.active_allocations < Listing.capacity)
    return and_(Listing.accepts_booking, room)


def _no_time() -> ColumnElement[Any]:
    return null().cast(TIMESTAMP(timezone=True))


def _matches(portal_id: uuid.UUID, criteria: Criteria, service_id: uuid.UUID | None) -> list[ColumnElement[bool]]:
    wanted = [PublishedProfile.portal_id == portal_id]
    if criteria.category:
        wanted.append(_has(PublishedProfile.categories, criteria.category))
    if criteria.topic:
        topics = (PublishedProfile.specializations, PublishedProfile.expertise)
        wanted.append(or_(*(_has(column, criteria.topic) for column in topics)))
    if criteria.language:
        wanted.append(_has(PublishedProfile.languages, criteria.language))
    if service_id is not None:
        offers = _is_of(ListingService.portal_id, ListingService.specialist_id)
        wanted.append(exists().where(offers, ListingService.service_id == service_id, ListingService.active))
    wanted += [PublishedProfile.sort_name.contains(word, autoescape=True) for word in sort_name(criteria.name).split()]
    return wanted


def _has(column: Any, slug: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.contains([slug])
    return found


def _service_id(session: Session, portal_id: uuid.UUID, slug: str) -> uuid.UUID:
    """Return the service that is looked for; one that nobody offers where there is none."""
    query = select(Service.id).where(Service.portal_id == portal_id, Service.slug == slug, Service.active)
    return session.scalar(query) or uuid.UUID(int=0)


def _offered(
    session: Session, portal: PortalView, specialist_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, tuple[Offered, ...]]:
    """Return what each of some people offers here, in one statement."""
    if not specialist_ids:
        return {}
    pricing = pricing_of(portal.settings)
    query = (
        select(ListingService, Service)
        .join(Service, _serves(Service.portal_id, Service.id))
        .where(
            ListingService.portal_id == portal.id,
            ListingService.specialist_id.in_(specialist_ids),
            ListingService.active,
            Service.active,
        )
        .order_by(Service.position, Service.slug)
    )
    found: dict[uuid.UUID, tuple[Offered, ...]] = {}
    for row, service in session.execute(query):
        found[row.specialist_id] = (*found.get(row.specialist_id, ()), _offer(pricing, row, service))
    return found


def _offer(pricing: Pricing, row: ListingService, service: Service) -> Offered:
    price = price_of(pricing, service.price_minor, row.price_minor)
    return Offered(service.id, service.slug, service.name, service.summary, service.duration_minutes, price)


def _profile(
    copy: PublishedProfile, listing: Listing, next_free: dt.datetime | None, offered: tuple[Offered, ...]
) -> Profile:
    return Profile(
        id=copy.listing_id,
        name=copy.name,
        title=copy.title,
        bio=copy.bio,
        languages=copy.languages,
        words=copy.words,
        portrait=copy.image_key,
        zone=copy.zone,
        published_at=copy.published_at,
        open=is_open(listing.accepts_booking, listing.capacity, listing.active_allocations),
        next_free=next_free,
        offered=offered,
    )
