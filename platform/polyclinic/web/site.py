"""What a layout says of the place it is on: whose site it is, who is signed in, where one can go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from flask import Flask, Response, current_app, g, jsonify, render_template, request
from flask_babel import gettext as _
from markupsafe import escape

from polyclinic.kernel.actor import Actor
from polyclinic.web import navigation
from polyclinic.web.auth import PERSON_OF, cookie_name, current_actor
from polyclinic.web.catalogues import PSEUDO
from polyclinic.web.errors import set_error_page
from polyclinic.web.i18n import LANGUAGE_ARGUMENT, ZONE_COOKIE, current_language, localized, offered_languages
from polyclinic.web.places import PlaceFlask, current_place, link_to
from polyclinic.web.theming import PAGED_PLACES, brand_of_portal, current_look

_PUBLIC = "polyclinic.public"


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


def add_public(app: Flask, *endpoints: str) -> None:
    """Count pages among those that anybody may find and share: search engines hear of each of their languages."""
    app.extensions.setdefault(_PUBLIC, set()).update(endpoints)


def canonical_url(**more: str) -> str:
    """The address of this page on the portal's stored domain, without what only narrows or remembers."""
    place = current_place()
    host = place.portal.host if place.portal is not None else place.host
    app = cast(PlaceFlask, current_app)
    return link_to(app, place.name, host, request.endpoint or "", **{**(request.view_args or {}), **more})


def language_links() -> list[tuple[str, str]]:
    """This page in each of its languages, (hreflang, address); none for pages that are nobody else's business."""
    if request.endpoint not in current_app.extensions.get(_PUBLIC, ()) or g.get("anonymous"):
        return []
    codes = [language for language in offered_languages() if language.code != PSEUDO]
    if len(codes) < 2:
        return []
    links = [(language.tag, canonical_url(**{LANGUAGE_ARGUMENT: language.code})) for language in codes]
    return [*links, ("x-default", canonical_url())]


def draw_error(status: int, title: str, sentence: str) -> str:
    """Draw an error page in the look of the place; it asks neither for the reader nor the navigation."""
    g.anonymous = True
    return render_template("error.html", status=status, title=title, sentence=sentence)


def serve_mark() -> Response:
    """Draw the site's mark for tabs and home screens: its first letter on its accent."""
    look, site = current_look(), current_site()
    colours = look.tokens.light
    radius = min(16, float(str(look.tokens.shared["radius"]).removesuffix("px")))
    response = Response(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
        f'<rect width="64" height="64" rx="{radius * 1.6:g}" fill="{colours["accent"].hex}"/>'
        f'<text x="32" y="44" text-anchor="middle" font-family="system-ui,sans-serif" font-weight="700" '
        f'font-size="36" fill="{colours["accent_text"].hex}">{escape(site.name[:1])}</text></svg>',
        mimetype="image/svg+xml",
    )
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def serve_manifest() -> Response:
    """Say what an installed site is called and looks like (L3; W3C Web Application Manifest)."""
    look, site = current_look(), current_site()
    surface = look.tokens.light["surface"].hex
    response = jsonify(
        {
            "id": "/",
            "name": site.name,
            "short_name": site.name[:12],
            "description": site.tagline,
            "start_url": "/",
            "display": "standalone",
            "background_color": surface,
            "theme_color": surface,
            "lang": current_language().tag,
            "dir": current_language().direction,
            "icons": [{"src": "/theme/mark.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
        }
    )
    response.mimetype = "application/manifest+json"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def init_app(app: Flask) -> None:
    """Teach layouts, and draw error pages."""
    for place in PAGED_PLACES:
        app.add_url_rule(
            "/theme/site.webmanifest", f"{place}_manifest", serve_manifest, subdomain=place, methods=["GET"]
        )
        app.add_url_rule("/theme/mark.svg", f"{place}_mark", serve_mark, subdomain=place, methods=["GET"])
    set_error_page(app, draw_error)
    more: dict[str, Any] = {
        "current_site": current_site,
        "reader": reader,
        "zone_chosen": zone_chosen,
        "look_chosen": look_chosen,
        "nav_entries": entries,
        "language_links": language_links,
        "canonical_url": canonical_url,
    }
    app.jinja_env.globals.update(more)
