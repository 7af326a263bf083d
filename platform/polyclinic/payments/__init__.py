"""What a visit costs and by which payment model; it knows a cause, never an appointment.

Accounts of specialists at payment providers, and the inbox of what providers send, are here too: ``accounts``,
``inbox``, ``references``. Outbox: ``account.changed`` with ``{"specialist_id"}``.
"""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.directory.notices import add_notice
from polyclinic.identity.tokens import add_scopes
from polyclinic.web.navigation import add_entry


def init_app(app: Flask) -> None:
    """Add the pages and APIs of money, the page on which specialists connect accounts, and the inbox's worker."""
    from polyclinic.payments import (  # noqa: PLC0415  # edges load only with an app
        account_api,
        account_views,
        inbox,
        screens,
    )

    inbox.init_app(app)
    app.register_blueprint(account_views.blueprint)
    app.extensions["polyclinic.apis"]["specialists"].register_blueprint(account_api.blueprint)
    screens.init_app(app)
    add_scopes(app, "specialists", {"accounts:read": _l("See whether your payment accounts are ready")})
    add_notice(app, account_views.website_notice)
    shown = {"order": 45, "needs": "signed_in", "group": "account"}
    add_entry(app, "specialists", "specialists_accounts.index", _l("Getting paid"), "credit-card", **shown)
