"""What a visit costs, by which model, what was paid and what went back; it knows a cause, never an appointment.

What others use: ``services`` (what a patient is told about paying), ``charging`` and ``paying`` (a charge, the intent
to have it paid), ``syncing`` (sync_payment, checkout_url), ``refunding``, ``invoices`` (E5), ``ledger`` (balances),
``causes`` (register_cause: who knows what a charge is for). Accounts of specialists at payment providers, and the inbox
of what providers send, are here too: ``accounts``, ``inbox``, ``references``.

Outbox: ``payment.sync``, ``payment.paid``, ``payment.failed``, ``payment.quarantined`` with ``{"payment_id"}``;
``refund.execute``, ``refund.requested``, ``refund.succeeded``, ``refund.failed`` with ``{"refund_id"}``;
``charge.marked_paid`` with ``{"charge_id"}``; ``account.changed`` with ``{"specialist_id"}``.
"""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.directory.notices import add_notice
from polyclinic.identity.tokens import add_scopes
from polyclinic.web.navigation import add_entry


def init_app(app: Flask) -> None:
    """Add the page on which specialists connect accounts, the APIs, the inbox's worker and the jobs of paying."""
    from polyclinic.payments import (  # noqa: PLC0415  # edges load only where there is an application
        account_api,
        account_views,
        api,
        inbox,
        own_api,
        screens,
        tasks,
    )

    inbox.init_app(app)
    tasks.init_app(app)
    app.register_blueprint(account_views.blueprint)
    apis = app.extensions["polyclinic.apis"]
    apis["portal"].register_blueprint(api.blueprint)
    for blueprint in (account_api.blueprint, own_api.blueprint):
        apis["specialists"].register_blueprint(blueprint)
    screens.init_app(app)
    may = {"accounts:read": _l("See whether your payment accounts are ready")}
    add_scopes(app, "specialists", {**may, "charges:write": _l("mark visits as paid")})
    add_notice(app, account_views.website_notice)
    shown = {"order": 45, "needs": "signed_in", "group": "account"}
    add_entry(app, "specialists", "specialists_accounts.index", _l("Getting paid"), "credit-card", **shown)
