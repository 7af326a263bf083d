"""Payment methods: test cards, saved cards, and a bank debit whose money comes later."""

from __future__ import annotations

from typing import Any

from polyclinic_stripe_simulator.api.calls import Call, handles
from polyclinic_stripe_simulator.cards import CARDS, TOKENS, Card, digits, valid
from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.errors import Refused, declined, missing, required
from polyclinic_stripe_simulator.objects.listing import listed
from polyclinic_stripe_simulator.objects.metadata import changed_metadata, clean_metadata
from polyclinic_stripe_simulator.store import Object

KIND = "payment_method"
EXPIRY_YEARS = 5
SECONDS_OF_A_YEAR = 365 * 86400


def card_of(call: Call, method: Object) -> Card:
    """The test card behind a method; a bank debit behaves like a good one."""
    return CARDS[call.store.hidden(method["id"]).get("number", "4242424242424242")]


def known_card(number: str) -> Card:
    """The test card of a number; raises Refused for anything that could be a real card."""
    number = digits(number)
    if number in CARDS:
        return CARDS[number]
    if valid(number):
        raise declined(
            "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid "
            "test cards, visit: https://docs.stripe.com/testing.",
            "card_declined",
            "test_mode_live_card",
        )
    raise declined("Your card number is incorrect.", "incorrect_number", None, param="number")


def new_card(call: Call, card: Card, billing: Object | None = None) -> Object:
    """A method of a test card."""
    year = 1970 + call.now // SECONDS_OF_A_YEAR + EXPIRY_YEARS
    found = build(
        KIND,
        id=call.store.new_id("pm"),
        allow_redisplay="unspecified",
        billing_details=build("billing_details", **(billing or {})),
        card=build(
            "payment_method_card",
            brand=card.brand,
            country="DE",
            display_brand=card.brand,
            exp_month=12,
            exp_year=year,
            fingerprint=f"simulated{card.number[-8:]}",
            funding="credit",
            last4=card.last4,
        ),
        created=call.now,
        livemode=False,
        metadata={},
        type="card",
    )
    return call.store.insert(found, call.account, {"number": card.number})


def new_debit(call: Call, billing: Object | None = None) -> Object:
    """A bank debit: paid days after it was promised."""
    found = build(
        KIND,
        id=call.store.new_id("pm"),
        allow_redisplay="unspecified",
        billing_details=build("billing_details", **(billing or {})),
        created=call.now,
        livemode=False,
        metadata={},
        sepa_debit=build("payment_method_sepa_debit", bank_code="37040044", country="DE", last4="3000"),
        type="sepa_debit",
    )
    return call.store.insert(found, call.account)


def resolved(call: Call, identity: str, param: str = "payment_method") -> Object:
    """A method by its id, or a new one by the name of a test card such as `pm_card_visa`."""
    name = identity.removeprefix("pm_card_")
    if name != identity and name in TOKENS:
        return new_card(call, CARDS[TOKENS[name]])
    found = call.store.get(identity, call.account)
    if found is None or found["object"] != KIND:
        raise missing("PaymentMethod", identity, param)
    return found


@handles("POST /v1/payment_methods")
def create_method(call: Call) -> Object:
    """A method from a test card, or a copy of the platform's for the account of this request."""
    if "payment_method" in call.params:
        return _copied(call)
    kind = call.params.get("type")
    if not kind:
        raise required("type")
    if kind == "sepa_debit":
        return new_debit(call, call.params.get("billing_details") or None)
    if kind != "card":
        raise Refused("This simulator knows the types card and sepa_debit.", param="type")
    card: dict[str, Any] = call.params.get("card") or {}
    token = str(card.get("token", "")).removeprefix("tok_")
    number = TOKENS.get(token) or card.get("number")
    if not number:
        raise required("card[number]")
    found = new_card(call, known_card(number), call.params.get("billing_details") or None)
    found["metadata"] = clean_metadata(call.params.get("metadata"))
    return call.store.save(found)


def _copied(call: Call) -> Object:
    identity, customer = call.params["payment_method"], call.params.get("customer")
    source = call.store.get(identity, "")
    if not call.account or source is None or source["customer"] != customer:
        raise missing("PaymentMethod", identity, "payment_method")
    return new_card(call, card_of(call, source), source["billing_details"])


@handles("GET /v1/payment_methods")
def list_methods(call: Call) -> Object:
    """Methods of this account."""
    return listed(call, call.store.all(KIND, call.account), "/v1/payment_methods")


@handles("GET /v1/customers/{customer}/payment_methods")
def list_customers_methods(call: Call) -> Object:
    """Saved methods of a customer."""
    customer = call.find("customer", call.ids[0])
    found = [one for one in call.store.all(KIND, call.account) if one["customer"] == customer["id"]]
    return listed(call, found, f"/v1/customers/{customer['id']}/payment_methods")


@handles("GET /v1/payment_methods/{payment_method}")
def get_method(call: Call) -> Object:
    """One method."""
    return resolved(call, call.ids[0])


@handles("POST /v1/payment_methods/{payment_method}")
def update_method(call: Call) -> Object:
    """Change what is noted of a method."""
    found = resolved(call, call.ids[0])
    found["metadata"] = changed_metadata(found["metadata"] or {}, call.params.get("metadata"))
    found["billing_details"] |= call.params.get("billing_details") or {}
    return call.store.save(found)


@handles("POST /v1/payment_methods/{payment_method}/attach")
def attach_method(call: Call) -> Object:
    """Save a method for a customer."""
    found = resolved(call, call.ids[0])
    if not call.params.get("customer"):
        raise required("customer")
    found["customer"] = call.find("customer", call.params["customer"], "customer")["id"]
    call.store.save(found)
    call.emit("payment_method.attached", found)
    return found


@handles("POST /v1/payment_methods/{payment_method}/detach")
def detach_method(call: Call) -> Object:
    """Remove a saved method."""
    found = resolved(call, call.ids[0])
    if found["customer"] is None:
        raise Refused("The payment method you provided is not attached to a customer so detachment is impossible.")
    previous, found["customer"] = found["customer"], None
    call.store.save(found)
    call.emit("payment_method.detached", found, customer=previous)
    return found
