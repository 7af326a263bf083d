"""Balance transactions: every movement of an account's money, with Stripe's fee; and what they add up to."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from polyclinic_stripe_simulator.api.calls import Call, handles
from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.objects.listing import listed
from polyclinic_stripe_simulator.simulation import APPLICATION
from polyclinic_stripe_simulator.store import Object

KIND = "balance_transaction"
DAYS_UNTIL_AVAILABLE = 2
DELAYED = frozenset({"charge", "payment"})
CATEGORIES = {
    "payment": "charge",
    "payment_refund": "refund",
    "application_fee": "platform_earning",
    "application_fee_refund": "platform_earning_refund",
    "transfer_refund": "transfer_reversal",
}


def move(call: Call, kind: str, amount: int, currency: str, source: str, **fees: int) -> Object:
    """Book `amount` on the account of `call`; `fees` (stripe_fee, application_fee) are taken off it."""
    details = [_fee(name, taken, currency) for name, taken in fees.items() if taken]
    fee = sum(one["amount"] for one in details)
    delayed = kind in DELAYED
    found = build(
        KIND,
        id=call.store.new_id("txn"),
        amount=amount,
        available_on=call.now + (DAYS_UNTIL_AVAILABLE * 86400 if delayed else 0),
        balance_type="payments",
        created=call.now,
        currency=currency,
        fee=fee,
        fee_details=details,
        net=amount - fee,
        reporting_category=CATEGORIES.get(kind, kind),
        source=source,
        status="pending" if delayed else "available",
        type=kind,
    )
    return call.store.insert(found, call.account)


def _fee(name: str, amount: int, currency: str) -> Object:
    application = name == "application_fee"
    words = "application fee" if application else "Stripe processing fees"
    return {
        "amount": amount,
        "application": APPLICATION if application else None,
        "currency": currency,
        "description": words,
        "type": name,
    }


def current(call: Call, found: Object) -> Object:
    """A transaction whose money may have become available meanwhile."""
    available = found["available_on"] <= call.now
    return {**found, "status": "available" if available else "pending"}


def sums(call: Call) -> dict[str, dict[str, int]]:
    """Net sums of the account by currency: available and pending."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: {"available": 0, "pending": 0})
    for one in call.store.all(KIND, call.account):
        found[one["currency"]][current(call, one)["status"]] += one["net"]
    return found


@handles("GET /v1/balance_transactions")
def list_transactions(call: Call) -> Object:
    """All movements of an account."""
    found = [current(call, one) for one in call.store.all(KIND, call.account)]
    return listed(call, found, "/v1/balance_transactions")


@handles("GET /v1/balance_transactions/{id}")
def get_transaction(call: Call) -> Object:
    """One movement."""
    return current(call, call.find(KIND, call.ids[0]))


@handles("GET /v1/balance")
def get_balance(call: Call) -> Object:
    """What an account has, by currency."""
    found = sums(call) or {"eur": {"available": 0, "pending": 0}}
    amounts: dict[str, list[dict[str, Any]]] = {
        state: [{"amount": by[state], "currency": currency} for currency, by in sorted(found.items())]
        for state in ("available", "pending")
    }
    return build("balance", **amounts, livemode=False, object="balance")
