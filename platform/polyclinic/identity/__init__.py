"""Patients, specialists and operators as people who sign in: accounts, passwords, mail codes, sign-ins, API tokens.

What others use: ``services`` (accounts, sign-ins, codes, tokens), ``add_registration_step`` and ``on_sign_in`` to take
part from above, ``add_scopes`` for what API tokens may do, and the page ``portal_identity.begin`` as the e-mail step of
a booking: ``url_for("portal_identity.begin", next=…)`` sends a code, signs in or asks for the name, then goes on.
"""

from __future__ import annotations

from flask import Blueprint, Flask
from flask_babel import lazy_gettext as _l

from polyclinic.identity import account_views, api, views
from polyclinic.identity.authenticator import DoorAuthenticator
from polyclinic.identity.passwords import Passwords, set_passwords
from polyclinic.identity.registration import add_registration_step, on_sign_in
from polyclinic.identity.tokens import add_scopes
from polyclinic.web import limits
from polyclinic.web.auth import set_authenticator
from polyclinic.web.db import engine
from polyclinic.web.navigation import add_entry

__all__ = ["add_registration_step", "add_scopes", "init_app", "on_sign_in"]


def init_app(app: Flask) -> None:
    """Say who asks, and add the pages and the API of coming in to each place."""
    settings = app.config["POLYCLINIC"]
    set_passwords(app, Passwords(settings.mode))
    limits.init_app(app, settings)
    with app.app_context():
        set_authenticator(app, DoorAuthenticator(engine()))
    for place in api.PLACES:
        name = f"{place}_identity"
        blueprint = Blueprint(name, __name__, subdomain=place, template_folder="templates")
        views.add_pages(blueprint, place)
        account_views.add_pages(blueprint)
        app.register_blueprint(blueprint)
        more = {"group": "account", "needs": "signed_in"}
        add_entry(app, place, f"{name}.account", _l("Your account"), "circle-user", order=80, **more)
        add_entry(app, place, f"{name}.sign_out", _l("Sign out"), "log-out", order=99, method="POST", **more)
        add_entry(app, place, f"{name}.sign_in", _l("Sign in"), "log-in", order=90, group="account", needs="visitor")
    api.init_app(app)
