"""Results of browsing as a page says them, in the reader's language: cards, prices, times, addresses, data."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton
from flask import current_app, url_for
from flask_babel import gettext as _

from polyclinic.directory.browsing import Choice, Offered, Profile
from polyclinic.directory.offers import OfferedDay
from polyclinic.directory.rules import PriceRange
from polyclinic.kernel.errors import Refusal
from polyclinic.kernel.ids import digest
from polyclinic.kernel.zones import zone
from polyclinic.tenancy.places import PortalView
from polyclinic.web.formats import part_of_day, reading_locale, say_city, say_clock, say_money, say_time
from polyclinic.web.i18n import current_language, locale_of, localized
from polyclinic.web.places import PlaceFlask, link_to

#: One or two per offset and land: enough for everybody to recognise their own clock. The reader's is always added.
ZONES = (
    "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Denver", "America/Chicago",
    "America/Mexico_City", "America/New_York", "America/Toronto", "America/Bogota", "America/Halifax",
    "America/Santiago", "America/Sao_Paulo", "America/Argentina/Buenos_Aires", "Atlantic/Azores", "Atlantic/Canary",
    "Atlantic/Reykjavik", "Africa/Casablanca", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Berlin",
    "Europe/Vienna", "Europe/Zurich", "Europe/Paris", "Europe/Madrid", "Europe/Rome", "Europe/Amsterdam",
    "Europe/Brussels", "Europe/Copenhagen", "Europe/Stockholm", "Europe/Oslo", "Europe/Warsaw", "Europe/Prague",
    "Europe/Budapest", "Africa/Lagos", "Africa/Cairo", "Africa/Johannesburg", "Europe/Athens", "Europe/Helsinki",
    "Europe/Bucharest", "Europe/Kyiv", "Asia/Jerusalem", "Europe/Istanbul", "Asia/Riyadh", "Africa/Nairobi",
    "Asia/Tehran", "Asia/Dubai", "Asia/Kabul", "Asia/Karachi", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Dhaka",
    "Asia/Bangkok", "Asia/Jakarta", "Asia/Singapore", "Asia/Hong_Kong", "Asia/Shanghai", "Australia/Perth",
    "Asia/Tokyo", "Asia/Seoul", "Australia/Adelaide", "Australia/Brisbane", "Australia/Sydney", "Pacific/Auckland",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """A specialist as the component ``specialist_card`` shows one."""

    name: str
    title: str
    image: str
    href: str
    tags: tuple[str, ...]
    languages: str
    price: str
    next_free: str
    note: str = ""
    """Why there is no next free time for this reader."""
    new: bool = False


def card_of(profile: Profile, where: ZoneInfo, service: str = "", refusal: Refusal | None = None) -> Card:
    """Return the card of somebody in the directory; ``service`` is kept on the way to the profile.

    Who is shown no slots is shown no next free time either (B1).
    """
    free = profile.next_free if refusal is None else None
    more: dict[str, Any] = {"service": service} if service else {}
    return Card(
        name=profile.name,
        title=localized(profile.title),
        image=portrait_url(profile, "s"),
        href=url_for("portal_directory.profile", listing_id=profile.id, **more),
        tags=tuple(topics_of(profile)[:3]),
        languages=languages_text(profile.languages),
        price=price_text(profile.prices),
        next_free=str(say_time(free, None, where.key).text) if free else "",
        note=str(refusal.message) if refusal else "",
    )


def topics_of(profile: Profile) -> list[str]:
    """Return the names of specializations and areas of expertise."""
    return [
        localized(name) for kind in ("specialization", "expertise") for name in profile.words.get(kind, {}).values()
    ]


def portrait_url(profile: Profile, size: str) -> str:
    """Return the address of a portrait on this portal, "" where there are only initials."""
    if profile.portrait is None:
        return ""
    version = portrait_version(str(profile.id), profile.portrait)
    return url_for("portal_directory.portrait", listing_id=profile.id, size=size, v=version)


def portrait_version(listing_id: str, key: str) -> str:
    """Return what names one portrait of one listing; the same picture has another name on a sibling (P4)."""
    return digest(f"{listing_id}:{key}").hex()[:12]


def price_text(prices: PriceRange | None) -> str:
    """Return a price, or from which price on: "€48", "from £55", "free of charge"."""
    if prices is None:
        return ""
    if not prices.high:
        return str(_("Free of charge"))
    if prices.single:
        return say_money(prices.low)
    return str(_("from %(price)s", price=say_money(prices.low)))


def language_name(code: str) -> str:
    """Return the name of a language in the reader's."""
    found = locale_of(code).get_display_name(current_language().locale) or code
    return found[:1].upper() + found[1:]


def languages_text(codes: Sequence[str]) -> str:
    """Return languages in a line: "German, English, Turkish"."""
    return ", ".join(language_name(code) for code in codes)


def options(found: Iterable[Choice], everything: str) -> list[tuple[str, str]]:
    """Return choices of a select, by name, after the one that filters nothing."""
    named = [(one.slug, localized(one.name) if one.name else language_name(one.slug)) for one in found]
    return [("", everything), *sorted(named, key=lambda one: one[1].casefold())]


def zone_options(current: str, home: str, moment: dt.datetime) -> list[tuple[str, str]]:
    """Return zones to choose from with their present offsets, from west to east."""
    names = tuple(dict.fromkeys([*ZONES, home, current]))
    day = moment.replace(minute=0, second=0, microsecond=0)
    return list(_zone_options(names, str(reading_locale()), day))


@functools.lru_cache(maxsize=64)
def _zone_options(names: tuple[str, ...], locale: str, moment: dt.datetime) -> tuple[tuple[str, str], ...]:
    offsets = {name: moment.astimezone(zone(name)).utcoffset() or dt.timedelta() for name in names}
    labels = {name: f"{say_city(name, locale_of(locale))} ({_offset(offsets[name])})" for name in names}
    return tuple((name, labels[name]) for name in sorted(names, key=lambda name: (offsets[name], labels[name])))


def _offset(ahead: dt.timedelta) -> str:
    minutes = int(ahead.total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'−' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")


def days_shown(days: Iterable[OfferedDay], where: ZoneInfo) -> list[dict[str, Any]]:
    """Return days as the component of slots shows them, with wall times of ``where``."""
    locale = reading_locale()
    return [
        {
            "date": day.day.isoformat(),
            "weekday": format_skeleton("EEE", day.day, locale=locale),
            "day": format_skeleton("MMMd", day.day, locale=locale),
            "slots": [
                {
                    "value": slot.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "label": say_clock(slot.start, where.key),
                    "part": part_of_day(slot.start.astimezone(where).hour),
                }
                for slot in day.slots
            ],
        }
        for day in days
    ]


def week_text(days: Sequence[OfferedDay]) -> str:
    """Return from when to when the shown days are: "24–30 Nov 2026" in words of the language."""
    locale = reading_locale()
    first, last = days[0].day, days[-1].day
    begin = format_skeleton("MMMd", first, locale=locale)
    return f"{begin} – {format_skeleton('yMMMd', last, locale=locale)}"


def structured_data(app: PlaceFlask, portal: PortalView, profile: Profile, site_name: str) -> dict[str, Any]:
    """Return a specialist as schema.org understands one (S5); links are built from the portal's own domain."""
    host = portal.host
    address = link_to(app, "portal", host, "portal_directory.profile", listing_id=profile.id)
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Person",
        "@id": address,
        "url": address,
        "name": profile.name,
        "jobTitle": localized(profile.title),
        "description": localized(profile.bio),
        "knowsLanguage": [code.replace("_", "-") for code in profile.languages],
        "knowsAbout": topics_of(profile),
        "worksFor": {"@type": "Organization", "name": site_name, "url": link_to(app, "portal", host, HOME)},
        "makesOffer": [_offer_data(one) for one in profile.bookable],
    }
    if profile.portrait is not None:
        version = portrait_version(str(profile.id), profile.portrait)
        more = {"listing_id": profile.id, "size": "l", "v": version}
        data["image"] = link_to(app, "portal", host, "portal_directory.portrait", **more)
    return {name: value for name, value in data.items() if value}


HOME = "portal_directory.home"


def _offer_data(one: Offered) -> Mapping[str, Any]:
    assert one.price is not None  # noqa: S101  # bookable means priced
    return {
        "@type": "Offer",
        "price": str(one.price.amount),
        "priceCurrency": one.price.currency,
        "itemOffered": {"@type": "Service", "name": localized(one.name), "description": localized(one.summary)},
    }


def application() -> PlaceFlask:
    """Return the running application with its places."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # documented by Flask, untyped
    assert isinstance(app, PlaceFlask)  # noqa: S101  # create_app makes no other
    return app
