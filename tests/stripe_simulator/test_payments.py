"""Paying, refunding and passing on, as the SDK sees it: amounts, fees and events as Stripe's own (E1, E3, E4, E8)."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from support.stripe_requests import LINE, SESSION, changed
from support.stripe_simulator import StripeSimulator

EXPANDED: Any = {"expand": ["payment_intent.latest_charge.balance_transaction", "line_items"]}


def opened(sim: StripeSimulator, account: str | None = None, **values: Any) -> stripe.checkout.Session:
    """A session: a direct charge with a fee of 10 % when an account is named."""
    body = SESSION | values
    if account:
        body = changed(body, "payment_intent_data.application_fee_amount", 800)
    return sim.client().v1.checkout.sessions.create(body, {"stripe_account": account} if account else {})


def types(sim: StripeSimulator, account: str) -> list[str]:
    """The events of an account, oldest first."""
    return [event["type"] for event in reversed(sim.events(account))]


def test_a_direct_charge_leaves_the_fee_with_the_platform_and_the_rest_with_the_account(
    stripe_sim: StripeSimulator,
) -> None:
    """80.00 EUR: 0.25 + 1.5 % to Stripe, 8.00 to the platform (E3)."""
    account = stripe_sim.account()
    session = opened(stripe_sim, account)
    assert session.payment_intent is None
    assert stripe_sim.pay(session.url or "")["payment_status"] == "paid"
    read = stripe_sim.client().v1.checkout.sessions.retrieve(session.id, EXPANDED, {"stripe_account": account})
    charge: Any = read.payment_intent.latest_charge  # type: ignore[union-attr]  # expanded
    moved = charge.balance_transaction
    assert (read.status, charge.amount, charge.paid, charge.metadata["payment"]) == ("complete", 8000, True, "pay_42")
    assert (moved.amount, moved.fee, moved.net) == (8000, 945, 7055)
    assert [item.description for item in read.line_items.data] == ["Appointment"]  # type: ignore[union-attr]  # as above
    assert [(fee["amount"], fee["account"]) for fee in stripe_sim.objects("application_fee")] == [(800, account)]
    assert types(stripe_sim, "") == ["application_fee.created"]
    paid = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
    assert types(stripe_sim, account)[-4:] == paid


def test_refunds_in_parts_return_the_whole_fee_and_never_more(stripe_sim: StripeSimulator) -> None:
    """Cumulative floors of 8.00 over three parts; the fourth is refused (E8)."""
    account = stripe_sim.account()
    session = opened(stripe_sim, account)
    intent = stripe_sim.pay(session.id)["payment_intent"]
    refunds, on = stripe_sim.client().v1.refunds, {"stripe_account": account}
    for amount in (3333, 3333, 1334):
        part: Any = {"payment_intent": intent, "amount": amount, "refund_application_fee": True}
        assert refunds.create(part, on).status == "succeeded"
    [fee] = stripe_sim.objects("application_fee")
    assert (fee["amount_refunded"], fee["refunded"]) == (800, True)
    assert [one["amount"] for one in reversed(stripe_sim.objects("fee_refund"))] == [333, 333, 134]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        refunds.create({"payment_intent": intent, "amount": 1}, on)
    assert refused.value.code == "charge_already_refunded"


def test_more_than_was_paid_is_not_refunded(stripe_sim: StripeSimulator) -> None:
    """One cent too much is refused, with both amounts in the sentence."""
    intent = stripe_sim.pay(opened(stripe_sim).id)["payment_intent"]
    with pytest.raises(stripe.InvalidRequestError, match=r"80\.01 EUR.*80\.00 EUR"):
        stripe_sim.client().v1.refunds.create({"payment_intent": intent, "amount": 8001})
    assert stripe_sim.objects("refund") == []


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [("jpy", 8000, "8,000 JPY"), ("kwd", 24680, "24.680 KWD"), ("isk", 1_000_000, "10,000 ISK")],
)
def test_amounts_keep_their_size_in_every_kind_of_currency(
    stripe_sim: StripeSimulator, currency: str, amount: int, shown: str
) -> None:
    """Written, read back, refunded and shown (E1)."""
    line = changed(changed(LINE, "price_data.currency", currency), "price_data.unit_amount", amount)
    session = opened(stripe_sim, line_items=[line])
    intent = stripe_sim.pay(session.id)["payment_intent"]
    client = stripe_sim.client()
    assert client.v1.payment_intents.retrieve(intent).amount_received == amount
    with pytest.raises(stripe.InvalidRequestError, match=shown):
        client.v1.refunds.create({"payment_intent": intent, "amount": amount + 1000})
    assert client.v1.refunds.create({"payment_intent": intent}).amount == amount


@pytest.mark.parametrize(
    ("card", "code", "decline"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000000069", "expired_card", "expired_card"),
        ("4012888888881881", "card_declined", "test_mode_live_card"),
        ("4242424242424241", "incorrect_number", None),
    ],
)
def test_a_refused_card_leaves_the_session_open(
    stripe_sim: StripeSimulator, card: str, code: str, decline: str | None
) -> None:
    """The next card pays the same session; a real number is never taken."""
    session = opened(stripe_sim)
    refused = stripe_sim.pay(session.id, card)
    assert (refused["status"], refused["error"]["code"], refused["error"].get("decline_code")) == (
        "open",
        code,
        decline,
    )
    assert stripe_sim.pay(session.id)["payment_status"] == "paid"
    assert len([one for one in stripe_sim.objects("charge") if one["paid"]]) == 1


@pytest.mark.parametrize(("good", "status"), [(True, "paid"), (False, "unpaid")])
def test_3d_secure_decides(stripe_sim: StripeSimulator, good: bool, status: str) -> None:
    """Passed: paid; failed: open, with the reason."""
    asked = stripe_sim.pay(opened(stripe_sim).id, outcome="challenge")
    assert asked["status"] == "open"
    answered = stripe_sim.prove(asked["payment_intent"], good)
    [session] = stripe_sim.objects("checkout.session")
    assert session["payment_status"] == status
    assert answered.get("error", {}).get("code") == (None if good else "payment_intent_authentication_failure")


@pytest.mark.parametrize("good", [True, False])
def test_paying_later_completes_first_and_is_paid_or_not_afterwards(stripe_sim: StripeSimulator, good: bool) -> None:
    """`completed` with `unpaid` confirms nothing yet."""
    session = stripe_sim.pay(opened(stripe_sim).id, outcome="later")
    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    assert stripe_sim.objects("balance_transaction") == []
    stripe_sim.settle(session["payment_intent"], good)
    assert stripe_sim.objects("checkout.session")[0]["payment_status"] == ("paid" if good else "unpaid")
    assert types(stripe_sim, "")[-1] == f"checkout.session.async_payment_{'succeeded' if good else 'failed'}"
    assert len(stripe_sim.objects("balance_transaction")) == good


def test_a_share_is_passed_on_up_to_the_charge(stripe_sim: StripeSimulator) -> None:
    """Separate charge and transfer: capped by the charge, and taken back in part (E4)."""
    recipient, client = stripe_sim.account("recipient"), stripe_sim.client()
    intent = stripe_sim.pay(opened(stripe_sim).id)["payment_intent"]
    charge = client.v1.payment_intents.retrieve(intent).latest_charge
    share: Any = {"amount": 7200, "currency": "eur", "destination": recipient, "source_transaction": charge}
    transfer = client.v1.transfers.create(share)
    with pytest.raises(stripe.InvalidRequestError, match="must not exceed the source amount"):
        client.v1.transfers.create(share | {"amount": 801})
    client.v1.transfers.reversals.create(transfer.id, {"amount": 3600})
    with pytest.raises(stripe.InvalidRequestError, match="greater than the unreversed amount"):
        client.v1.transfers.reversals.create(transfer.id, {"amount": 3601})
    assert sum(one["net"] for one in stripe_sim.objects("balance_transaction", recipient)) == 3600
    assert sum(one["net"] for one in stripe_sim.objects("balance_transaction", "")) == 8000 - 145 - 3600


def test_who_is_not_ready_is_neither_charged_for_nor_paid(stripe_sim: StripeSimulator) -> None:
    """Details are due until somebody gives them."""
    merchant, recipient = stripe_sim.account(ready=False), stripe_sim.account("recipient", ready=False)
    with pytest.raises(stripe.InvalidRequestError, match="cannot currently make charges"):
        opened(stripe_sim, merchant)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stripe_sim.client().v1.transfers.create({"amount": 100, "currency": "eur", "destination": recipient})
    assert refused.value.code == "insufficient_capabilities_for_transfer"
    stripe_sim.onboard(merchant)
    assert opened(stripe_sim, merchant).status == "open"


def test_fields_of_an_account_that_are_not_asked_for_are_empty(stripe_sim: StripeSimulator) -> None:
    """A missing `include` looks like "not ready"."""
    account, accounts = stripe_sim.account(), stripe_sim.client().v2.core.accounts
    assert accounts.retrieve(account).configuration is None
    asked = accounts.retrieve(account, {"include": ["configuration.merchant", "requirements"]})
    assert asked.configuration.merchant.capabilities.card_payments.status == "active"  # type: ignore[union-attr]  # asked for
    assert asked.requirements.entries == []  # type: ignore[union-attr]  # as above
    assert asked.identity is None


def test_a_saved_card_that_asks_for_its_owner_is_not_charged_without_them(stripe_sim: StripeSimulator) -> None:
    """`authentication_required`: the product sends an ordinary link instead."""
    client = stripe_sim.client()
    charge: Any = {"amount": 5000, "currency": "eur", "confirm": True, "off_session": True}
    good = client.v1.payment_intents.create(charge | {"payment_method": "pm_card_visa"})
    with pytest.raises(stripe.CardError) as refused:
        client.v1.payment_intents.create(charge | {"payment_method": "pm_card_authenticationRequired"})
    assert good.status == "succeeded"
    assert refused.value.code == "authentication_required"


def test_refunds_can_wait_and_can_come_back(stripe_sim: StripeSimulator) -> None:
    """A refund that fails gives its money back to the balance, and the charge can be refunded again."""
    intent = stripe_sim.pay(opened(stripe_sim).id)["payment_intent"]
    stripe_sim.switch(next_refund="pending")
    client = stripe_sim.client()
    waiting = client.v1.refunds.create({"payment_intent": intent, "amount": 3000})
    assert waiting.status == "pending"
    assert stripe_sim.complete_refund(waiting.id)["status"] == "succeeded"
    assert stripe_sim.fail_refund(waiting.id)["status"] == "failed"
    assert client.v1.refunds.create({"payment_intent": intent}).amount == 8000
    assert sum(one["net"] for one in stripe_sim.objects("balance_transaction")) == -145
    assert "refund.failed" in types(stripe_sim, "")


def test_a_disputed_charge_is_not_refunded_too(stripe_sim: StripeSimulator) -> None:
    """Refund and chargeback together would pay twice."""
    intent = stripe_sim.pay(opened(stripe_sim).id)["payment_intent"]
    charge = stripe_sim.objects("charge")[0]["id"]
    dispute = stripe_sim.dispute(charge)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        stripe_sim.client().v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_disputed"
    assert stripe_sim.decide(dispute["id"], won=True)["status"] == "won"
    assert sum(one["net"] for one in stripe_sim.objects("balance_transaction")) == 8000 - 145 - 1500


def test_an_ended_session_cannot_be_paid(stripe_sim: StripeSimulator) -> None:
    """Ended by the API or by time, and only once (B2)."""
    first, second = opened(stripe_sim), opened(stripe_sim)
    assert stripe_sim.client().v1.checkout.sessions.expire(first.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        stripe_sim.client().v1.checkout.sessions.expire(first.id)
    stripe_sim.advance(24 * 3600 + 60)
    assert stripe_sim.client().v1.checkout.sessions.retrieve(second.id).status == "expired"
    assert "expired" in stripe_sim.pay(second.id)["error"]["message"]
    assert types(stripe_sim, "") == ["checkout.session.expired"] * 2


def test_a_card_is_saved_without_paying(stripe_sim: StripeSimulator) -> None:
    """Setup sessions, then a charge with nobody present."""
    client = stripe_sim.client()
    customer = client.v1.customers.create({"email": "pat@example.com"}).id
    body: Any = {"mode": "setup", "currency": "eur", "customer": customer, "success_url": "http://x.localhost"}
    session = client.v1.checkout.sessions.create(body)
    assert stripe_sim.pay(session.id)["payment_status"] == "no_payment_required"
    [method] = client.v1.customers.payment_methods.list(customer).data
    charge: Any = {"amount": 900, "currency": "eur", "customer": customer, "payment_method": method.id}
    assert client.v1.payment_intents.create(charge | {"confirm": True, "off_session": True}).status == "succeeded"


def test_lists_have_pages_and_filters(stripe_sim: StripeSimulator) -> None:
    """Newest first; the next page begins after the last of this one."""
    client = stripe_sim.client()
    made = [client.v1.customers.create({"email": f"p{number}@example.com"}).id for number in range(5)]
    first = client.v1.customers.list({"limit": 2})
    assert ([one.id for one in first.data], first.has_more) == (made[:2:-1], True)
    rest = client.v1.customers.list({"limit": 100, "starting_after": first.data[-1].id})
    assert ([one.id for one in rest.data], rest.has_more) == (made[2::-1], False)
    assert [one.id for one in client.v1.customers.list({"email": "p3@example.com"}).data] == [made[3]]
    assert len(list(client.v1.customers.list({"limit": 2}).auto_paging_iter())) == 5
    with pytest.raises(stripe.InvalidRequestError, match="from 1 to 100"):
        client.v1.customers.list({"limit": 101})


def test_one_account_does_not_see_another(stripe_sim: StripeSimulator) -> None:
    """Objects belong to an account."""
    account, client = stripe_sim.account(), stripe_sim.client()
    customer = client.v1.customers.create({}, {"stripe_account": account}).id
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.customers.retrieve(customer)
    assert client.v1.customers.list().data == []


def test_what_cannot_be_expanded_is_refused(stripe_sim: StripeSimulator) -> None:
    """As far as the document says."""
    session = opened(stripe_sim)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        stripe_sim.client().v1.checkout.sessions.retrieve(session.id, {"expand": ["metadata"]})
