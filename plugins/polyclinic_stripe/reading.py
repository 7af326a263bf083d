"""What Stripe's objects say about a payment, as facts (E7). Given: plain dictionaries. Pure."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from polyclinic.hooks.providers import Captured, PaymentReading, PaymentReference, PaymentStatus, RefundStatus, Returned
from polyclinic.kernel.money import Money
from polyclinic_stripe.amounts import from_stripe, to_stripe

Object = dict[str, Any]

_REFUNDS: dict[str, RefundStatus] = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}


def reading_of(
    payment: PaymentReference, session: Object, refunds: Sequence[Object], fee_refunds: Sequence[Object], *, live: bool
) -> PaymentReading:
    """Return the facts of a session whose intent, charge and balance transaction are expanded."""
    intent = _object(session.get("payment_intent"))
    charge = _object((intent or {}).get("latest_charge"))
    wrong = mismatch(payment, session, intent, live=live)
    captured = None
    if intent and charge and intent["status"] == "succeeded":
        captured = captured_of(charge)
    status = status_of(session, intent)
    if status == "paid" and captured is None:
        wrong = wrong or "paid, but without a charge"
    return PaymentReading(
        status=status,
        intent_id=intent["id"] if intent else None,
        captured=captured,
        returned=returned_of(refunds, fee_refunds),
        disputed=bool(charge and charge.get("disputed")),
        failure=_failure(intent),
        mismatch=wrong,
    )


def _object(value: Any) -> Object | None:
    """Return an expanded object; an id alone is none."""
    return value if isinstance(value, dict) else None


def status_of(session: Object, intent: Object | None) -> PaymentStatus:
    """Return where a payment stands; completed without money is processing, for methods that take days."""
    if session["payment_status"] == "paid":
        return "paid"
    if session["status"] == "expired":
        return "expired"
    if session["status"] == "open":
        return "open"
    return "failed" if intent and intent["status"] in ("requires_payment_method", "canceled") else "processing"


def _failure(intent: Object | None) -> str | None:
    error = (intent or {}).get("last_payment_error") or {}
    return error.get("decline_code") or error.get("code")


def mismatch(payment: PaymentReference, session: Object, intent: Object | None, *, live: bool) -> str | None:
    """Say why this session is not the payment that was asked for, or None; what is not is never confirmed (E7)."""
    ours, asked = str(payment.payment_id), to_stripe(payment.amount)
    for found in (session, intent):
        if found is None:
            continue
        named = (found.get("metadata") or {}).get("payment")
        if named != ours:
            return f"{found['object']} {found['id']} names payment {named!r}"
        if found["livemode"] is not live:
            return f"{found['object']} {found['id']} is of {'live' if found['livemode'] else 'test'} mode"
        amount = found["amount_total"] if found is session else found["amount"]
        if (amount, found["currency"].upper()) != (asked, payment.amount.currency):
            expected = f"{asked} {payment.amount.currency.lower()}"
            return f"{found['object']} {found['id']} is of {amount} {found['currency']}, expected {expected}"
    if intent and intent["status"] == "succeeded" and intent["amount_received"] != asked:
        return f"payment_intent {intent['id']} received {intent['amount_received']}, expected {asked}"
    return None


def captured_of(charge: Object) -> Captured:
    """Return what was taken, and what of it reached the platform and Stripe."""
    currency = charge["currency"]
    fee = charge.get("application_fee")
    return Captured(
        charge_id=charge["id"],
        amount=from_stripe(charge["amount_captured"], currency),
        provider_fee=_provider_fee(_object(charge.get("balance_transaction"))),
        commission=from_stripe(charge.get("application_fee_amount") or 0, currency),
        commission_id=fee["id"] if isinstance(fee, dict) else fee,
        occurred_at=instant(charge["created"]),
    )


def _provider_fee(transaction: Object | None) -> Money | None:
    """Return what Stripe kept; the application fee stands among its fees as well and is not Stripe's."""
    if transaction is None:
        return None
    kept = [fee["amount"] for fee in transaction["fee_details"] if fee["type"] != "application_fee"]
    return from_stripe(sum(kept), transaction["currency"])


def returned_of(refunds: Sequence[Object], fee_refunds: Sequence[Object]) -> tuple[Returned, ...]:
    """Return every refund with the commission that went back with it, oldest first.

    Stripe does not say which return of a fee belongs to which refund. Both are in order of time, and our refunds say
    whether they give commission back; a rest goes to the last, so that the sum is always what Stripe says.
    """
    ordered = _oldest_first(refunds)
    fees = [fee["amount"] for fee in _oldest_first(fee_refunds)]
    giving = [refund for refund in ordered if (refund.get("metadata") or {}).get("commission") != "kept"] or ordered
    shares = {refund["id"]: 0 for refund in ordered}
    for refund, fee in zip(giving, fees, strict=False):
        shares[refund["id"]] = fee
    if giving and len(fees) > len(giving):
        shares[giving[-1]["id"]] += sum(fees[len(giving) :])
    return tuple(_returned(refund, shares[refund["id"]]) for refund in ordered)


def _oldest_first(newest_first: Sequence[Object]) -> list[Object]:
    """Turn a list of Stripe's round; within one second its own order is the only one there is."""
    found = list(newest_first)
    found.reverse()
    found.sort(key=lambda one: int(one["created"]))
    return found


def _returned(refund: Object, commission: int) -> Returned:
    return Returned(
        external_id=refund["id"],
        refund_id=_ours((refund.get("metadata") or {}).get("refund")),
        amount=from_stripe(refund["amount"], refund["currency"]),
        commission=from_stripe(commission, refund["currency"]),
        status=_REFUNDS.get(refund["status"], "pending"),
        failure=refund.get("failure_reason"),
        occurred_at=instant(refund["created"]),
    )


def _ours(text: str | None) -> uuid.UUID | None:
    """Return an id of ours from metadata that anybody with a dashboard may have written."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def instant(seconds: int) -> dt.datetime:
    """Return the instant that Stripe names, UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
