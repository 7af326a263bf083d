"""E3, E4, E7: the provider against the simulator, by the real SDK over HTTP: pay, read, expire, refund, connect."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from polyclinic.hooks.providers import (
    AccountKind,
    AccountOrder,
    Brand,
    CheckoutOpened,
    OrderLine,
    PaymentOrder,
    PaymentReference,
    ProviderRefused,
    ProviderUnavailable,
    RefundOrder,
    Returned,
)
from polyclinic.kernel.money import Money
from polyclinic.web.places import PlaceFlask
from polyclinic_stripe.provider import StripeProvider
from support.stripe_simulator import StripeSimulator

DECLINED, INSUFFICIENT = "4000000000000002", "4000000000009995"
DIRECT, PLATFORM = StripeProvider(direct=True), StripeProvider(direct=False)


@pytest.fixture(autouse=True)
def context(app: PlaceFlask, stripe_sim: StripeSimulator) -> Iterator[None]:
    """Providers ask the current application for the keys."""
    with app.app_context():
        yield


PRICE = Money(8000, "EUR")


def order(amount: Money = PRICE, *, account: str = "", commission: int = 1200) -> PaymentOrder:
    payment_id = uuid.uuid4()
    return PaymentOrder(
        payment_id=payment_id,
        portal_id=uuid.UUID(int=3),
        lines=(OrderLine("Appointment", amount),),
        amount=amount,
        commission=Money(commission, amount.currency),
        account=account,
        brand=Brand("Mind", "#3b4a8f", "#ffffff", "https://mind.example/logo.png"),
        statement_suffix="MIND",
        locale="de",
        success_url="http://mind.localhost:8000/pay/back",
        cancel_url="http://mind.localhost:8000/pay",
        expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=15),
        idempotency_key=f"payment:{payment_id}:1",
    )


def reference(asked: PaymentOrder, opened: CheckoutOpened) -> PaymentReference:
    return PaymentReference(asked.payment_id, asked.account, opened.checkout_id, opened.intent_id, asked.amount)


def paid(sim: StripeSimulator, provider: StripeProvider, asked: PaymentOrder) -> tuple[PaymentReference, str]:
    """Open a checkout and pay it; returns the payment and its charge."""
    opened = provider.open_checkout(asked)
    sim.pay(opened.checkout_id)
    reading = provider.read_payment(reference(asked, opened))
    assert reading.captured
    return replace(reference(asked, opened), intent_id=reading.intent_id), reading.captured.charge_id


def give_back(
    provider: StripeProvider, payment: PaymentReference, charge: str, minor: int, *, commission: bool = True
) -> Returned:
    refund_id = uuid.uuid4()
    amount = Money(minor, payment.amount.currency)
    return provider.refund(RefundOrder(refund_id, payment, charge, amount, commission, f"refund:{refund_id}"))


def test_a_direct_charge_reaches_the_specialist_and_its_fee_the_platform(stripe_sim: StripeSimulator) -> None:
    """E3: captured on the specialist's account, the commission an application fee, Stripe's fee beside it."""
    account = stripe_sim.account()
    asked = order(account=account)
    payment, _charge = paid(stripe_sim, DIRECT, asked)
    reading = DIRECT.read_payment(payment)
    assert (reading.status, reading.mismatch, reading.disputed) == ("paid", None, False)
    assert reading.captured
    assert reading.captured.amount == asked.amount
    assert reading.captured.commission == Money(1200, "EUR")
    assert reading.captured.provider_fee
    assert 0 < reading.captured.provider_fee.minor < 500
    assert [charge["amount"] for charge in stripe_sim.objects("charge", account)] == [8000]
    assert stripe_sim.objects("charge", "") == []
    assert stripe_sim.objects("customer") == []


def test_a_charge_of_the_platform_has_a_group_and_no_fee(stripe_sim: StripeSimulator) -> None:
    """E4: the share is transferred later, from this charge."""
    asked = order()
    payment, _charge = paid(stripe_sim, PLATFORM, asked)
    reading = PLATFORM.read_payment(payment)
    assert reading.captured
    assert (reading.captured.commission.minor, reading.captured.commission_id) == (0, None)
    (intent,) = stripe_sim.objects("payment_intent", "")
    assert intent["transfer_group"] == str(asked.payment_id)
    assert intent["application_fee_amount"] is None


@pytest.mark.parametrize(
    "amount", [Money(8000, "EUR"), Money(8000, "JPY"), Money(12340, "KWD"), Money(9000, "ISK")], ids=str
)
def test_amounts_come_back_as_they_went_out(stripe_sim: StripeSimulator, amount: Money) -> None:
    """E1: written, read back and returned in part, in two, no, three and two-but-none decimals."""
    account = stripe_sim.account()
    asked = order(amount, account=account, commission=amount.minor // 100 * 10)
    payment, charge = paid(stripe_sim, DIRECT, asked)
    reading = DIRECT.read_payment(payment)
    assert reading.mismatch is None
    assert reading.captured
    assert (reading.captured.amount, reading.captured.commission) == (amount, asked.commission)
    half = give_back(DIRECT, payment, charge, amount.minor // 20 * 10)
    assert half.amount == Money(amount.minor // 20 * 10, amount.currency)
    assert half.commission.minor > 0


@pytest.mark.parametrize(("card", "failure"), [(DECLINED, "generic_decline"), (INSUFFICIENT, "insufficient_funds")])
def test_a_declined_card_can_be_replaced_on_the_same_page(stripe_sim: StripeSimulator, card: str, failure: str) -> None:
    """B2: the page stays open, the reason is known, another card pays."""
    asked = order()
    opened = PLATFORM.open_checkout(asked)
    stripe_sim.pay(opened.checkout_id, card=card)
    reading = PLATFORM.read_payment(reference(asked, opened))
    assert (reading.status, reading.failure, reading.captured) == ("open", failure, None)
    stripe_sim.pay(opened.checkout_id)
    assert PLATFORM.read_payment(reference(asked, opened)).status == "paid"


def test_a_card_that_wants_proof_is_paid_when_it_is_proven(stripe_sim: StripeSimulator) -> None:
    """3-D Secure: nothing is taken before."""
    asked = order()
    opened = PLATFORM.open_checkout(asked)
    stripe_sim.pay(opened.checkout_id, outcome="challenge")
    reading = PLATFORM.read_payment(reference(asked, opened))
    assert (reading.status, reading.captured) == ("open", None)
    (intent,) = stripe_sim.objects("payment_intent", "")
    stripe_sim.prove(intent["id"])
    assert PLATFORM.read_payment(reference(asked, opened)).status == "paid"


@pytest.mark.parametrize(("good", "status"), [(True, "paid"), (False, "failed")])
def test_money_that_takes_days_is_processing_until_it_arrives(
    stripe_sim: StripeSimulator, good: bool, status: str
) -> None:
    """E7: a completed page is no money."""
    asked = order()
    opened = PLATFORM.open_checkout(asked)
    stripe_sim.pay(opened.checkout_id, outcome="later")
    assert PLATFORM.read_payment(reference(asked, opened)).status == "processing"
    (intent,) = stripe_sim.objects("payment_intent", "")
    stripe_sim.settle(intent["id"], good=good)
    assert PLATFORM.read_payment(reference(asked, opened)).status == status


def test_an_expired_page_takes_no_money_and_one_that_was_paid_first_says_so(stripe_sim: StripeSimulator) -> None:
    """B2, B8: expire, then read; the payment that won the race is found."""
    asked = order()
    opened = PLATFORM.open_checkout(asked)
    for _again in range(2):
        assert PLATFORM.expire_checkout(reference(asked, opened)).status == "expired"
    raced = order()
    payment, _charge = paid(stripe_sim, PLATFORM, raced)
    assert PLATFORM.expire_checkout(payment).status == "paid"


def test_the_same_order_again_is_the_same_page(stripe_sim: StripeSimulator) -> None:
    """E7: a job that runs twice makes one object; a key for something else is refused."""
    asked = order()
    assert PLATFORM.open_checkout(asked) == PLATFORM.open_checkout(asked)
    assert len(stripe_sim.objects("checkout.session")) == 1
    with pytest.raises(ProviderRefused):
        PLATFORM.open_checkout(replace(asked, success_url="http://mind.localhost:8000/other"))


@pytest.mark.parametrize("fault", ["reset", 503, 429])
def test_a_call_whose_outcome_is_unknown_is_repeated_and_makes_one_object(
    stripe_sim: StripeSimulator, fault: str | int
) -> None:
    """E7: no answer, after the effect; asking again finds what was made."""
    asked = order(account=stripe_sim.account())
    payment, charge = paid(stripe_sim, DIRECT, asked)
    stripe_sim.fail_next("POST /v1/refunds", fault, after_effect=fault == "reset", times=2)
    refund_id = uuid.uuid4()
    wanted = RefundOrder(refund_id, payment, charge, Money(4000, "EUR"), True, f"refund:{refund_id}")
    found = None
    for _job in range(4):
        with contextlib.suppress(ProviderUnavailable):
            found = DIRECT.refund(wanted)
            break
    assert found
    assert (found.status, found.amount, found.commission) == ("succeeded", Money(4000, "EUR"), Money(600, "EUR"))
    assert len(stripe_sim.objects("refund")) == 1


def test_a_failure_that_stripe_remembers_keeps_nobody_from_an_account(stripe_sim: StripeSimulator) -> None:
    """E7: a 500 is given again for its key, for a day; an account that nobody knows of does no harm."""
    stripe_sim.fail_next("POST /v2/core/accounts", 500)
    key = f"account:{uuid.uuid4()}"
    wanted = AccountOrder(uuid.uuid4(), "merchant", "Ada Berg", "ada@example.org", "DE", "EUR", key)
    assert DIRECT.create_account(wanted) == DIRECT.create_account(wanted)


def test_stripe_being_away_is_said_as_such(stripe_sim: StripeSimulator) -> None:
    """E7: the caller repeats with the same key."""
    asked = order()
    opened = PLATFORM.open_checkout(asked)
    stripe_sim.fail_next("*", 503, times=20)
    with pytest.raises(ProviderUnavailable):
        PLATFORM.open_checkout(order())
    with pytest.raises(ProviderUnavailable):
        PLATFORM.read_payment(reference(asked, opened))


def test_refunds_in_part_give_the_commission_back_as_stripe_rounds_it(stripe_sim: StripeSimulator) -> None:
    """E3: three parts; the sum of what came back is the whole commission, and each part is known."""
    account = stripe_sim.account()
    payment, charge = paid(stripe_sim, DIRECT, order(account=account, commission=1001))
    parts = [give_back(DIRECT, payment, charge, minor) for minor in (2667, 2667, 2666)]
    reading = DIRECT.read_payment(payment)
    assert sum(part.amount.minor for part in reading.returned) == 8000
    assert sum(part.commission.minor for part in reading.returned) == 1001
    assert {part.external_id for part in parts} == {part.external_id for part in reading.returned}
    with pytest.raises(ProviderRefused):
        give_back(DIRECT, payment, charge, 1)


def test_a_commission_that_is_kept_is_kept(stripe_sim: StripeSimulator) -> None:
    """E3: switchable; the refund says so, and no fee comes back."""
    payment, charge = paid(stripe_sim, DIRECT, order(account=stripe_sim.account()))
    given = give_back(DIRECT, payment, charge, 4000)
    kept = give_back(DIRECT, payment, charge, 2000, commission=False)
    assert (given.commission.minor, kept.commission.minor) == (600, 0)
    assert [one.commission.minor for one in DIRECT.read_payment(payment).returned] == [600, 0]


@pytest.mark.parametrize("good", [True, False])
def test_a_refund_that_waits_is_not_yet_given_back(stripe_sim: StripeSimulator, good: bool) -> None:
    """E8: pending, then arrived or come back."""
    payment, charge = paid(stripe_sim, PLATFORM, order())
    stripe_sim.switch(next_refund="pending")
    waiting = give_back(PLATFORM, payment, charge, 8000)
    assert waiting.status == "pending"
    (stripe_sim.complete_refund if good else stripe_sim.fail_refund)(waiting.external_id)
    (found,) = PLATFORM.read_payment(payment).returned
    assert found.status == ("succeeded" if good else "failed")
    assert bool(found.failure) is not good


def test_a_disputed_payment_says_so(stripe_sim: StripeSimulator) -> None:
    payment, charge = paid(stripe_sim, PLATFORM, order())
    stripe_sim.dispute(charge)
    assert PLATFORM.read_payment(payment).disputed


def test_a_session_of_another_payment_is_a_mismatch(stripe_sim: StripeSimulator) -> None:
    """E7: the right page with the wrong id, or the wrong amount, is never a confirmation."""
    payment, _charge = paid(stripe_sim, PLATFORM, order())
    assert PLATFORM.read_payment(replace(payment, payment_id=uuid.uuid4())).mismatch
    assert PLATFORM.read_payment(replace(payment, amount=Money(8001, "EUR"))).mismatch


def test_a_model_never_charges_on_the_other_models_account(stripe_sim: StripeSimulator) -> None:
    """E3, E4: an account that is missing is not the platform's."""
    with pytest.raises(ProviderRefused, match="account"):
        DIRECT.open_checkout(order())
    with pytest.raises(ProviderRefused, match="account"):
        PLATFORM.open_checkout(order(account=stripe_sim.account()))


@pytest.mark.parametrize(("provider", "kind"), [(DIRECT, "merchant"), (PLATFORM, "recipient")])
def test_an_account_is_made_once_and_ready_when_stripe_says_so(
    stripe_sim: StripeSimulator, provider: StripeProvider, kind: AccountKind
) -> None:
    """E3, E4: not by coming back, but by the capability; what is missing is named."""
    key = f"account:{uuid.uuid4()}"
    wanted = AccountOrder(uuid.uuid4(), kind, "Ada Berg", "ada@example.org", "DE", "EUR", key)
    made = provider.create_account(wanted)
    assert provider.create_account(wanted).external_id == made.external_id
    assert not made.ready
    assert made.requirements
    url = provider.account_link(made.external_id, refresh_url="http://s.localhost/a", return_url="http://s.localhost/b")
    assert url.startswith("http")
    stripe_sim.onboard(made.external_id, ready=False, due=["individual.id_number"])
    assert not provider.read_account(made.external_id).ready
    stripe_sim.onboard(made.external_id)
    ready = provider.read_account(made.external_id)
    assert (ready.ready, ready.requirements) == (True, ())
    accounts: list[dict[str, Any]] = stripe_sim.objects("v2.core.account")
    assert len(accounts) == 1
