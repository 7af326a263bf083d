"""Transfers of the platform's money to connected accounts, and their reversals."""

from __future__ import annotations

from typing import Any

from polyclinic_stripe_simulator.api.calls import Call, handles
from polyclinic_stripe_simulator.currencies import check_amount, check_currency, formatted
from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.errors import Refused, missing, required
from polyclinic_stripe_simulator.objects.accounts import active
from polyclinic_stripe_simulator.objects.balance import move, sums
from polyclinic_stripe_simulator.objects.listing import listed, whole
from polyclinic_stripe_simulator.objects.metadata import changed_metadata, clean_metadata
from polyclinic_stripe_simulator.store import PLATFORM, Object

KIND, REVERSAL = "transfer", "transfer_reversal"


def transfer_to(call: Call, amount: int, currency: str, destination: str, charge: Object | None, **more: Any) -> Object:
    """Move money to an account; `more`: application_fee, metadata, description, transfer_group."""
    fee = more.pop("application_fee", 0)
    identity = call.store.new_id("tr")
    there = call.on(destination)
    payment = build(
        "charge",
        id=call.store.new_id("py"),
        amount=amount,
        amount_captured=amount,
        application_fee_amount=fee or None,
        captured=True,
        created=call.now,
        currency=currency,
        livemode=False,
        metadata={},
        paid=True,
        source_transfer=identity,
        status="succeeded",
    )
    payment["balance_transaction"] = move(there, "payment", amount, currency, payment["id"], application_fee=fee)["id"]
    call.store.insert(payment, destination)
    found = build(
        KIND,
        id=identity,
        amount=amount,
        balance_transaction=move(call, KIND, -amount, currency, identity)["id"],
        created=call.now,
        currency=currency,
        destination=destination,
        destination_payment=payment["id"],
        livemode=False,
        metadata=more.pop("metadata", {}),
        reversals=whole([], f"/v1/transfers/{identity}/reversals"),
        source_transaction=charge["id"] if charge else None,
        source_type="card",
        **{"transfer_group": charge["transfer_group"] if charge else None, **more},
    )
    call.store.insert(found, PLATFORM)
    call.emit("transfer.created", found)
    return found


@handles("POST /v1/transfers")
def create_transfer(call: Call) -> Object:
    """Pay out a share: of a charge (`source_transaction`), or of the available balance."""
    if call.account:
        raise Refused("Transfers are made by the platform: leave Stripe-Account away.")
    params = call.params
    currency = check_currency(params["currency"], "currency")
    destination = _destination(call, params["destination"])
    charge = None
    if params.get("source_transaction"):
        charge = call.find("charge", params["source_transaction"], "source_transaction")
    amount = params.get("amount", charge["amount"] if charge else None)
    if amount is None:
        raise required("amount")
    check_amount(amount, currency, smallest=False)
    if charge:
        _check_source(call, charge, amount, currency)
    elif sums(call).get(currency, {"available": 0})["available"] < amount:
        raise Refused(
            "You have insufficient available funds in your Stripe account.", code="balance_insufficient", param="amount"
        )
    more = {name: params[name] for name in ("description", "transfer_group") if params.get(name)}
    return transfer_to(
        call, amount, currency, destination["id"], charge, metadata=clean_metadata(params.get("metadata")), **more
    )


def _destination(call: Call, identity: str) -> Object:
    found = call.store.get(identity, PLATFORM)
    if found is None or found["object"] != "v2.core.account":
        raise missing("destination", identity, "destination")
    if not active(found, "recipient", "stripe_balance.stripe_transfers"):
        raise Refused(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers, "
            "crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    return found


def _check_source(call: Call, charge: Object, amount: int, currency: str) -> None:
    if charge["status"] == "failed":
        raise Refused("A failed charge cannot be the source of a transfer.", param="source_transaction")
    if charge["currency"] != currency:
        raise Refused(
            f"The currency of source_transaction's balance transaction ({charge['currency']}) must be the same as the "
            f"transfer currency ({currency})",
            param="currency",
        )
    used = sum(one["amount"] for one in call.store.all(KIND) if one["source_transaction"] == charge["id"])
    if used + amount > charge["amount"]:
        raise Refused(
            f"Transfers using this transaction as a source must not exceed the source amount of "
            f"{formatted(charge['amount'], currency)}. There are already other transfers using this as a source with "
            f"a combined amount of {formatted(used, currency)}.",
            param="amount",
        )


@handles("GET /v1/transfers")
def list_transfers(call: Call) -> Object:
    """The platform's transfers."""
    return listed(call, call.store.all(KIND, call.account), "/v1/transfers")


@handles("GET /v1/transfers/{transfer}")
def get_transfer(call: Call) -> Object:
    """One transfer."""
    return call.find(KIND, call.ids[0])


@handles("POST /v1/transfers/{transfer}")
def update_transfer(call: Call) -> Object:
    """Change what is noted of a transfer."""
    found = call.find(KIND, call.ids[0])
    found["description"] = call.params.get("description", found["description"])
    found["metadata"] = changed_metadata(found["metadata"], call.params.get("metadata"))
    call.store.save(found)
    call.emit("transfer.updated", found)
    return found


@handles("POST /v1/transfers/{id}/reversals")
def create_reversal(call: Call) -> Object:
    """Take a transfer back, whole or in part."""
    transfer = call.find(KIND, call.ids[0])
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = call.params.get("amount", left)
    if not 0 < amount <= left:
        raise Refused(
            f"Transfer reversal amount ({formatted(amount, transfer['currency'])}) is greater than the unreversed "
            f"amount on the transfer ({formatted(left, transfer['currency'])})",
            param="amount",
        )
    return reverse(call, transfer, amount, metadata=clean_metadata(call.params.get("metadata")))


def reverse(call: Call, transfer: Object, amount: int, **more: Any) -> Object:
    """Book a reversal on both sides."""
    there, currency = call.on(transfer["destination"]), transfer["currency"]
    found = build(
        REVERSAL, id=call.store.new_id("trr"), amount=amount, created=call.now, currency=currency,
        transfer=transfer["id"], **more,
    )  # fmt: skip
    back = build(
        "refund", id=call.store.new_id("pyr"), amount=amount, charge=transfer["destination_payment"],
        created=call.now, currency=currency, metadata={}, source_transfer_reversal=found["id"], status="succeeded",
    )  # fmt: skip
    back["balance_transaction"] = move(there, "payment_refund", -amount, currency, back["id"])["id"]
    call.store.insert(back, transfer["destination"])
    found["balance_transaction"] = move(call, "transfer_refund", amount, currency, found["id"])["id"]
    found["destination_payment_refund"] = back["id"]
    call.store.insert(found, PLATFORM)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"] = whole(_reversals(call, transfer["id"]), f"/v1/transfers/{transfer['id']}/reversals")
    call.store.save(transfer)
    call.emit("transfer.reversed", transfer)
    return found


def _reversals(call: Call, transfer: str) -> list[Object]:
    return [one for one in call.store.all(REVERSAL) if one["transfer"] == transfer]


@handles("GET /v1/transfers/{id}/reversals")
def list_reversals(call: Call) -> Object:
    """Reversals of a transfer."""
    found = call.find(KIND, call.ids[0])
    return listed(call, _reversals(call, found["id"]), f"/v1/transfers/{found['id']}/reversals")


@handles("GET /v1/transfers/{transfer}/reversals/{id}")
def get_reversal(call: Call) -> Object:
    """One reversal."""
    return call.find(REVERSAL, call.ids[1])
