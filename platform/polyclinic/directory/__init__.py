"""Who can be found: listings, services, teams, vocabularies, published copies per listing, and the public pages."""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.directory import api, own_api, tasks, views, websites
from polyclinic.identity.tokens import add_scopes
from polyclinic.web import files
from polyclinic.web.navigation import add_entry
from polyclinic.web.site import add_public


def init_app(app: Flask) -> None:
    """Add the public pages of portals, and the APIs of portals and of specialists."""
    files.init_app(app)
    tasks.init_app(app)
    app.register_blueprint(views.blueprint)
    add_public(app, "portal_directory.home", "portal_directory.specialists", "portal_directory.profile")
    app.extensions["polyclinic.apis"]["portal"].register_blueprint(api.blueprint)
    app.extensions["polyclinic.apis"]["specialists"].register_blueprint(own_api.blueprint)
    add_scopes(app, "specialists", own_api.SCOPES)
    add_entry(app, "portal", "portal_directory.specialists", _l("Find a specialist"), icon="search", order=10)
    app.register_blueprint(websites.blueprint)
    shown = {"order": 60, "needs": "signed_in", "shortcut": "g w"}
    add_entry(app, "specialists", "specialists_directory.websites", _l("Websites"), icon="globe", **shown)
