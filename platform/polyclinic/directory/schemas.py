"""Shapes of the directory in the API: of portals (public, in the reader's language) and of the Specialist Portal."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from polyclinic.directory.browsing import Profile
from polyclinic.directory.models import SpecialistProfile
from polyclinic.directory.rules import EXPECTED_FIELDS, completeness
from polyclinic.directory.showing import portrait_url, price_text
from polyclinic.web.api import ApiSchema, PageArgs
from polyclinic.web.i18n import localized

UTC: dict[str, Any] = {"metadata": {"description": "UTC"}}


class PriceSchema(ApiSchema):
    """An amount in minor units (cents; yen are their own) of the portal's currency."""

    minor = fields.Integer(required=True)
    currency = fields.String(required=True)


class WordSchema(ApiSchema):
    """A word of the vocabularies."""

    kind = fields.String()
    slug = fields.String()
    name = fields.String()


class ServiceSchema(ApiSchema):
    """A service of the portal, and what it costs from and to with those who offer it."""

    slug = fields.String()
    name = fields.Function(lambda one: localized(one.name))
    summary = fields.Function(lambda one: localized(one.summary))
    minutes = fields.Integer()
    price_from = fields.Nested(PriceSchema, attribute="prices.low")
    price_to = fields.Nested(PriceSchema, attribute="prices.high")


class OfferedSchema(ApiSchema):
    """A service with one specialist; without a price it cannot be booked (E2)."""

    id = fields.UUID()
    slug = fields.String()
    name = fields.Function(lambda one: localized(one.name))
    summary = fields.Function(lambda one: localized(one.summary))
    minutes = fields.Integer()
    price = fields.Nested(PriceSchema, allow_none=True)


class SpecialistSchema(ApiSchema):
    """A specialist of the portal; the id is the listing's (P4)."""

    id = fields.UUID()
    name = fields.String()
    title = fields.Function(lambda one: localized(one.title))
    languages = fields.List(fields.String())
    words = fields.Function(lambda one: words_of(one))
    portrait = fields.Function(lambda one: portrait_url(one, "l") or None)
    open = fields.Boolean(metadata={"description": "whether somebody new may book"})
    next_free = fields.AwareDateTime(allow_none=True, **UTC)
    price = fields.Function(lambda one: price_text(one.prices) or None)
    services = fields.List(fields.Nested(OfferedSchema), attribute="offered")


class SpecialistDetailSchema(SpecialistSchema):
    """The same with the biography; next free times are those of the slots."""

    class Meta(ApiSchema.Meta):
        """Known by the list only."""

        exclude = ("next_free",)

    bio = fields.Function(lambda one: localized(one.bio))
    zone = fields.String(metadata={"description": "IANA name of the specialist's zone"})


class SpecialistPageSchema(ApiSchema):
    """A page of the directory."""

    items = fields.List(fields.Nested(SpecialistSchema))
    total = fields.Integer()
    next_cursor = fields.String(allow_none=True)


class DirectoryQuery(PageArgs):
    """What somebody looks for: slugs of words and services, a language code, part of a name."""

    category = fields.String(load_default="", validate=validate.Length(max=80))
    topic = fields.String(load_default="", validate=validate.Length(max=80))
    language = fields.String(load_default="", validate=validate.Length(max=20))
    service = fields.String(load_default="", validate=validate.Length(max=80))
    name = fields.String(data_key="q", load_default="", validate=validate.Length(max=80))
    order = fields.String(load_default=None, validate=validate.OneOf(("next_free", "name")))


class SlotQuery(ApiSchema):
    """Slots of one service from a day until before another, on the calendar of ``zone`` (the portal's by default)."""

    service = fields.UUID(required=True)
    first = fields.Date(data_key="from", required=True)
    until = fields.Date(data_key="to", required=True)
    zone = fields.String(load_default=None)


class OfferedSlotSchema(ApiSchema):
    """A time that this reader may choose."""

    start = fields.AwareDateTime(**UTC)
    end = fields.AwareDateTime(**UTC)


class OfferedSlotsSchema(ApiSchema):
    """Slots in order; after ``last_day`` the portal offers none yet."""

    items = fields.List(fields.Nested(OfferedSlotSchema))
    last_day = fields.Date()


class ListingServiceSchema(ApiSchema):
    """A service that a listing offers; null means the portal's own price or buffers."""

    service = fields.UUID(attribute="service_id", required=True)
    price_minor = fields.Integer(load_default=None, allow_none=True, strict=True)
    buffer_before_minutes = fields.Integer(load_default=None, allow_none=True, strict=True)
    buffer_after_minutes = fields.Integer(load_default=None, allow_none=True, strict=True)


class ListingServicesSchema(ApiSchema):
    """What a listing offers."""

    items = fields.List(fields.Nested(ListingServiceSchema), required=True, validate=validate.Length(max=100))


class ListingSchema(ApiSchema):
    """One of the specialist's own listings, and where its public page is."""

    id = fields.UUID()
    portal = fields.String(metadata={"description": "slug"})
    portal_name = fields.String()
    state = fields.String()
    state_reason = fields.String(allow_none=True)
    accepts_booking = fields.Boolean()
    capacity = fields.Integer(allow_none=True)
    active_allocations = fields.Integer()
    waiting = fields.List(fields.String(), metadata={"description": "fields of the profile that wait for the portal"})
    url = fields.String(allow_none=True)


class ListingPageSchema(ApiSchema):
    """The specialist's listings."""

    items = fields.List(fields.Nested(ListingSchema))
    next_cursor = fields.String(allow_none=True)


class ListingChangeSchema(ApiSchema):
    """What a specialist changes of a listing: pause, resume or end it, and how many patients it takes."""

    state = fields.String(validate=validate.OneOf(("listed", "paused", "ended")))
    accepts_booking = fields.Boolean()
    capacity = fields.Integer(allow_none=True, strict=True)


class ApplicationSchema(ApiSchema):
    """An application for a listing."""

    portal = fields.String(required=True, metadata={"description": "slug"})


_TEXTS: dict[str, Any] = {"keys": fields.String(), "values": fields.String()}


class SpecialistProfileChangeSchema(ApiSchema):
    """What a specialist changes of their profile; texts per language."""

    title = fields.Dict(**_TEXTS)
    bio = fields.Dict(**_TEXTS)
    languages = fields.List(fields.String())
    categories = fields.List(fields.String())
    specializations = fields.List(fields.String())
    expertise = fields.List(fields.String())
    credentials = fields.List(fields.Dict(**_TEXTS))


class SpecialistProfileSchema(SpecialistProfileChangeSchema):
    """The specialist's own profile."""

    completeness = fields.Function(lambda one: completeness_of(one), metadata={"description": "percent"})
    changed_at = fields.AwareDateTime(dump_only=True, **UTC)


def words_of(profile: Profile) -> list[dict[str, str]]:
    """Return the words somebody is found by, in the reader's language."""
    return [
        {"kind": kind, "slug": slug, "name": localized(name)}
        for kind in ("category", "specialization", "expertise")
        for slug, name in profile.words.get(kind, {}).items()
    ]


def completeness_of(profile: SpecialistProfile) -> int:
    """Return how complete a profile is, in percent."""
    return completeness({name: getattr(profile, name) for name in EXPECTED_FIELDS})
