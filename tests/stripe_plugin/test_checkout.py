"""What Stripe is told about a payment: the portal's look, neutral words, opaque ids, the right account's fee."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

import pytest

from polyclinic.hooks.providers import Brand, OrderLine, PaymentOrder
from polyclinic.kernel.money import Money
from polyclinic_stripe.checkout import branding, checkout_params, statement_suffix, stripe_locale

BRAND = Brand("Mind", "#3b4a8f", "#ffffff", "https://mind.example/logo.png")
ORDER = PaymentOrder(
    payment_id=uuid.UUID(int=42),
    portal_id=uuid.UUID(int=3),
    lines=(OrderLine("Appointment", Money(8000, "EUR")),),
    amount=Money(8000, "EUR"),
    commission=Money(1200, "EUR"),
    account="acct_ada",
    brand=BRAND,
    statement_suffix="Mind",
    locale="de",
    success_url="https://mind.example/pay/42",
    cancel_url="https://mind.example/pay/42",
    expires_at=dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC),
    idempotency_key="pay:42:1",
)


def test_the_specialists_account_charges_and_the_platform_takes_a_fee() -> None:
    """E3: a direct charge with an application fee; nothing at all where the commission is zero."""
    intent = checkout_params(ORDER, direct=True)["payment_intent_data"]
    assert intent["application_fee_amount"] == 1200
    assert "transfer_group" not in intent
    free = replace(ORDER, commission=Money(0, "EUR"))
    assert "application_fee_amount" not in checkout_params(free, direct=True)["payment_intent_data"]


def test_the_platform_charges_and_pays_shares_out_later() -> None:
    """E4: a group for transfers and no fee parameter."""
    intent = checkout_params(replace(ORDER, account=""), direct=False)["payment_intent_data"]
    assert intent["transfer_group"] == str(ORDER.payment_id)
    assert "application_fee_amount" not in intent


def test_ids_stand_on_session_and_intent_and_no_customer_is_made() -> None:
    """P4: what charges and disputes carry is the intent's; patients are no customers at Stripe."""
    params = checkout_params(ORDER, direct=True)
    ids = {"payment": str(ORDER.payment_id), "portal": str(ORDER.portal_id)}
    assert params["metadata"] == params["payment_intent_data"]["metadata"] == ids
    assert params["client_reference_id"] == ids["payment"]
    assert params["submit_type"] == "book"
    assert not {"customer", "customer_email", "payment_method_types"} & set(params)


def test_the_page_lives_at_least_half_an_hour_and_asking_again_asks_the_same() -> None:
    """B2: Stripe's shortest life is 30 minutes; the same order is the same request at any time."""
    assert checkout_params(ORDER, direct=True) == checkout_params(ORDER, direct=True)
    lives = checkout_params(ORDER, direct=True)["expires_at"] - int(ORDER.expires_at.timestamp())
    assert lives == 31 * 60


@pytest.mark.parametrize(
    ("ours", "stripes"),
    [("de", "de"), ("en", "en"), ("pt_BR", "pt-BR"), ("de_CH", "de"), ("no", "nb"), ("ar", "auto"), ("en_XA", "en")],
)
def test_the_page_speaks_the_patients_language_where_it_can(ours: str, stripes: str) -> None:
    assert stripe_locale(ours) == stripes


@pytest.mark.parametrize(
    ("words", "suffix"), [("Mind", "MIND"), ("Zentrum für Physio!", "ZENTRUM FR"), ("4711", ""), ("<\"*'>", "")]
)
def test_a_card_statement_has_capital_letters_and_at_least_one(words: str, suffix: str) -> None:
    assert statement_suffix(words) == suffix


def test_pictures_and_colours_that_stripe_cannot_use_are_left_out() -> None:
    """L1: a page without a logo is better than none."""
    assert branding(BRAND)["logo"] == {"type": "url", "url": "https://mind.example/logo.png"}
    plain = branding(Brand("Mind", "rebeccapurple", "#fff", "http://mind.localhost/logo.png", rounded=False))
    assert plain == {"display_name": "Mind", "border_style": "rectangular"}
