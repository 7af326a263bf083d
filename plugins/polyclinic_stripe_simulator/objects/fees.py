"""Application fees: what the platform keeps of an account's charge, and gives back."""

from __future__ import annotations

from polyclinic_stripe_simulator.api.calls import Call, handles
from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.errors import Refused
from polyclinic_stripe_simulator.objects.balance import move
from polyclinic_stripe_simulator.objects.listing import listed, whole
from polyclinic_stripe_simulator.objects.metadata import clean_metadata
from polyclinic_stripe_simulator.simulation import APPLICATION
from polyclinic_stripe_simulator.store import PLATFORM, Object

KIND, REFUND = "application_fee", "fee_refund"


def collect_fee(call: Call, charge: Object, account: str, amount: int, source: str | None = None) -> Object:
    """Take a fee of `charge` on `account`; `call` is the platform's."""
    identity = call.store.new_id("fee")
    moved = move(call, KIND, amount, charge["currency"], identity)
    found = build(
        KIND,
        id=identity,
        account=account,
        amount=amount,
        application=APPLICATION,
        balance_transaction=moved["id"],
        charge=charge["id"],
        created=call.now,
        currency=charge["currency"],
        livemode=False,
        originating_transaction=source,
        refunds=whole([], f"/v1/application_fees/{identity}/refunds"),
    )
    call.store.insert(found, PLATFORM)
    call.emit("application_fee.created", found)
    return found


def return_fee(call: Call, fee: Object, amount: int, metadata: Object | None = None) -> Object:
    """Give back `amount` of a fee; `call` is the platform's."""
    found = build(
        REFUND,
        id=call.store.new_id("fr"),
        amount=amount,
        created=call.now,
        currency=fee["currency"],
        fee=fee["id"],
        metadata=metadata or {},
    )
    found["balance_transaction"] = move(call, "application_fee_refund", -amount, fee["currency"], found["id"])["id"]
    call.store.insert(found, PLATFORM)
    fee["amount_refunded"] += amount
    fee["refunded"] = fee["amount_refunded"] == fee["amount"]
    fee["refunds"] = whole(_refunds(call, fee["id"]), f"/v1/application_fees/{fee['id']}/refunds")
    call.store.save(fee)
    call.emit("application_fee.refunded", fee)
    return found


def share(whole_amount: int, part: int, total: int, already: int) -> int:
    """What `part` of `total` means for `whole_amount`, less what was `already` given: adds up to the whole exactly."""
    return whole_amount * part // total - already


def _refunds(call: Call, fee: str) -> list[Object]:
    return [one for one in call.store.all(REFUND) if one["fee"] == fee]


@handles("GET /v1/application_fees")
def list_fees(call: Call) -> Object:
    """The platform's fees."""
    return listed(call, call.store.all(KIND, call.account), "/v1/application_fees")


@handles("GET /v1/application_fees/{id}")
def get_fee(call: Call) -> Object:
    """One fee."""
    return call.find(KIND, call.ids[0])


@handles("POST /v1/application_fees/{id}/refunds")
def refund_fee(call: Call) -> Object:
    """Give a fee back to the account that paid it."""
    fee = call.find(KIND, call.ids[0])
    left = fee["amount"] - fee["amount_refunded"]
    amount = call.params.get("amount", left)
    if not 0 < amount <= left:
        raise Refused(f"Refund amount ({amount}) is greater than unrefunded amount on fee ({left}).", param="amount")
    found = return_fee(call, fee, amount, clean_metadata(call.params.get("metadata")))
    move(call.on(fee["account"]), "application_fee_refund", amount, fee["currency"], found["id"])
    return found


@handles("GET /v1/application_fees/{id}/refunds")
def list_fee_refunds(call: Call) -> Object:
    """What was given back of a fee."""
    fee = call.find(KIND, call.ids[0])
    return listed(call, _refunds(call, fee["id"]), f"/v1/application_fees/{fee['id']}/refunds")


@handles("GET /v1/application_fees/{fee}/refunds/{id}")
def get_fee_refund(call: Call) -> Object:
    """One return of a fee."""
    return call.find(REFUND, call.ids[1])
