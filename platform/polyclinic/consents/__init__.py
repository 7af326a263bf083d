"""Agreements with versions and languages, and what somebody answered to one version.

Registration asks through ``gate``; booking asks through ``services.require_consents``. A status is never stored.
"""

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.identity.registration import add_registration_step
from polyclinic.identity.tokens import add_scopes
from polyclinic.web.navigation import add_entry


def init_app(app: Flask) -> None:
    """Ask at registration, show agreements and one's own consents, serve both in the portal's API."""
    from polyclinic.consents import api, gate, views  # noqa: PLC0415  # edges load only where there is an application

    add_registration_step(app, gate.RegistrationGate())
    app.register_blueprint(views.blueprint)
    app.extensions["polyclinic.apis"]["portal"].register_blueprint(api.blueprint)
    add_scopes(
        app,
        "portal",
        {"consents:read": _l("read your consents"), "consents:write": _l("agree to texts and withdraw consents")},
    )
    add_entry(
        app,
        "portal",
        "portal_consents.index",
        _l("My consents"),
        "shield-check",
        order=60,
        group="account",
        needs="signed_in",
    )
