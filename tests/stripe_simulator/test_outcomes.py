"""Idempotency and trouble: the same key never does a thing twice, whatever became of the first answer (E7)."""

from __future__ import annotations

import pytest
import stripe

from support.stripe_requests import INTENT, SESSION
from support.stripe_simulator import StripeSimulator


def test_the_same_key_gets_the_same_answer(stripe_sim: StripeSimulator) -> None:
    """And nothing is made twice."""
    intents, options = stripe_sim.client().v1.payment_intents, {"idempotency_key": "pay_1:intent:1"}
    first, second = intents.create(INTENT, options), intents.create(INTENT, options)
    assert first.id == second.id
    assert len(stripe_sim.objects("payment_intent")) == 1
    assert second.last_response.headers["Idempotent-Replayed"] == "true"  # type: ignore[union-attr]  # always there


def test_the_same_key_with_other_parameters_is_refused(stripe_sim: StripeSimulator) -> None:
    """Also for another address."""
    client, options = stripe_sim.client(), {"idempotency_key": "pay_1:intent:1"}
    client.v1.payment_intents.create(INTENT, options)
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        client.v1.payment_intents.create(INTENT | {"amount": 5001}, options)
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.checkout.sessions.create(SESSION, options)


def test_keys_of_two_accounts_do_not_meet(stripe_sim: StripeSimulator) -> None:
    """A key belongs to an account."""
    account, intents = stripe_sim.account(), stripe_sim.client().v1.payment_intents
    ours = intents.create(INTENT, {"idempotency_key": "same"})
    theirs = intents.create(INTENT, {"idempotency_key": "same", "stripe_account": account})
    assert ours.id != theirs.id


def test_a_decline_is_remembered_and_what_was_invalid_is_not(stripe_sim: StripeSimulator) -> None:
    """A refused card answers the same again; a request that was never carried out can be put right."""
    intents = stripe_sim.client().v1.payment_intents
    body = INTENT | {"confirm": True, "payment_method": "pm_card_chargeDeclined"}
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            intents.create(body, {"idempotency_key": "declined"})
    assert len(stripe_sim.objects("charge")) == 1
    with pytest.raises(stripe.InvalidRequestError):
        intents.create(INTENT | {"amout": 1}, {"idempotency_key": "typo"})  # type: ignore[arg-type]  # that is the point
    assert intents.create(INTENT, {"idempotency_key": "typo"}).amount == 5000


@pytest.mark.parametrize(("after_effect", "made"), [(False, 0), (True, 1)])
def test_a_500_is_remembered_for_its_key(stripe_sim: StripeSimulator, after_effect: bool, made: int) -> None:
    """The same key gets it for ever, as from Stripe; whether something was done has to be looked up."""
    intents, options = stripe_sim.client().v1.payment_intents, {"idempotency_key": "k1"}
    stripe_sim.fail_next("POST /v1/payment_intents", 500, after_effect=after_effect)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            intents.create(INTENT, options)
    assert len(stripe_sim.objects("payment_intent")) == made
    assert intents.create(INTENT, {"idempotency_key": "k2"}).status == "requires_payment_method"


@pytest.mark.parametrize("status", [429, 502, 503])
def test_what_never_reached_stripe_may_be_asked_again(stripe_sim: StripeSimulator, status: int) -> None:
    """The same key, the second time with success."""
    intents, options = stripe_sim.client().v1.payment_intents, {"idempotency_key": "k1"}
    stripe_sim.fail_next("/v1/payment_intents", status)
    with pytest.raises(stripe.RateLimitError if status == 429 else stripe.APIError):
        intents.create(INTENT, options)
    assert intents.create(INTENT, options).amount == 5000


@pytest.mark.parametrize("way", ["reset", "timeout"])
@pytest.mark.parametrize("after_effect", [False, True])
def test_a_broken_connection_leaves_the_outcome_to_the_key(
    stripe_sim: StripeSimulator, way: str, after_effect: bool
) -> None:
    """The same key finds what was done, or does it: once."""
    client = stripe_sim.client(http_client=stripe.RequestsClient(timeout=1))
    options = {"idempotency_key": "k1"}
    stripe_sim.fail_next("POST /v1/payment_intents", way, after_effect=after_effect, seconds=2)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.payment_intents.create(INTENT, options)
    assert len(stripe_sim.objects("payment_intent")) == after_effect
    found = client.v1.payment_intents.create(INTENT, options)
    assert [one["id"] for one in stripe_sim.objects("payment_intent")] == [found.id]


def test_the_sdk_gets_over_trouble_by_itself(stripe_sim: StripeSimulator) -> None:
    """With retries of its own, one key and one object."""
    stripe_sim.fail_next("/v1/payment_intents", "reset", times=2)
    stripe_sim.client(max_network_retries=3).v1.payment_intents.create(INTENT)
    assert len(stripe_sim.objects("payment_intent")) == 1


def test_the_next_card_can_be_declined(stripe_sim: StripeSimulator) -> None:
    """Whichever it is, once."""
    stripe_sim.switch(decline_next=True)
    session = stripe_sim.client().v1.checkout.sessions.create(SESSION)
    assert stripe_sim.pay(session.id)["error"]["code"] == "card_declined"
    assert stripe_sim.pay(session.id)["status"] == "complete"
