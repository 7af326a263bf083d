"""What Stripe refuses, the simulator refuses too, in Stripe's words; next to each, what is accepted."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from support.stripe_requests import INTENT, LINE, LINK_USE, SESSION, VERSION, changed, post
from support.stripe_simulator import StripeSimulator

SESSIONS, INTENTS, REFUNDS = "/v1/checkout/sessions", "/v1/payment_intents", "/v1/refunds"
ACCOUNT: dict[str, Any] = {
    "contact_email": "specialist@example.com",
    "dashboard": "full",
    "identity": {"country": "de"},
    "configuration": {"merchant": {"capabilities": {"card_payments": {"requested": True}}}},
    "defaults": {"responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"}},
}
HOUR = 3600

#: path, a body that is accepted, what is changed in it, to what, the parameter that the refusal names, its code
REFUSED: list[tuple[str, dict[str, Any], str, Any, str, str | None]] = [
    (SESSIONS, SESSION, "payment_method_types", ["card"], "payment_method_types",
     "payment_method_types_no_longer_supported"),
    (SESSIONS, SESSION, "sucess_url", "http://x.localhost", "sucess_url", "parameter_unknown"),
    (SESSIONS, SESSION, "line_items.0.price_data.curency", "eur", "line_items[0][price_data][curency]",
     "parameter_unknown"),
    (SESSIONS, SESSION, "line_items.0.price_data.product_data.title", "x",
     "line_items[0][price_data][product_data][title]", "parameter_unknown"),
    (SESSIONS, SESSION, "payment_intent_data.metdata", {"a": "b"}, "payment_intent_data[metdata]", "parameter_unknown"),
    (SESSIONS, SESSION, "branding_settings.colour", "#fff", "branding_settings[colour]", "parameter_unknown"),
    (SESSIONS, SESSION, "ui_mode", "hosted", "ui_mode", None),
    (SESSIONS, SESSION, "ui_mode", "embedded", "ui_mode", None),
    (SESSIONS, SESSION, "ui_mode", "custom", "ui_mode", None),
    (SESSIONS, SESSION, "success_url", None, "success_url", "parameter_missing"),
    (SESSIONS, SESSION, "mode", None, "mode", "parameter_missing"),
    (SESSIONS, SESSION, "line_items", None, "line_items", "parameter_missing"),
    (SESSIONS, SESSION, "line_items.0.price_data.currency", None, "line_items[0][price_data][currency]",
     "parameter_missing"),
    (SESSIONS, SESSION, "line_items.0.price_data.unit_amount", "80.00", "line_items[0][price_data][unit_amount]",
     "parameter_invalid_integer"),
    (SESSIONS, SESSION, "line_items.0.price_data.unit_amount", 49, "line_items", "amount_too_small"),
    (SESSIONS, SESSION, "line_items.0.price_data.currency", "eurr", "line_items[0][price_data][currency]", None),
    (SESSIONS, SESSION, "line_items.0.quantity", 0, "line_items[0][quantity]", None),
    (SESSIONS, SESSION, "payment_intent_data.application_fee_amount", 800,
     "payment_intent_data[application_fee_amount]", None),
    (SESSIONS, SESSION, "payment_intent_data.statement_descriptor_suffix", "A suffix that is too long",
     "payment_intent_data[statement_descriptor_suffix]", None),
    (SESSIONS, SESSION, "metadata", {"key": "v" * 501}, "metadata[key]", None),
    (SESSIONS, SESSION, "customer", "cus_unknown", "customer", "resource_missing"),
    (SESSIONS, SESSION, "submit_type", "order", "submit_type", None),
    (SESSIONS, {"mode": "setup", "currency": "eur", "success_url": "http://x.localhost"}, "currency", None, "currency",
     "parameter_missing"),
    (INTENTS, INTENT, "amount", None, "amount", "parameter_missing"),
    (INTENTS, INTENT, "payment_method_types", ["card"], "payment_method_types",
     "payment_method_types_no_longer_supported"),
    (INTENTS, INTENT, "confirm", "yes", "confirm", None),
    (INTENTS, INTENT, "amount", 0, "amount", "parameter_invalid_integer"),
    (INTENTS, INTENT, "transfer_data", {"amount": 5}, "transfer_data[destination]", "parameter_missing"),
    (INTENTS, {"amount": 700_000, "currency": "isk"}, "amount", 700_050, "amount",
     "parameter_invalid_integer"),
    (INTENTS, {"amount": 2_500, "currency": "kwd"}, "amount", 2_505, "amount", "parameter_invalid_integer"),
    ("/v2/core/accounts", ACCOUNT, "identity.contry", "de", "identity[contry]", "parameter_unknown"),
    ("/v2/core/accounts", ACCOUNT, "defaults.responsibilities.losses_collector", "application",
     "defaults.responsibilities.losses_collector", None),
    ("/v2/core/accounts", ACCOUNT, "configuration.merchant.capabilities.card_payments.requested", "true",
     "configuration[merchant][capabilities][card_payments][requested]", "invalid_type"),
    ("/v2/core/accounts", ACCOUNT, "dashboard", "half", "dashboard", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "where", "value", "param", "code"), REFUSED, ids=[f"{row[2]}={row[3]}"[:60] for row in REFUSED]
)
def test_a_request_that_stripe_refuses_is_refused_and_its_neighbour_accepted(
    stripe_sim: StripeSimulator, path: str, body: dict[str, Any], where: str, value: Any, param: str, code: str | None
) -> None:
    """Unknown at every depth, missing, removed, of a wrong kind, too small."""
    accepted = post(stripe_sim, path, body)
    assert accepted.status_code == 200, accepted.text
    refused = post(stripe_sim, path, changed(body, where, value))
    error = refused.json()["error"]
    assert refused.status_code == (404 if code == "resource_missing" else 400), refused.text
    assert (error["type"], error.get("param"), error.get("code")) == ("invalid_request_error", param, code)
    assert error["message"]


def test_an_old_link_with_configurations_is_refused(stripe_sim: StripeSimulator) -> None:
    """They were required before 2026-09-30."""
    account = stripe_sim.account(ready=False)
    body = {"account": account, "use_case": LINK_USE}
    assert post(stripe_sim, "/v2/core/account_links", body).status_code == 200
    old = changed(body, "use_case.account_onboarding.configurations", ["merchant"])
    refused = post(stripe_sim, "/v2/core/account_links", old)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "use_case[account_onboarding][configurations]"


@pytest.mark.parametrize(
    ("path", "headers", "status", "words"),
    [
        (INTENTS, {"Authorization": ""}, 401, "did not provide an API key"),
        (INTENTS, {"Authorization": "Bearer sk_test_other"}, 401, "Invalid API Key"),
        (INTENTS, {"Stripe_Version": "yesterday"}, 400, "Invalid Stripe API version"),
        (INTENTS, {"Stripe_Version": "2026-05-27.dahlia"}, 400, VERSION),
        (INTENTS, {"Stripe_Account": "acct_unknown"}, 403, "does not have access to account"),
        (INTENTS, {"Content_Type": "application/json"}, 400, "form-encoded"),
        (INTENTS, {"Idempotency_Key": "k" * 256}, 400, "Idempotency-Key"),
        ("/v2/core/accounts", {"Stripe_Version": ""}, 400, "Stripe-Version"),
    ],
)
def test_a_header_that_is_missing_or_wrong_is_refused(
    stripe_sim: StripeSimulator, path: str, headers: dict[str, str], status: int, words: str
) -> None:
    """Next to the same request with the right ones."""
    body = INTENT if path == INTENTS else ACCOUNT
    assert post(stripe_sim, path, body).status_code == 200
    refused = post(stripe_sim, path, body, **headers)
    assert refused.status_code == status, refused.text
    assert words in refused.json()["error"]["message"]


def test_v2_takes_json_only(stripe_sim: StripeSimulator) -> None:
    """A form is for v1."""
    headers = {"Authorization": f"Bearer {stripe_sim.key}", "Stripe-Version": VERSION}
    refused = requests.post(
        f"{stripe_sim.url}/v2/core/accounts", data={"dashboard": "full"}, headers=headers, timeout=20
    )
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_content_type")


@pytest.mark.parametrize(("seconds", "status"), [(29 * 60, 400), (31 * 60, 200), (23 * HOUR, 200), (25 * HOUR, 400)])
def test_a_session_lives_from_half_an_hour_to_a_day(stripe_sim: StripeSimulator, seconds: int, status: int) -> None:
    """B2 builds on it: a hold may not end before its checkout."""
    answer = post(stripe_sim, SESSIONS, SESSION | {"expires_at": int(time.time()) + seconds})
    assert answer.status_code == status, answer.text


def test_what_is_no_address_of_the_document_is_not_found(stripe_sim: StripeSimulator) -> None:
    """Removed and misspelt addresses."""
    refused = post(stripe_sim, "/v1/chargess", {})
    assert refused.status_code == 404
    assert "Unrecognized request URL" in refused.json()["error"]["message"]


def test_prices_of_one_session_have_one_currency(stripe_sim: StripeSimulator) -> None:
    """Never two (E1)."""
    other = changed(LINE, "price_data.currency", "usd")
    refused = post(stripe_sim, SESSIONS, SESSION | {"line_items": [LINE, other]})
    assert refused.status_code == 400
    assert "same currency" in refused.json()["error"]["message"]
