"""P4, T3: what the simulator stores after a walk over three portals: no health, no sibling, no shared customer."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import pytest

from polyclinic.hooks.providers import Brand, OrderLine, PaymentOrder, PaymentReference, RefundOrder
from polyclinic.kernel.money import Money
from polyclinic.web.places import PlaceFlask
from polyclinic_stripe.provider import StripeProvider
from support.bookings import Desk
from support.cast import Cast, PortalCast
from support.client import Browser
from support.stripe_simulator import StripeSimulator

DIRECT, PLATFORM = StripeProvider(direct=True), StripeProvider(direct=False)
#: What the cast's services, profiles and bookings speak of.
HEALTH = ("first visit", "knee", "physio", "therap", "getting to know", "health", "listens")
KINDS = (
    *("checkout.session", "payment_intent", "charge", "refund", "application_fee", "balance_transaction", "customer"),
    *("v2.core.account", "event", "v2.core.event"),
)


def pay_and_return(
    sim: StripeSimulator, portal: PortalCast, provider: StripeProvider, account: str, price: Money
) -> None:
    """A patient of a portal pays and gets half back."""
    payment_id = uuid.uuid4()
    opened = provider.open_checkout(
        PaymentOrder(
            payment_id=payment_id,
            portal_id=portal.id,
            lines=(OrderLine("Appointment, 30 November 2026", price),),
            amount=price,
            commission=Money(price.minor // 100 * 10, price.currency),
            account=account,
            brand=Brand(f"{portal.slug} {portal.canary}", "#3b4a8f", "#ffffff"),
            statement_suffix=portal.slug,
            locale="en",
            success_url=f"http://{portal.host}:8000/back",
            cancel_url=f"http://{portal.host}:8000/",
            expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=15),
            idempotency_key=f"payment:{payment_id}",
        )
    )
    sim.pay(opened.checkout_id)
    payment = PaymentReference(payment_id, account, opened.checkout_id, None, price)
    captured = provider.read_payment(payment).captured
    assert captured
    half = Money(price.minor // 200 * 100, price.currency)
    provider.refund(RefundOrder(uuid.uuid4(), payment, captured.charge_id, half, True, f"refund:{payment_id}"))


@pytest.fixture
def walked(desk: Desk, app: PlaceFlask, browser: Browser, stripe_sim: StripeSimulator) -> list[dict[str, Any]]:
    """Sam connects both accounts; a patient of each portal pays; everything that Stripe knows afterwards."""
    cast = desk.cast
    for portal in cast.portals:
        desk.setting(portal, "payment.model", "connect_direct" if portal is cast.alpha else "platform_charge")
    browser.sign_in(cast.sam)
    for kind in ("merchant", "recipient"):
        browser.post(
            "specialists.localhost", f"/getting-paid/stripe/{kind}/connect", {"country": "DE"}, page="/getting-paid"
        )
    merchant = desk.rows("SELECT external_id FROM provider_account WHERE kind = 'merchant'")[0].external_id
    stripe_sim.onboard(merchant)
    with app.app_context():
        pay_and_return(stripe_sim, cast.alpha, DIRECT, merchant, Money(8000, "EUR"))
        pay_and_return(stripe_sim, cast.beta, PLATFORM, "", Money(7500, "GBP"))
        pay_and_return(stripe_sim, cast.gamma, PLATFORM, "", Money(9000, "JPY"))
    return [found for kind in KINDS for found in stripe_sim.objects(kind)]


def test_no_stripe_object_carries_a_health_word_a_siblings_name_or_a_customer_of_another_portal(
    walked: list[dict[str, Any]], cast: Cast
) -> None:
    """P4, T3: objects, their events, and the accounts of specialists who work on several portals."""
    assert len(walked) > 30
    assert [found["id"] for found in walked if found["object"] == "customer"] == []
    mentioned = set()
    for found in walked:
        written = json.dumps(found).lower()
        assert [word for word in HEALTH if word in written] == [], found["id"]
        named = {portal.slug for portal in cast.portals if _names(portal, written)}
        assert len(named) <= 1, f"{found['id']} tells of {sorted(named)}"
        mentioned |= named
    assert mentioned == {"alpha", "beta", "gamma"}, "control: each portal's own name is on its own objects"


def _names(portal: PortalCast, written: str) -> bool:
    return any(word in written for word in (portal.canary.lower(), portal.host, str(portal.id)))
