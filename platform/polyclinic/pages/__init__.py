"""A portal's own pages: their files, their addresses, their place in navigation; and the contact form.

What others use: ``portal_file.PagesSection``. Words on pages of other features come through ``web.content``. Outbox:
``contact.written`` with ``{"message_id", "topic"}``.
"""

from __future__ import annotations

from flask import Flask

from polyclinic.web.content import PageName
from polyclinic.web.facts import PRICES, add_block
from polyclinic.web.navigation import add_entries
from polyclinic.web.site import add_public


def init_app(app: Flask) -> None:
    """Serve the pages, list them in navigation, draw the price list where a text asks for it."""
    app.url_map.converters["page"] = PageName
    from polyclinic.pages import views  # noqa: PLC0415  # edges load only where there is an application

    app.register_blueprint(views.blueprint)
    add_entries(app, views.entries)
    add_block(app, PRICES, views.price_list)
    add_public(app, "portal_pages.show")
