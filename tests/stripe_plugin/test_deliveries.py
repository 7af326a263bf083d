"""E7: what the simulator really sends, through the doors: every kind, doubled, backwards, replayed, lost."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from polyclinic.hooks.providers import Brand, OrderLine, PaymentOrder, PaymentReference, RefundOrder
from polyclinic.kernel.money import Money
from polyclinic.web.places import PlaceFlask
from polyclinic_stripe.provider import StripeProvider
from support.cast import Cast
from support.stripe_doors import PAYMENT, Worker, add_payment
from support.stripe_simulator import StripeSimulator

DIRECT = StripeProvider(direct=True)


@pytest.fixture
def account(cast: Cast, app: PlaceFlask, owner: Engine, stripe_sim: StripeSimulator) -> str:
    """Ada's account, with a payment that waits on it, and Stripe's events on their way to the application."""
    account = stripe_sim.account()
    add_payment(owner, cast.alpha, cast.ada, account)
    stripe_sim.webhooks_to(app)
    stripe_sim.hold_webhooks()
    return account


def order(cast: Cast, account: str) -> PaymentOrder:
    price = Money(8000, "EUR")
    return PaymentOrder(
        payment_id=PAYMENT,
        portal_id=cast.alpha.id,
        lines=(OrderLine("Appointment", price),),
        amount=price,
        commission=Money(1200, "EUR"),
        account=account,
        brand=Brand("Alpha", "#3b4a8f", "#ffffff"),
        statement_suffix="ALPHA",
        locale="de",
        success_url="http://alpha.localhost:8000/back",
        cancel_url="http://alpha.localhost:8000/",
        expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=15),
        idempotency_key="payment:42:1",
    )


def paid_and_half_returned(cast: Cast, account: str, sim: StripeSimulator) -> None:
    asked = order(cast, account)
    opened = DIRECT.open_checkout(asked)
    sim.pay(opened.checkout_id)
    payment = PaymentReference(PAYMENT, account, opened.checkout_id, None, asked.amount)
    captured = DIRECT.read_payment(payment).captured
    assert captured
    half = replace(payment, intent_id=None)
    DIRECT.refund(RefundOrder(uuid.uuid4(), half, captured.charge_id, Money(4000, "EUR"), True, "refund:42"))


def stored(owner: Engine) -> list[Any]:
    with owner.connect() as connection:
        return list(connection.execute(text("SELECT * FROM webhook_event ORDER BY received_at")))


def synced(owner: Engine) -> set[str]:
    with owner.connect() as connection:
        query = text(
            "SELECT payload ->> 'payment_id' FROM outbox WHERE kind = 'payment.sync' AND payload ? 'payment_id'"
        )
        return {found for found in connection.execute(query).scalars() if found}


@pytest.mark.parametrize("turn", ["first", "last", "random"])
def test_events_in_any_order_and_number_lead_to_the_same_payment(
    cast: Cast, app: PlaceFlask, owner: Engine, worker: Worker, stripe_sim: StripeSimulator, account: str, turn: str
) -> None:
    """E7: each is stored once and finds its payment; fees of the platform and charges of the account alike."""
    with app.app_context():
        paid_and_half_returned(cast, account, stripe_sim)
    answers = stripe_sim.deliver(order=turn, times=3)
    assert {answer["status"] for answer in answers} == {200}
    assert len(stored(owner)) == len({row.event_id for row in stored(owner)}) == len(answers) // 3
    worker.work()
    worker.wait("2 minutes")
    worker.work()
    left = {row.kind: row.note for row in stored(owner) if row.state not in ("handled", "ignored")}
    assert left == {}
    handled = {row.kind for row in stored(owner) if row.state == "handled"}
    assert {"checkout.session.completed", "charge.refunded", "refund.created", "application_fee.created"} <= handled
    assert synced(owner) == {str(PAYMENT)}


def test_what_is_kept_of_events_names_nobody(
    cast: Cast, app: PlaceFlask, owner: Engine, stripe_sim: StripeSimulator, account: str
) -> None:
    """T3: no name, no address, no amount of what Stripe sent is in the table."""
    with app.app_context():
        paid_and_half_returned(cast, account, stripe_sim)
    stripe_sim.deliver()
    kept = str([tuple(row) for row in stored(owner)])
    assert kept.count("evt_") > 3
    assert not [word for word in ("@", "8000", "4242", "Appointment", "Alpha") if word in kept]


def test_events_of_one_account_do_not_speak_for_another(
    cast: Cast, app: PlaceFlask, owner: Engine, worker: Worker, stripe_sim: StripeSimulator, account: str
) -> None:
    """E7: Ben pays himself on his own account, with Ada's payment in the metadata; nobody believes it."""
    with app.app_context():
        foreign = DIRECT.open_checkout(order(cast, stripe_sim.account()))
    stripe_sim.pay(foreign.checkout_id)
    stripe_sim.deliver()
    worker.work()
    states = {row.state for row in stored(owner) if row.kind.startswith(("checkout", "payment_intent", "charge"))}
    assert states == {"unmatched"}
    assert synced(owner) == set()
