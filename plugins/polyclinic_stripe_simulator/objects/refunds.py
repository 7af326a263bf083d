"""Refunds: whole and in part, with the platform's fee and a transfer in proportion; pending ones and failed ones."""

from __future__ import annotations

from polyclinic_stripe_simulator.api.calls import Call, handles
from polyclinic_stripe_simulator.cards import CARDS
from polyclinic_stripe_simulator.currencies import check_amount, formatted
from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.errors import Refused, missing
from polyclinic_stripe_simulator.objects.balance import move
from polyclinic_stripe_simulator.objects.fees import return_fee, share
from polyclinic_stripe_simulator.objects.listing import listed
from polyclinic_stripe_simulator.objects.metadata import changed_metadata, clean_metadata
from polyclinic_stripe_simulator.objects.transfers import reverse
from polyclinic_stripe_simulator.store import PLATFORM, Object

KIND = "refund"


@handles("POST /v1/refunds")
def create_refund(call: Call) -> Object:
    """Give money of a charge back."""
    charge, params = _charge(call), call.params
    amount = _amount(charge, params.get("amount"))
    status = call.store.setting("next_refund") or _status_of(call, charge)
    call.store.set("next_refund", None)
    found = build(
        KIND,
        id=call.store.new_id("re"),
        amount=amount,
        charge=charge["id"],
        created=call.now,
        currency=charge["currency"],
        metadata=clean_metadata(params.get("metadata")),
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        status="pending" if status == "pending" else "succeeded",
        destination_details={"type": "card", "card": {"type": "refund", "reference_status": "pending"}},
    )
    if found["status"] == "pending":
        found["pending_reason"] = "processing"
    fee = _fee_back(call, charge, amount) if params.get("refund_application_fee") else 0
    if params.get("reverse_transfer"):
        found["transfer_reversal"] = _transfer_back(call, charge, amount, found["id"])
    kind = "payment_refund" if charge["id"].startswith("py") else "refund"
    moved = move(call, kind, -amount, charge["currency"], found["id"], application_fee=-fee if call.account else 0)
    found["balance_transaction"] = moved["id"]
    call.store.insert(found, call.account, {"fails": status == "failed"})
    _note(call, charge, amount)
    call.emit("refund.created", found)
    call.emit("charge.refunded", charge)
    if status == "failed":
        fail_refund(call, found)
    return found


def _charge(call: Call) -> Object:
    params = call.params
    if params.get("charge"):
        charge = call.find("charge", params["charge"], "charge")
    elif params.get("payment_intent"):
        intent = call.find("payment_intent", params["payment_intent"], "payment_intent")
        if not intent["latest_charge"]:
            raise Refused(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                code="payment_intent_unexpected_state",
                param="payment_intent",
            )
        charge = call.find("charge", intent["latest_charge"])
    else:
        raise Refused("One of the following params should be provided for this request: payment_intent or charge.")
    if charge["status"] != "succeeded":
        raise Refused(f"This charge ({charge['id']}) is {charge['status']} and cannot be refunded.", param="charge")
    if charge["disputed"]:
        raise Refused(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    return charge


def _amount(charge: Object, wanted: int | None) -> int:
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise Refused(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = check_amount(left if wanted is None else wanted, charge["currency"], smallest=False)
    if amount > left:
        raise Refused(
            f"Refund amount ({formatted(amount, charge['currency'])}) is greater than unrefunded amount on charge "
            f"({formatted(left, charge['currency'])})",
            param="amount",
        )
    return amount


def _status_of(call: Call, charge: Object) -> str:
    return CARDS[call.store.hidden(charge["id"]).get("number", "4242424242424242")].refunds


def _fee_back(call: Call, charge: Object, amount: int) -> int:
    fee = call.store.get(charge["application_fee"] or "", PLATFORM)
    if fee is None:
        raise Refused("This charge has no application fee that could be refunded.", param="refund_application_fee")
    part = charge["amount_refunded"] + amount
    back = max(share(fee["amount"], part, charge["amount"], fee["amount_refunded"]), 0)
    if back:
        return_fee(call.on(PLATFORM), fee, back)
    return back


def _transfer_back(call: Call, charge: Object, amount: int, refund: str) -> str | None:
    transfer = call.store.get(charge.get("transfer") or "", PLATFORM)
    if transfer is None:
        raise Refused("This charge has no transfer that could be reversed.", param="reverse_transfer")
    part = charge["amount_refunded"] + amount
    back = share(transfer["amount"], part, charge["amount"], transfer["amount_reversed"])
    return str(reverse(call, transfer, back, source_refund=refund)["id"]) if back > 0 else None


def _note(call: Call, charge: Object, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    call.store.save(charge)


def complete_refund(call: Call, refund: Object) -> Object:
    """A pending refund arrived."""
    if refund["status"] != "pending":
        raise Refused(f"This refund is {refund['status']}, not pending.")
    refund["status"] = "succeeded"
    refund.pop("pending_reason", None)
    call.store.save(refund)
    call.emit("refund.updated", refund, status="pending")
    call.emit("charge.refund.updated", refund, status="pending")
    return refund


def fail_refund(call: Call, refund: Object, status: str = "failed") -> Object:
    """The bank sends a refund back (or it is cancelled): its money returns to the account's balance."""
    if refund["status"] not in ("pending", "succeeded"):
        raise Refused(f"This refund is already {refund['status']}.")
    previous, refund["status"] = refund["status"], status
    refund.pop("pending_reason", None)
    moved = move(call, "refund_failure", refund["amount"], refund["currency"], refund["id"])
    refund.update(failure_balance_transaction=moved["id"], failure_reason="lost_or_stolen_card")
    call.store.save(refund)
    charge = call.find("charge", refund["charge"])
    _note(call, charge, -refund["amount"])
    call.emit("refund.failed" if status == "failed" else "refund.updated", refund, status=previous)
    call.emit("charge.refund.updated", refund, status=previous)
    return refund


@handles("GET /v1/refunds")
def list_refunds(call: Call) -> Object:
    """Refunds of this account."""
    return listed(call, call.store.all(KIND, call.account), "/v1/refunds")


@handles("GET /v1/refunds/{refund}")
def get_refund(call: Call) -> Object:
    """One refund."""
    found = call.store.get(call.ids[0], call.account)
    if found is None or found["object"] != KIND:
        raise missing("refund", call.ids[0])
    return found


@handles("POST /v1/refunds/{refund}")
def update_refund(call: Call) -> Object:
    """Change what is noted of a refund."""
    found = call.find(KIND, call.ids[0])
    found["metadata"] = changed_metadata(found["metadata"], call.params.get("metadata"))
    call.store.save(found)
    call.emit("refund.updated", found)
    return found


@handles("POST /v1/refunds/{refund}/cancel")
def cancel_refund(call: Call) -> Object:
    """Refused as by Stripe for cards: only a refund that waits for the customer can be cancelled."""
    call.find(KIND, call.ids[0])
    raise Refused("Only refunds with a status of `requires_action` can be canceled.")
