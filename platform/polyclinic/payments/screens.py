"""Pages and APIs of money, wired into their places, and the job that renders receipts."""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.identity.tokens import add_scopes
from polyclinic.payments import money_api, portal_views, receipt_tasks, specialist_views
from polyclinic.web.navigation import add_entry


def init_app(app: Flask) -> None:
    """Register jobs, blueprints, scopes of tokens, and entries of the navigation."""
    receipt_tasks.init_app(app)
    app.register_blueprint(portal_views.blueprint)
    app.register_blueprint(specialist_views.blueprint)
    apis = app.extensions["polyclinic.apis"]
    apis["portal"].register_blueprint(money_api.portal)
    apis["specialists"].register_blueprint(money_api.specialists)
    apis["admin"].register_blueprint(money_api.admin)
    add_scopes(app, "portal", {money_api.READ: _l("see your payments")})
    own = {money_api.READ: _l("see your transactions"), money_api.BILLING: _l("change your billing details")}
    add_scopes(app, "specialists", own)
    add_scopes(app, "admin", {money_api.READ: _l("see charges and refunds")})
    add_entry(app, "portal", "portal_payments.index", _l("Payments"), "receipt", order=40, needs="signed_in")
    add_entry(
        app,
        "specialists",
        "specialists_transactions.index",
        _l("Transactions"),
        "wallet",
        order=50,
        needs="signed_in",
        shortcut="g t",
    )
    add_entry(
        app,
        "specialists",
        "specialists_transactions.billing",
        _l("Billing details"),
        "receipt",
        group="account",
        order=45,
        needs="signed_in",
    )
