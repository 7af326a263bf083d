"""Specialists' accounts: one for charging (merchant), another for being paid (recipient). Given: plain dictionaries.

Stripe allows no account with its own losses in both (docs/stripe.md), so a specialist on portals of both payment
models has two.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from polyclinic.hooks.providers import AccountKind, AccountOrder, AccountReading

_INCLUDED = {
    "merchant": ["configuration.merchant", "identity", "requirements"],
    "recipient": ["configuration.recipient", "identity", "requirements"],
}
_DASHBOARDS = {"full": "https://dashboard.stripe.com/", "express": "https://connect.stripe.com/express_login"}


def included(kind: AccountKind) -> list[str]:
    """Return what must be asked for: fields that are not named come back empty and look like "not ready"."""
    return _INCLUDED[kind]


def account_params(order: AccountOrder) -> dict[str, Any]:
    """Return the parameters of a new account: who bears fees and losses follows from its kind (E3, E4)."""
    if order.kind == "merchant":
        dashboard, bearer = "full", "stripe"
        configuration: dict[str, Any] = {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}
    else:
        dashboard, bearer = "express", "application"
        transfers = {"stripe_transfers": {"requested": True}}
        configuration = {"recipient": {"capabilities": {"stripe_balance": transfers}}}
    return {
        "contact_email": order.email,
        "display_name": order.name,
        "dashboard": dashboard,
        "identity": {"country": order.country.lower(), "entity_type": "individual"},
        "configuration": configuration,
        "defaults": {
            "currency": order.currency.lower(),
            "responsibilities": {"fees_collector": bearer, "losses_collector": bearer},
        },
        "metadata": {"specialist": str(order.specialist_id)},
        "include": included(order.kind),
    }


def link_params(external_id: str, refresh_url: str, return_url: str) -> dict[str, Any]:
    """Return the parameters of a link to Stripe's own pages; everything is asked at once, to be asked once."""
    options = {"fields": "eventually_due", "future_requirements": "include"}
    onboarding = {"collection_options": options, "refresh_url": refresh_url, "return_url": return_url}
    return {"account": external_id, "use_case": {"type": "account_onboarding", "account_onboarding": onboarding}}


def account_reading(account: dict[str, Any], kind: AccountKind) -> AccountReading:
    """Return what an account can do and what Stripe still needs."""
    requirements = account.get("requirements") or {}
    entries = requirements.get("entries") or []
    minimum = (requirements.get("summary") or {}).get("minimum_deadline") or {}
    return AccountReading(
        external_id=account["id"],
        ready=_ready(account.get("configuration") or {}, kind) and not account.get("closed"),
        requirements=tuple(entry["description"] for entry in entries if entry["awaiting_action_from"] == "user"),
        deadline=_deadline(minimum.get("time")),
        dashboard_url=_DASHBOARDS.get(account.get("dashboard") or ""),
    )


def _ready(configuration: dict[str, Any], kind: AccountKind) -> bool:
    capabilities = (configuration.get(kind) or {}).get("capabilities") or {}
    if kind == "recipient":
        capability = (capabilities.get("stripe_balance") or {}).get("stripe_transfers")
    else:
        capability = capabilities.get("card_payments")
    return (capability or {}).get("status") == "active"


def _deadline(text: Any) -> dt.datetime | None:
    return None if not text else dt.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
