"""Disputes: a cardholder takes a charge back; somebody decides in the control page."""

from __future__ import annotations

from polyclinic_stripe_simulator.api.calls import Call, handles
from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.errors import Refused
from polyclinic_stripe_simulator.objects.balance import move
from polyclinic_stripe_simulator.objects.listing import listed
from polyclinic_stripe_simulator.objects.metadata import changed_metadata
from polyclinic_stripe_simulator.store import Object

KIND = "dispute"
FEE = 1500
DAYS = 7


def open_dispute(call: Call, charge: Object, reason: str = "fraudulent") -> Object:
    """The cardholder disputes a charge: the money is withdrawn."""
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise Refused("Only a charge that succeeded and is not yet disputed can be disputed.")
    amount, currency = charge["amount"] - charge["amount_refunded"], charge["currency"]
    identity = call.store.new_id("du")
    moved = move(call, "adjustment", -amount, currency, identity, stripe_fee=FEE)
    found = build(
        KIND,
        id=identity,
        amount=amount,
        balance_transactions=[moved],
        charge=charge["id"],
        created=call.now,
        currency=currency,
        livemode=False,
        metadata={},
        payment_intent=charge["payment_intent"],
        reason=reason,
        status="needs_response",
        evidence_details=build("dispute_evidence_details", due_by=call.now + DAYS * 86400),
    )
    call.store.insert(found, call.account)
    charge["disputed"] = True
    call.store.save(charge)
    call.emit("charge.dispute.created", found)
    call.emit("charge.dispute.funds_withdrawn", found)
    return found


def decide_dispute(call: Call, dispute: Object, *, won: bool) -> Object:
    """End a dispute: with the money back, or without."""
    if dispute["status"] in ("won", "lost"):
        raise Refused(f"This dispute is already {dispute['status']}.")
    dispute["status"] = "won" if won else "lost"
    if won:
        moved = move(call, "adjustment", dispute["amount"], dispute["currency"], dispute["id"])
        dispute["balance_transactions"].append(moved)
    call.store.save(dispute)
    call.emit("charge.dispute.closed", dispute)
    if won:
        call.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


@handles("GET /v1/disputes")
def list_disputes(call: Call) -> Object:
    """Disputes of this account."""
    return listed(call, call.store.all(KIND, call.account), "/v1/disputes")


@handles("GET /v1/disputes/{dispute}")
def get_dispute(call: Call) -> Object:
    """One dispute."""
    return call.find(KIND, call.ids[0])


@handles("POST /v1/disputes/{dispute}")
def update_dispute(call: Call) -> Object:
    """Bring evidence; with `submit` it is under review."""
    found = call.find(KIND, call.ids[0])
    found["evidence"] |= {name: value for name, value in (call.params.get("evidence") or {}).items() if value}
    found["evidence_details"]["has_evidence"] = True
    found["metadata"] = changed_metadata(found["metadata"], call.params.get("metadata"))
    if call.params.get("submit", True):
        found["status"] = "under_review"
        found["evidence_details"]["submission_count"] += 1
    call.store.save(found)
    call.emit("charge.dispute.updated", found)
    return found


@handles("POST /v1/disputes/{dispute}/close")
def close_dispute(call: Call) -> Object:
    """Accept a dispute: the money is lost."""
    return decide_dispute(call, call.find(KIND, call.ids[0]), won=False)
