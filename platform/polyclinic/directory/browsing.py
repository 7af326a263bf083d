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
#: No service has this id.
NOBODY = uuid.UUID(int=0)
#: Sorts those without a free time last; no calendar reaches so far.
NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
_OVERVIEW = text(
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
    SELECT 'service', service.slug, jsonb_build_object('id', service.id, 'name', service.name, 'summary',
           service.summary, 'minutes', service.duration_minutes, 'position', service.position,
           'price', service.price_minor, 'own', offered.price_minor), count(*)
      FROM service
      JOIN listing_service AS offered ON offered.portal_id = service.portal_id AND offered.service_id = service.id
           AND offered.active
      JOIN published_profile AS profile ON profile.portal_id = offered.portal_id
           AND profile.specialist_id = offered.specialist_id
     WHERE service.portal_id = :portal AND service.active
     GROUP BY service.id, offered.price_minor
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

    id: uuid.UUID
    slug: str
    name: Mapping[str, str]
    summary: Mapping[str, str]
    minutes: int
    prices: PriceRange
    people: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What a portal has as a whole: words and languages to filter by, and its priced services."""

    words: Mapping[str, Sequence[Choice]]
    """By kind (category, specialization, expertise, language), the most frequent first."""
    services: Sequence[PricedService]

    @property
    def choices(self) -> dict[str, Sequence[Choice]]:
        """Everything that the directory can be filtered by."""
        return {**self.words, "service": [Choice(one.slug, one.name, one.people) for one in self.services]}

    def service_id(self, slug: str) -> uuid.UUID | None:
        """Return the service that is looked for; one that nobody offers where there is none, None without a wish."""
        if not slug:
            return None
        return next((one.id for one in self.services if one.slug == slug), NOBODY)


def find_specialists(
    session: Session,
    portal: PortalView,
    source: NextFreeSource | None,
    criteria: Criteria,
    order: Order,
    limit: int,
    cursor: str | None = None,
    service_id: uuid.UUID | None = None,
) -> Found:
    """Return one page of the people who match, with their next free times and prices, in three statements.

    ``service_id`` is what ``overview`` knows of the service that is looked for. The caller has brought the stored times
    of ``source`` up to date (``keeping.directory_version``, or its own ``refresh``).
    """
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


def overview(session: Session, portal: PortalView) -> Overview:
    """Return what a portal has as a whole, in one statement."""
    words: dict[str, list[Choice]] = {}
    offered: dict[str, list[tuple[dict[str, Any], int]]] = {}
    for kind, slug, facts, people in session.execute(_OVERVIEW, {"portal": portal.id}):
        if kind == "service":
            offered.setdefault(slug, []).append((facts, people))
        else:
            words.setdefault(kind, []).append(Choice(slug, facts or {}, people))
    for found in words.values():
        found.sort(key=lambda one: (-one.people, one.slug))
    pricing = pricing_of(portal.settings)
    by_position = sorted(offered, key=lambda slug: (offered[slug][0][0]["position"], slug))
    services = (_priced(pricing, slug, offered[slug]) for slug in by_position)
    return Overview(words, [service for service in services if service is not None])


def _priced(pricing: Pricing, slug: str, offered: Sequence[tuple[dict[str, Any], int]]) -> PricedService | None:
    prices = [(price_of(pricing, facts["price"], facts["own"]), people) for facts, people in offered]
    span = price_range([price for price, _ in prices if price is not None])
    if span is None:
        return None
    facts = offered[0][0]
    return PricedService(
        id=uuid.UUID(facts["id"]),
        slug=slug,
        name=facts["name"],
        summary=facts["summary"],
        minutes=facts["minutes"],
        prices=span,
        people=sum(people for price, people in prices if price is not None),
    )


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
