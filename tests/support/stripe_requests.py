"""Requests as the SDK writes them, without the SDK: so that a test can send what no SDK would."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from urllib.parse import urlencode

import requests

from support.stripe_simulator import StripeSimulator

VERSION = "2026-10-28.endive"
LINE = {"quantity": 1, "price_data": {"currency": "eur", "unit_amount": 8000, "product_data": {"name": "Appointment"}}}
SESSION: dict[str, Any] = {
    "mode": "payment",
    "ui_mode": "hosted_page",
    "line_items": [LINE],
    "success_url": "http://demo.localhost/done?session={CHECKOUT_SESSION_ID}",
    "cancel_url": "http://demo.localhost/",
    "payment_intent_data": {"metadata": {"payment": "pay_42"}},
}
INTENT: dict[str, Any] = {"amount": 5000, "currency": "eur"}
LINK_USE: dict[str, Any] = {
    "type": "account_onboarding",
    "account_onboarding": {"refresh_url": "http://x.localhost/again", "return_url": "http://x.localhost/back"},
}


def flat(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Nested parameters as pairs of a form."""
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in flat(inner, f"{path}[{key}]" if path else key)]
    if isinstance(value, list):
        return [pair for number, inner in enumerate(value) for pair in flat(inner, f"{path}[{number}]")]
    return [(path, str(value).lower() if isinstance(value, bool) else str(value))]


def changed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a dotted path; None takes it away."""
    found = deepcopy(body)
    here: Any = found
    *parts, last = path.split(".")
    for part in parts:
        here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
    if value is None:
        del here[last]
    else:
        here[last] = value
    return found


def post(sim: StripeSimulator, path: str, body: Any, **headers: str) -> requests.Response:
    """POST in the form of the path's version; a header given as "" is left away."""
    sent = {"Authorization": f"Bearer {sim.key}", "Stripe-Version": VERSION}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in sent.items() if value}
    if path.startswith("/v2/"):
        return requests.post(sim.url + path, json=body, headers=sent, timeout=20)
    sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return requests.post(sim.url + path, data=urlencode(flat(body)), headers=sent, timeout=20)
