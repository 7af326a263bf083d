"""Charges: what was taken from a card, in which account, with which fees and transfers."""

from __future__ import annotations

from polyclinic_stripe_simulator.api.calls import Call, handles
from polyclinic_stripe_simulator.cards import Card
from polyclinic_stripe_simulator.currencies import processing_fee
from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.objects.balance import move
from polyclinic_stripe_simulator.objects.fees import collect_fee
from polyclinic_stripe_simulator.objects.listing import listed
from polyclinic_stripe_simulator.objects.metadata import changed_metadata
from polyclinic_stripe_simulator.objects.transfers import transfer_to
from polyclinic_stripe_simulator.simulation import APPLICATION
from polyclinic_stripe_simulator.store import PLATFORM, Object

KIND = "charge"


def attempt(call: Call, intent: Object, method: Object, status: str, card: Card) -> Object:
    """A charge of an intent: succeeded, pending or failed; the money of a good one is booked at once."""
    failed = status == "failed"
    found = build(
        KIND,
        id=call.store.new_id("py" if method["type"] != "card" else "ch"),
        amount=intent["amount"],
        amount_captured=0 if status != "succeeded" else intent["amount"],
        application=APPLICATION if call.account else None,
        application_fee_amount=intent["application_fee_amount"],
        billing_details=method["billing_details"],
        calculated_statement_descriptor=descriptor(intent),
        captured=status != "failed",
        created=call.now,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        failure_code=card.code if failed else None,
        failure_message=card.message if failed else None,
        livemode=False,
        metadata=intent["metadata"],
        outcome=_outcome(status, card),
        paid=status == "succeeded",
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=_details(method),
        receipt_email=intent["receipt_email"],
        statement_descriptor_suffix=intent["statement_descriptor_suffix"],
        status=status,
        transfer_data=_transfer_data(intent),
        transfer_group=intent["transfer_group"],
    )
    call.store.insert(found, call.account, {"number": card.number})
    if status == "succeeded":
        settle_charge(call, found)
    call.emit(f"charge.{status}", found)
    return found


def settle_charge(call: Call, charge: Object) -> None:
    """Book a charge that succeeded: Stripe's fee, the platform's fee, the transfer to a destination."""
    fee = charge["application_fee_amount"] or 0
    charge.update(status="succeeded", paid=True, captured=True, amount_captured=charge["amount"])
    kind = "payment" if charge["id"].startswith("py") else "charge"
    taken = fee if call.account else 0
    stripes = processing_fee(charge["amount"], charge["currency"])
    moved = move(
        call, kind, charge["amount"], charge["currency"], charge["id"], stripe_fee=stripes, application_fee=taken
    )
    charge["balance_transaction"] = moved["id"]
    if call.account and fee:
        charge["application_fee"] = collect_fee(call.on(PLATFORM), charge, call.account, fee)["id"]
    elif charge["transfer_data"]:
        _pass_on(call, charge, fee)
    call.store.save(charge)


def _pass_on(call: Call, charge: Object, fee: int) -> None:
    destination = charge["transfer_data"]["destination"]
    amount = charge["transfer_data"]["amount"] or charge["amount"]
    transfer = transfer_to(call, amount, charge["currency"], destination, charge, application_fee=fee)
    charge["transfer"] = transfer["id"]
    if fee:
        payment = call.store.get(transfer["destination_payment"]) or charge
        charge["application_fee"] = collect_fee(call, payment, destination, fee, charge["id"])["id"]


def _transfer_data(intent: Object) -> Object | None:
    data = intent["transfer_data"]
    return {"destination": data["destination"], "amount": data.get("amount")} if data else None


def _outcome(status: str, card: Card) -> Object:
    words = {"succeeded": "Payment complete.", "pending": "Payment processing.", "failed": card.message}
    return build(
        "charge_outcome",
        network_status="declined_by_network" if status == "failed" else "approved_by_network",
        reason=card.decline_code if status == "failed" else None,
        risk_level="normal",
        risk_score=20,
        seller_message=words[status],
        type="issuer_declined" if status == "failed" else "authorized",
    )


def _details(method: Object) -> Object:
    kind = method["type"]
    kept = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "bank_code")
    known = {name: value for name, value in method[kind].items() if name in kept}
    return {"type": kind, kind: build(f"payment_method_details_{kind}", **known)}


def descriptor(intent: Object) -> str:
    """What stands on the card statement."""
    suffix = intent["statement_descriptor_suffix"]
    return f"SIMULATED* {suffix}"[:22] if suffix else intent["statement_descriptor"] or "SIMULATED"


@handles("GET /v1/charges")
def list_charges(call: Call) -> Object:
    """Charges of this account."""
    return listed(call, call.store.all(KIND, call.account), "/v1/charges")


@handles("GET /v1/charges/{charge}")
def get_charge(call: Call) -> Object:
    """One charge."""
    return call.find(KIND, call.ids[0])


@handles("POST /v1/charges/{charge}")
def update_charge(call: Call) -> Object:
    """Change what is noted of a charge."""
    found = call.find(KIND, call.ids[0])
    for name in ("description", "receipt_email", "transfer_group"):
        if name in call.params:
            found[name] = call.params[name] or None
    found["metadata"] = changed_metadata(found["metadata"], call.params.get("metadata"))
    call.store.save(found)
    call.emit("charge.updated", found)
    return found
