"""Themes at work: which look a page has, its templates and its stylesheet (L1).

A template is looked for in the portal's folder, its theme, the theme's parents, plugins, features. Jinja caches
compiled templates by name, so one shared environment leaks one tenant's template to the next (measured): every theme
has an overlay of its own, made once. Views call Flask's `render_template` and get the overlay of their request; mails
and jobs call `render_for`. A theme extends the template it replaces as `{% extends "@base/layout.html" %}`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

from flask import Flask, Response, abort, current_app, g, has_request_context, request
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader

from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.policy import Brand, brand_of
from polyclinic.tenancy.settings import Settings
from polyclinic.web import assets
from polyclinic.web.places import current_place
from polyclinic.web.themes import Theme, read_themes
from polyclinic.web.tokens import Layer, Repair, TokenSet, parse_layer, repair_contrast, stylesheet
from polyclinic.web.tokens.definitions import ATTRIBUTES

log = logging.getLogger(__name__)

PAGED_PLACES: Final = ("portal", "specialists", "admin", "dev")
PLACE_THEMES: Final = {"portal": "base", "specialists": "specialists", "admin": "console", "dev": "console"}
_LOOKS_KEPT: Final = 1024


@dataclass(frozen=True, slots=True)
class Look:
    """What a page looks like: its theme, its tokens after repair, and the stylesheet they make."""

    theme: Theme
    tokens: TokenSet
    css: str
    digest: str
    repairs: tuple[Repair, ...]

    @property
    def attributes(self) -> dict[str, str]:
        """The choices that layouts read from `<html data-…>`."""
        return {name: str(self.tokens.shared[name]) for name in ATTRIBUTES}

    @property
    def stylesheets(self) -> list[str]:
        """Addresses of the token stylesheet's companions: the chain's styles, the most general first, by name."""
        return [
            f"/static/theme/{theme.slug}/{sheet.name}?v={_version(sheet)}"
            for theme in reversed(self.theme.chain)
            for sheet in theme.stylesheets
        ]

    @property
    def colour(self) -> str:
        """The surface colour, for browser chrome and mails."""
        return self.tokens.light["surface"].hex


class Themes:
    """All themes of an installation: their looks and template environments, each made once."""

    def __init__(self, app: Flask, folders: Iterable[Path], tenants: Path | None = None) -> None:
        """Read the themes; `tenants` holds `<portal>/templates` of portals that replace some."""
        self._app = app
        self._tenants = tenants
        self._themes = read_themes(folders)
        self._environments: dict[tuple[str, Path | None], Environment] = {}
        self._looks: OrderedDict[tuple[str, str], Look] = OrderedDict()
        self.looks_by_settings: WeakKeyDictionary[Settings, Look] = WeakKeyDictionary()
        """The look of each settings object in use; forgotten with it."""

    def theme(self, slug: str, otherwise: str = "base") -> Theme:
        """The theme `slug`, or where somebody removed its folder the one `otherwise`, with a warning."""
        if slug not in self._themes:
            log.warning("there is no theme %r; using %r", slug, otherwise)
            return self._themes[otherwise]
        return self._themes[slug]

    def by_digest(self, digest: str) -> Look | None:
        """The look whose stylesheet has this digest, if it was made lately."""
        return next((look for look in self._looks.values() if look.digest == digest), None)

    @property
    def slugs(self) -> list[str]:
        """The themes there are."""
        return sorted(self._themes)

    def look(self, theme: Theme, overrides: Mapping[str, Any]) -> Look:
        """The look of `theme` with a portal's own tokens; raises Invalid where one of those cannot be used."""
        key = (theme.slug, json.dumps(overrides, sort_keys=True, default=str))
        if key in self._looks:
            self._looks.move_to_end(key)
            return self._looks[key]
        own = parse_layer(overrides, "brand.tokens")
        look = self._looks[key] = _make_look(theme, own)
        if len(self._looks) > _LOOKS_KEPT:
            self._looks.popitem(last=False)
        return look

    def environment(self, theme: Theme, portal: str | None = None) -> Environment:
        """The template environment of a theme, or of a portal that has templates of its own."""
        key = (theme.slug, None if portal is None else self.portal_folder(portal))
        if key not in self._environments:
            self._environments[key] = _plain_environment(self._app).overlay(loader=self._loader(theme, key[1]))
        return self._environments[key]

    def portal_folder(self, portal: str) -> Path | None:
        """The folder of templates that a portal has of its own, None where it has none."""
        own = None if self._tenants is None else self._tenants / portal / "templates"
        return own if own is not None and own.is_dir() else None

    def _loader(self, theme: Theme, own: Path | None) -> BaseLoader:
        parents: dict[str, BaseLoader] = {
            f"@{ancestor.slug}": FileSystemLoader(ancestor.folder / "templates") for ancestor in theme.chain
        }
        folders = [*([own] if own else []), *theme.template_folders]
        return ChoiceLoader([FileSystemLoader(folders), PrefixLoader(parents), *_feature_loaders(self._app)])


def _plain_environment(app: Flask) -> Environment:
    return app.base_jinja_env if isinstance(app, ThemedFlask) else app.jinja_env


def _feature_loaders(app: Flask) -> list[BaseLoader]:
    """Templates of blueprints: plugins' before the product's, each in order of registration."""
    blueprints = sorted(app.iter_blueprints(), key=lambda found: found.import_name.split(".")[0] == "polyclinic")
    return [found.jinja_loader for found in blueprints if found.jinja_loader is not None]


def _make_look(theme: Theme, own: Layer) -> Look:
    tokens, repairs = repair_contrast(theme.tokens(own))
    css = stylesheet(tokens)
    return Look(theme, tokens, css, hashlib.sha256(css.encode()).hexdigest()[:16], repairs)


class ThemedFlask(Flask):
    """A Flask whose `jinja_env` is, inside a request, the overlay of that request's theme.

    Flask-Admin, Flask-WTF and `render_template` all ask the app for it, so nothing renders past the theme.
    """

    @cached_property
    def base_jinja_env(self) -> Environment:
        """What all overlays share: filters, tests, globals, extensions."""
        return self.create_jinja_environment()

    @property
    def jinja_env(self) -> Environment:  # type: ignore[override]  # Flask has a cached property; ours depends on the request
        """See the class."""
        if has_request_context() and "polyclinic.themes" in self.extensions and _has_place():
            return request_environment()
        return self.base_jinja_env


def _has_place() -> bool:
    return request.environ.get("polyclinic.place") is not None


def themes() -> Themes:
    """The app's themes."""
    found: Themes = current_app.extensions["polyclinic.themes"]
    return found


def brand_of_portal(portal: PortalView) -> Brand:
    """A portal's brand by its settings; read once for as long as a process believes the same settings."""
    found = _brands.get(portal.settings)
    if found is None:
        found = _brands[portal.settings] = brand_of(portal.settings)
    return found


def look_of_portal(portal: PortalView) -> Look:
    """A portal's look: theme, its own tokens, and light or dark where it allows one only."""
    kept = themes().looks_by_settings
    if portal.settings not in kept:
        brand = brand_of_portal(portal)
        overrides = dict(brand.tokens)
        if brand.scheme != "auto":
            overrides["schemes"] = brand.scheme
        kept[portal.settings] = themes().look(themes().theme(brand.theme), overrides)
    return kept[portal.settings]


def current_look() -> Look:
    """The look of this request's place or portal."""
    if "look" not in g:
        place = current_place()
        if place.portal is not None:
            g.look = look_of_portal(place.portal)
        else:
            g.look = themes().look(themes().theme(PLACE_THEMES.get(place.name, "base")), {})
    look: Look = g.look
    return look


def request_environment() -> Environment:
    """The template environment of this request."""
    portal = current_place().portal
    return themes().environment(current_look().theme, portal.slug if portal else None)


def render_for(look: Look, template: str, portal: str | None = None, **context: Any) -> str:
    """Render a template outside pages, for mails and documents; needs an app context, no request."""
    values = {"look": look, **context}
    return themes().environment(look.theme, portal).get_template(template).render(values)


def serve_tokens(digest: str) -> Response:
    """Serve the stylesheet of this place's tokens; a page from before a change gets the current one, unkept."""
    look = _demonstrated(digest) or current_look()
    response = Response(look.css, mimetype="text/css")
    response.headers["Cache-Control"] = assets.FOREVER if digest == look.digest else "no-cache"
    response.set_etag(look.digest)
    response.make_conditional(request)
    return response


def _demonstrated(digest: str) -> Look | None:
    """The look of a page of components, which shows any theme; only the demonstration's own host has such pages."""
    return themes().by_digest(digest) if current_place().name == "dev" else None


def serve_theme_file(slug: str, path: str) -> Response:
    """Serve a static file of this place's theme or its ancestors; other themes are not there (P4)."""
    chain = current_look().theme.chain
    theme = next((theme for theme in chain if theme.slug == slug), None)
    if theme is None and current_place().name == "dev" and slug in themes().slugs:
        theme = themes().theme(slug)
    if theme is None:
        abort(404)
    return assets.serve_folder(theme.folder / "static", path, request.args.get("v"))


def theme_asset(path: str) -> str:
    """`theme_asset('img/hero.svg')` in templates: the nearest theme of the chain that has it."""
    found = current_look().theme.static_file(path)
    if found is None:
        raise FileNotFoundError(f"no theme of this page has static/{path}")
    return f"/static/theme/{found[0].slug}/{path}?v={_version(found[0].folder / 'static' / path)}"


def icon_sheet() -> str:
    """The sprite that this look's token `icons` chooses: Lucide's outlines, or a weight of Phosphor."""
    chosen = current_look().tokens.shared["icons"]
    return assets.asset("icons.svg" if chosen == "line" else f"icons-{chosen}.svg")


def theme_has(path: str) -> bool:
    """Whether a theme of this page's chain has a static file."""
    return current_look().theme.static_file(path) is not None


_brands: WeakKeyDictionary[Settings, Brand] = WeakKeyDictionary()
_versions: dict[tuple[Path, int], str] = {}


def _version(file: Path) -> str:
    key = (file, file.stat().st_mtime_ns)
    if key not in _versions:
        _versions[key] = assets.version_of(file)
    return _versions[key]


def init_app(app: Flask, folders: Iterable[Path], tenants: Path | None = None) -> None:
    """Read the themes and give each place the rules of its stylesheet and theme files."""
    app.extensions["polyclinic.themes"] = Themes(app, folders, tenants)
    assets.init_app(app, PAGED_PLACES)
    for place in PAGED_PLACES:
        app.add_url_rule(
            "/theme/<string:digest>.css", f"{place}_tokens", serve_tokens, subdomain=place, methods=["GET"]
        )
        app.add_url_rule(
            "/static/theme/<string:slug>/<path:path>",
            f"{place}_theme",
            serve_theme_file,
            subdomain=place,
            methods=["GET"],
        )
    app.jinja_env.globals.update(
        theme_asset=theme_asset, theme_has=theme_has, icon_sheet=icon_sheet, current_look=current_look
    )
