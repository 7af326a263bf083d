"""A specialist's time: availability rules, exceptions, time off, computed slots, claims that exclude double booking.

Claims name no portal, patient or cause. Booking and proposals take time through ``services``; the directory reads
stored next free times; the specialist writes availability through ``availability``, on pages and in the API.
"""

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.calendar import views
from polyclinic.calendar.api import blueprint
from polyclinic.calendar.next_free import StoredNextFree
from polyclinic.directory.offers import set_next_free_source
from polyclinic.identity import add_scopes
from polyclinic.web.navigation import add_entry


def init_app(app: Flask) -> None:
    """Tell the directory where next free times are stored; serve the specialist's API and availability editor."""
    set_next_free_source(app, StoredNextFree())
    app.extensions["polyclinic.apis"]["specialists"].register_blueprint(blueprint)
    scopes = {
        "availability:read": _l("Read your hours, exceptions, time off and free times"),
        "availability:write": _l("Change your hours, exceptions and time off"),
    }
    add_scopes(app, "specialists", scopes)
    app.register_blueprint(views.blueprint)
    more = {"order": 50, "needs": "signed_in", "shortcut": "g h"}
    add_entry(app, "specialists", "specialists_calendar.availability", _l("Availability"), "clock", **more)
