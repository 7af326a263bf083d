"""The public pages of a portal: home, directory, profile with free times, portrait."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask_babel import gettext as _

from polyclinic.directory import showing
from polyclinic.directory.browsing import (
    Choice,
    Criteria,
    Offered,
    Order,
    Profile,
    find_specialists,
    get_profile_page,
    next_free_of,
    overview,
    portrait_key,
)
from polyclinic.directory.keeping import directory_version, kept_for_visitors
from polyclinic.directory.offers import OfferedDays, next_free_source, slot_offers
from polyclinic.directory.policy import ORDER
from polyclinic.directory.portraits import SIZES, file_of
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Refusal
from polyclinic.kernel.instants import parse_day
from polyclinic.tenancy.policy import BRAND_INTRODUCTION, TAX_LABEL
from polyclinic.web.auth import current_actor, current_session
from polyclinic.web.content import first_questions, page_href, woven
from polyclinic.web.files import files
from polyclinic.web.i18n import current_zone, localized, portal_zone
from polyclinic.web.places import current_portal
from polyclinic.web.site import current_site

blueprint = Blueprint("portal_directory", __name__, subdomain="portal", template_folder="templates")

ON_HOME, ON_PAGE, DAYS = 3, 12, 7
PORTRAIT_KEPT = 86_400
_WEEK = dt.timedelta(days=DAYS)


@blueprint.get("/")
def home() -> str:
    """Show what this portal is, who is there, what it costs."""
    session, portal = current_session(), current_portal()
    version = directory_version(session, portal, next_free_source())
    kept = kept_for_visitors(portal, (version, tuple(portal.pages), "home"), _home)
    return render_template("directory/home.html", **kept.values, kept=kept.part)


def _home() -> dict[str, Any]:
    """Return what the front page says."""
    session, portal, where = current_session(), current_portal(), current_zone()
    found = find_specialists(session, portal, next_free_source(), Criteria(), "next_free", ON_HOME)
    whole, settings, cards = overview(session, portal), portal.settings, _cards(found.profiles, where)
    words = woven("home")
    return {
        "words": words,
        "questions": first_questions(int(words.part("questions") or 0)),
        "questions_href": page_href("questions"),
        "introduction": words.part("introduction") or localized(settings.get(BRAND_INTRODUCTION)),
        "tax": localized(settings.get(TAX_LABEL)),
        "faces": [(profile, showing.portrait_url(profile, "l")) for profile in found.profiles if profile.portrait],
        "cards": cards,
        "first": next((card.next_free for card in cards if card.next_free), ""),
        "total": found.total,
        "services": [(one, showing.price_text(one.prices)) for one in whole.services],
        "topics": whole.words.get("specialization", [])[:8],
        "zone": where.key,
    }


@blueprint.get("/specialists")
def specialists() -> str:
    """List who can be found, filtered and ordered as the address says."""
    session, portal, where = current_session(), current_portal(), current_zone()
    asked = _criteria(), _order(), request.args.get("cursor") or None, "order" in request.args
    version = directory_version(session, portal, next_free_source())
    kept = kept_for_visitors(
        portal, (version, tuple(portal.pages), "specialists", *asked), lambda: _specialists(*asked)
    )
    zones = showing.zone_options(where.key, portal_zone().key, now(session))
    return render_template("directory/specialists.html", **kept.values, zones=zones, kept=kept.part)


def _specialists(criteria: Criteria, order: Order, cursor: str | None, ordered: bool) -> dict[str, Any]:
    """Return what the directory says; ``ordered`` tells that the address names the order."""
    session, portal, where = current_session(), current_portal(), current_zone()
    whole = overview(session, portal)
    service_id = whole.service_id(criteria.service)
    found = find_specialists(session, portal, next_free_source(), criteria, order, ON_PAGE, cursor, service_id)
    given: dict[str, Any] = {**criteria.given, **({"order": order} if ordered else {})}
    return {
        "words": woven("specialists"),
        "cards": _cards(found.profiles, where, criteria.service),
        "total": found.total,
        "criteria": criteria,
        "order": order,
        "filters": _filters(whole.choices, criteria),
        "next_href": url_for(".specialists", **{**given, "cursor": found.cursor}) if found.cursor else "",
        "first_href": url_for(".specialists", **given) if cursor else "",
        "name_without": url_for(".specialists", **{key: text for key, text in given.items() if key != "q"}),
        "zone": where.key,
    }


@blueprint.get("/specialists/<uuid:listing_id>")
def profile(listing_id: uuid.UUID) -> str:
    """Show one specialist, what they offer, and the free times of the chosen service."""
    session, portal, where = current_session(), current_portal(), current_zone()
    shown = get_profile_page(session, portal, listing_id)
    chosen = _chosen_service(shown)
    times = _times(shown, chosen, where) if chosen else Times()
    site = current_site()
    return render_template(
        "directory/profile.html",
        words=woven("profile"),
        person=shown,
        portrait=showing.portrait_url(shown, "l"),
        topics=showing.topics_of(shown),
        languages=showing.languages_text(shown.languages),
        chosen=chosen,
        times=times,
        hold_url=url_for(offers.hold_endpoint) if (offers := slot_offers()) else "",
        zone=where.key,
        home_zone=portal_zone().key,
        zones=showing.zone_options(where.key, portal_zone().key, now(session)),
        data=showing.structured_data(showing.application(), portal, shown, site.name),
    )


@blueprint.get("/specialists/<uuid:listing_id>/portrait")
def portrait(listing_id: uuid.UUID) -> Response:
    """Serve the portrait of somebody visible as WebP, kept by browsers under the address of this one picture."""
    size = request.args.get("size", "l")
    key = portrait_key(current_session(), current_portal(), listing_id) if size in SIZES else None
    content = files().get(file_of(key, size)) if key else None
    if key is None or content is None:
        abort(404)
    version = showing.portrait_version(str(listing_id), key)
    response = Response(content, mimetype="image/webp")
    response.set_etag(f"{version}-{size}")
    known = request.args.get("v") == version
    response.headers["Cache-Control"] = f"private, max-age={PORTRAIT_KEPT}" if known else "private, no-cache"
    response.make_conditional(request)
    return response


def _cards(profiles: list[Profile], where: ZoneInfo, service: str = "") -> list[showing.Card]:
    """Return cards for this reader; somebody signed in may have specialists who propose their times (B1)."""
    offers, actor = slot_offers(), current_actor()
    refused: Mapping[uuid.UUID, Refusal] = {}
    if offers is not None and actor.signed_in and profiles:
        refused = offers.refusals(current_session(), actor, current_portal(), [profile.id for profile in profiles])
    return [showing.card_of(profile, where, service, refused.get(profile.id)) for profile in profiles]


@dataclass(frozen=True, slots=True)
class Times:
    """The free times on a profile page: days to choose from, or why there are none for this viewer."""

    days: tuple[dict[str, object], ...] = ()
    week: str = ""
    previous_href: str = ""
    next_href: str = ""
    refusal: Refusal | None = None
    empty: bool = True


def _times(shown: Profile, chosen: Offered, where: ZoneInfo) -> Times:
    offers, session, portal = slot_offers(), current_session(), current_portal()
    if offers is None:
        return Times()
    today = now(session).astimezone(where).date()
    asked = parse_day(request.args.get("from"))
    first = max(asked or today, today)
    ask = (session, current_actor(), portal, shown.id, chosen.id)
    found = offers.slots(*ask, first, DAYS, where.key)
    source = next_free_source()
    if asked is None and source is not None and isinstance(found, OfferedDays) and found.empty:
        following = next_free_of(session, portal, source, shown.id, chosen.id)
        if following is not None:  # the first page begins where there is something to choose
            first = following.astimezone(where).date()
            found = offers.slots(*ask, first, DAYS, where.key)
    if isinstance(found, Refusal):
        return Times(refusal=found)
    before, after = max(first - _WEEK, today), first + _WEEK
    return Times(
        days=tuple(showing.days_shown(found.days, where)),
        week=showing.week_text(found.days),
        previous_href=_week_href(shown, chosen, before) if first > today else "",
        next_href=_week_href(shown, chosen, after) if after <= found.last_day else "",
        empty=found.empty,
    )


def _week_href(shown: Profile, chosen: Offered, first: dt.date) -> str:
    more: dict[str, Any] = {"service": chosen.slug, "from": first.isoformat(), "_anchor": "times"}
    return url_for(".profile", listing_id=shown.id, **more)


def _chosen_service(shown: Profile) -> Offered | None:
    wanted = request.args.get("service", "")
    return next((one for one in shown.bookable if one.slug == wanted), next(iter(shown.bookable), None))


def _criteria() -> Criteria:
    args = request.args
    return Criteria(
        category=args.get("category", "")[:80],
        topic=args.get("topic", "")[:80],
        language=args.get("language", "")[:20],
        service=args.get("service", "")[:80],
        name=args.get("q", "").strip()[:80],
    )


def _order() -> Order:
    wanted = request.args.get("order") or current_portal().settings.get(ORDER)
    return "name" if wanted == "name" else "next_free"


@dataclass(frozen=True, slots=True)
class Filter:
    """One select of the directory's form, and the chip that says what it is set to."""

    name: str
    label: str
    options: list[tuple[str, str]]
    value: str
    chosen: str
    without: str
    """The address of the list without this filter."""


def _filters(found: Mapping[str, Sequence[Choice]], criteria: Criteria) -> list[Filter]:
    """Return the filters that leave a choice on this portal; one with a single answer is no question."""
    topics = [*found.get("specialization", []), *found.get("expertise", [])]
    wanted = [
        ("topic", _("Topic"), topics, _("All topics"), criteria.topic),
        ("category", _("Field"), found.get("category", []), _("All fields"), criteria.category),
        ("service", _("Service"), found.get("service", []), _("All services"), criteria.service),
        ("language", _("Language"), found.get("language", []), _("All languages"), criteria.language),
    ]
    filters = []
    for name, label, words, everything, value in wanted:
        shown = showing.options(words, str(everything))
        if len(shown) > 2 or value:
            chosen = dict(shown).get(value, value) if value else ""
            others: dict[str, Any] = {key: text for key, text in criteria.given.items() if key != name}
            without = url_for(".specialists", **others)
            filters.append(Filter(name, str(label), shown, value, chosen, without))
    return filters
