"""The public site of the Specialist Portal (S0): whom it is for, which portals look for people, and an enquiry form.

What others use: ``views.landing`` draws the front page for visitors. Outbox: ``enquiry.written`` with the enquiry's id.
"""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.web.navigation import add_entry
from polyclinic.web.site import add_public


def init_app(app: Flask) -> None:
    """Serve the enquiry form, and let visitors find it."""
    from polyclinic.enquiries import views  # noqa: PLC0415  # edges load only where there is an application

    app.register_blueprint(views.blueprint)
    add_public(app, "specialists_dashboard.welcome", "specialists_enquiries.enquire")
    shown = {"order": 20, "needs": "visitor"}
    add_entry(app, "specialists", "specialists_enquiries.enquire", _l("Work with us"), "user-plus", **shown)
