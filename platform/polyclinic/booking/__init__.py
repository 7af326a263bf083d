"""From a slot to a visit that took place: holds, appointments and their one table of transitions."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.web.navigation import add_entry


def init_app(app: Flask) -> None:
    """Add the specialist's calendar and appointments."""
    from polyclinic.booking import specialist_views  # noqa: PLC0415  # edges load only where there is an application

    app.register_blueprint(specialist_views.blueprint)
    shown = {"order": 20, "needs": "signed_in", "shortcut": "g c"}
    add_entry(app, "specialists", "specialists_booking.calendar", _l("Calendar"), "calendar", **shown)
    shown = {"order": 30, "needs": "signed_in", "shortcut": "g a", "live": "upcoming"}
    add_entry(app, "specialists", "specialists_booking.index", _l("Appointments"), "list", **shown)
