"""The specialist's patients over all portals."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.identity import add_scopes
from polyclinic.web.navigation import add_entry


def init_app(app: Flask) -> None:
    """Add the pages and the API of the Specialist Portal."""
    from polyclinic.patients import api, views  # noqa: PLC0415  # edges load only where there is an application

    app.register_blueprint(views.blueprint)
    app.extensions["polyclinic.apis"]["specialists"].register_blueprint(api.blueprint)
    add_scopes(app, "specialists", {"patients:read": _l("Read your patients and your visits with them")})
    add_entry(
        app,
        "specialists",
        "specialists_patients.index",
        _l("Patients"),
        "users",
        order=40,
        needs="signed_in",
        shortcut="g p",
    )
