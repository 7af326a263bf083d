"""What is next and what to do, for specialists."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.web.navigation import add_entry


def init_app(app: Flask) -> None:
    """Add the Specialist Portal's first page."""
    from polyclinic.dashboard import tasks, views  # noqa: PLC0415  # edges load only where there is an application

    app.register_blueprint(views.blueprint)
    tasks.init_app(app)
    more = {"order": 10, "needs": "signed_in", "shortcut": "g d", "live": "actions"}
    add_entry(app, "specialists", "specialists_dashboard.index", _l("Today"), "layout-dashboard", **more)
