"""What a layout says of the place it is on: whose site it is, who is signed in, where one can go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, g, render_template, request
from flask_babel import gettext as _

from polyclinic.kernel.actor import Actor
from polyclinic.web import navigation
from polyclinic.web.auth import PERSON_OF, cookie_name, current_actor
from polyclinic.web.errors import set_error_page
from polyclinic.web.i18n import ZONE_COOKIE, localized
from polyclinic.web.places import current_place
from polyclinic.web.theming import brand_of_portal


@dataclass(frozen=True, slots=True)
class Site:
    """The name and voice of a place; on a portal nothing of it names the network or a sibling (P4)."""

    place: str
    name: str
    tagline: str = ""
    crisis: str = ""
    support_email: str = ""
    support_phone: str = ""


def current_site() -> Site:
    """The site of this request."""
    place = current_place()
    if place.portal is None:
        names = {"specialists": _("Specialist Portal"), "admin": _("Admin console"), "dev": _("Demonstration")}
        return Site(place.name, names.get(place.name, ""))
    brand = brand_of_portal(place.portal)
    return Site(
        place.name,
        brand.name,
        localized(brand.tagline),
        localized(brand.crisis),
        brand.support_email or "",
        brand.support_phone or "",
    )


def reader() -> Actor | None:
    """The signed-in person of this request, or None; an error page asks nobody."""
    if g.get("anonymous") or current_place().name not in PERSON_OF:
        return None
    actor = current_actor()
    return actor if actor.signed_in else None


def zone_chosen() -> bool:
    """Whether this browser or person has a zone already, so that the script need not tell it."""
    actor = g.get("actor")
    return bool(request.cookies.get(cookie_name(ZONE_COOKIE)) or (actor is not None and actor.zone))


def look_chosen() -> str:
    """Light, dark or empty: as kept in this browser."""
    found = request.cookies.get("look", "")
    return found if found in ("light", "dark") else ""


def entries(group: str = "main") -> list[navigation.Entry]:
    """The navigation of this place for this person."""
    return navigation.entries_of(current_place().name, signed_in=reader() is not None, group=group)


def draw_error(status: int, title: str, sentence: str) -> str:
    """Draw an error page in the look of the place; it asks neither for the reader nor the navigation."""
    g.anonymous = True
    return render_template("error.html", status=status, title=title, sentence=sentence)


def init_app(app: Flask) -> None:
    """Teach layouts, and draw error pages."""
    set_error_page(app, draw_error)
    more: dict[str, Any] = {
        "current_site": current_site,
        "reader": reader,
        "zone_chosen": zone_chosen,
        "look_chosen": look_chosen,
        "nav_entries": entries,
    }
    app.jinja_env.globals.update(more)
