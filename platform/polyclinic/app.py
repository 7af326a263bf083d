"""The only composition root: every feature and plugin is wired here, in the order of the house."""

from __future__ import annotations

from typing import Protocol

from flask import Flask

import polyclinic
from polyclinic import (
    booking,
    calendar,
    consents,
    dashboard,
    directory,
    enquiries,
    identity,
    notifications,
    pages,
    patients,
    payments,
)
from polyclinic.catalogue import settings_catalogue
from polyclinic.config import Settings, read_settings
from polyclinic.hooks.registry import build
from polyclinic.resources import shipped
from polyclinic.tenancy.places import Places
from polyclinic.web import components, db, errors, facts, i18n, security, site, sockets, styleguide, theming
from polyclinic.web.api import make_apis
from polyclinic.web.places import Gate, PlaceFlask, vary_by_host
from polyclinic.web.proxies import BehindProxies
from polyclinic.web.theming import ThemedFlask


class PolyclinicFlask(ThemedFlask, PlaceFlask):
    """Places by host, templates by theme."""


class Feature(Protocol):
    """A package that adds itself to the application."""

    def init_app(self, app: Flask) -> None:
        """Register blueprints, API resources and listeners."""


#: In the order of the house: a later one may build on an earlier one.
FEATURES: tuple[Feature, ...] = (
    identity,
    directory,
    calendar,
    consents,
    payments,
    booking,
    patients,
    pages,
    enquiries,
    notifications,
    dashboard,
)


def create_app(settings: Settings | None = None, *plugins: object) -> PlaceFlask:
    """Build the application for ``settings`` (default: the environment) with ``plugins`` beside the installed ones."""
    settings = settings or read_settings()
    app = PolyclinicFlask("polyclinic", static_folder=None, template_folder=None)
    app.config["POLYCLINIC"] = settings
    app.testing = settings.mode == "test"
    app.extensions["polyclinic.hooks"] = build(*plugins)
    db.init_app(app, settings)
    with app.app_context():
        app.places = Places(db.engine(), settings.domains_fresh_seconds)
    i18n.init_app(app)
    security.init_app(app, settings)
    errors.init_app(app)
    theming.init_app(app, [shipped("themes")], shipped("tenants"))
    components.init_app(app)
    facts.init_app(app, settings_catalogue())
    site.init_app(app)
    styleguide.init_app(app, settings)
    vary_by_host(app)
    app.extensions["polyclinic.apis"] = make_apis(app, polyclinic.__version__)
    for feature in FEATURES:
        feature.init_app(app)
    app.extensions["polyclinic.hooks"].call.register_pages(app=app)
    sockets.init_app(app, settings)
    app.wsgi_app = Gate(app.wsgi_app, app.places)  # type: ignore[method-assign]  # the documented way
    if settings.trusted_proxies:
        app.wsgi_app = BehindProxies(app.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]  # as above
    return app
