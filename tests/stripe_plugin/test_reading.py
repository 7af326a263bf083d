"""E7: what Stripe's objects say becomes facts; what does not fit our payment is never a confirmation."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from polyclinic.hooks.providers import PaymentReference
from polyclinic.kernel.money import Money
from polyclinic_stripe.reading import reading_of, returned_of

PAYMENT = PaymentReference(uuid.UUID(int=42), "acct_ada", "cs_1", "pi_1", Money(8000, "EUR"))
IDS = {"payment": str(PAYMENT.payment_id), "portal": str(uuid.UUID(int=3))}


def charge(**changes: Any) -> dict[str, Any]:
    transaction = {
        "currency": "eur",
        "fee_details": [{"type": "application_fee", "amount": 1200}, {"type": "stripe_fee", "amount": 145}],
    }
    return {
        "id": "ch_1",
        "amount_captured": 8000,
        "currency": "eur",
        "application_fee": "fee_1",
        "application_fee_amount": 1200,
        "balance_transaction": transaction,
        "created": 1764072000,
        "disputed": False,
    } | changes


def intent(**changes: Any) -> dict[str, Any]:
    return {
        "object": "payment_intent",
        "id": "pi_1",
        "status": "succeeded",
        "amount": 8000,
        "amount_received": 8000,
        "currency": "eur",
        "livemode": False,
        "metadata": IDS,
        "last_payment_error": None,
        "latest_charge": charge(),
    } | changes


def session(**changes: Any) -> dict[str, Any]:
    return {
        "object": "checkout.session",
        "id": "cs_1",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": 8000,
        "currency": "eur",
        "livemode": False,
        "metadata": IDS,
        "payment_intent": intent(),
    } | changes


def refund(number: int, **changes: Any) -> dict[str, Any]:
    named = {"refund": str(uuid.UUID(int=number)), "commission": "returned"}
    return {
        "id": f"re_{number}",
        "amount": 1000 * number,
        "currency": "eur",
        "status": "succeeded",
        "created": 1764072000 + number,
        "metadata": named,
    } | changes


def fee_refund(number: int, amount: int) -> dict[str, Any]:
    return {"id": f"fr_{number}", "amount": amount, "created": 1764072000 + number}


def test_a_paid_session_says_what_was_taken_and_who_kept_what_of_it() -> None:
    """E3: the application fee stands among the fees of the balance transaction and is not Stripe's."""
    reading = reading_of(PAYMENT, session(), [], [], live=False)
    assert (reading.status, reading.mismatch, reading.intent_id) == ("paid", None, "pi_1")
    assert reading.captured is not None
    assert reading.captured.amount == Money(8000, "EUR")
    assert reading.captured.commission == Money(1200, "EUR")
    assert reading.captured.provider_fee == Money(145, "EUR")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "open", "payment_status": "unpaid", "payment_intent": None}, "open"),
        ({"status": "expired", "payment_status": "unpaid", "payment_intent": None}, "expired"),
        ({"payment_status": "unpaid", "payment_intent": intent(status="processing", latest_charge=None)}, "processing"),
        (
            {
                "payment_status": "unpaid",
                "payment_intent": intent(status="requires_payment_method", latest_charge=None),
            },
            "failed",
        ),
    ],
)
def test_completed_without_money_is_not_paid(changes: dict[str, Any], status: str) -> None:
    """E7: methods that take days complete the session long before there is money."""
    reading = reading_of(PAYMENT, session(**changes), [], [], live=False)
    assert (reading.status, reading.captured) == (status, None)


def test_a_declined_card_leaves_the_page_open_and_its_reason_known() -> None:
    error = {"code": "card_declined", "decline_code": "insufficient_funds"}
    declined = intent(status="requires_payment_method", last_payment_error=error, latest_charge=None)
    found = session(status="open", payment_status="unpaid", payment_intent=declined)
    assert reading_of(PAYMENT, found, [], [], live=False).failure == "insufficient_funds"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount_total": 1}, "is of 1 eur, expected 8000 eur"),
        ({"currency": "usd"}, "is of 8000 usd"),
        ({"metadata": {"payment": "other"}}, "names payment 'other'"),
        ({"metadata": None}, "names payment None"),
        ({"livemode": True}, "is of live mode"),
        ({"payment_intent": intent(amount=1)}, "payment_intent pi_1 is of 1 eur"),
        ({"payment_intent": intent(amount_received=1)}, "received 1, expected 8000"),
        ({"payment_intent": intent(metadata={})}, "payment_intent pi_1 names payment None"),
        ({"payment_intent": None}, "without a charge"),
    ],
)
def test_what_is_not_the_payment_asked_for_is_a_mismatch(changes: dict[str, Any], words: str) -> None:
    """E7: amount, currency, mode and id are compared with our row before anything is believed."""
    assert words in (reading_of(PAYMENT, session(**changes), [], [], live=False).mismatch or "")


def test_each_refund_says_how_much_commission_went_back_with_it() -> None:
    """E3: as Stripe rounded it, in the order of time, and in sum always what Stripe says."""
    refunds = [refund(3), refund(1), refund(2, metadata={"refund": str(uuid.UUID(int=2)), "commission": "kept"})]
    found = returned_of(refunds, [fee_refund(3, 450), fee_refund(1, 150)])
    assert [(one.external_id, one.commission.minor) for one in found] == [("re_1", 150), ("re_2", 0), ("re_3", 450)]
    more = returned_of([refund(1)], [fee_refund(1, 150), fee_refund(2, 50)])
    assert [one.commission.minor for one in more] == [200]


def test_a_refund_made_in_the_dashboard_is_read_and_nobodys_of_ours() -> None:
    """E8: metadata that somebody typed is no id."""
    found = returned_of([refund(1, metadata={}), refund(2, metadata={"refund": "soon"}, status="pending")], [])
    assert [one.refund_id for one in found] == [None, None]
    assert [one.status for one in found] == ["succeeded", "pending"]
    failed = returned_of([refund(1, status="failed", failure_reason="lost_or_stolen_card")], [])
    assert (failed[0].status, failed[0].failure) == ("failed", "lost_or_stolen_card")
