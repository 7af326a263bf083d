"""Payment intents: from a promise to a charge, with and without the customer present."""

from __future__ import annotations

import re
from typing import Any

from polyclinic_stripe_simulator.api.calls import Call, handles
from polyclinic_stripe_simulator.cards import CARDS, Card
from polyclinic_stripe_simulator.currencies import check_amount, check_currency
from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.errors import Refused, declined
from polyclinic_stripe_simulator.objects.accounts import active
from polyclinic_stripe_simulator.objects.charges import attempt, settle_charge
from polyclinic_stripe_simulator.objects.disputes import open_dispute
from polyclinic_stripe_simulator.objects.listing import listed
from polyclinic_stripe_simulator.objects.metadata import changed_metadata, clean_metadata
from polyclinic_stripe_simulator.objects.payment_methods import card_of, resolved
from polyclinic_stripe_simulator.store import PLATFORM, Object

KIND = "payment_intent"
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
PLAIN = (
    "description", "receipt_email", "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix",
    "transfer_group", "on_behalf_of",
)  # fmt: skip
CHALLENGED = Card("4000002760003184", code="authentication_required", decline_code="authentication_required",
                  message="Your card was declined. This transaction requires authentication.")  # fmt: skip
UNPROVEN = Card("4000002760003184", code="payment_intent_authentication_failure",
                message="We are unable to authenticate your payment method. Please choose a different payment method "
                        "and try again.")  # fmt: skip


def new_intent(call: Call, amount: int, currency: str, given: dict[str, Any]) -> Object:
    """An intent of `payment_intent_data` or of the parameters of a request; raises Refused."""
    check_charging(call, amount, given, "")
    identity = call.store.new_id("pi")
    data = given.get("transfer_data") or None
    found = build(
        KIND,
        id=identity,
        amount=amount,
        amount_capturable=0,
        amount_received=0,
        application_fee_amount=given.get("application_fee_amount") or None,
        automatic_payment_methods={"allow_redirects": "always", "enabled": True},
        capture_method=given.get("capture_method", "automatic_async"),
        client_secret=f"{identity}_secret_{call.store.new_id('s')[2:]}",
        confirmation_method="automatic",
        created=call.now,
        currency=currency,
        customer=given.get("customer") or None,
        livemode=False,
        metadata=clean_metadata(given.get("metadata")),
        payment_method_types=["card"],
        status="requires_payment_method",
        transfer_data={"destination": data["destination"], **_amount_of(data)} if data else None,
        **{name: given[name] or None for name in PLAIN if name in given},
    )
    call.store.insert(found, call.account)
    call.emit("payment_intent.created", found)
    return found


def _amount_of(data: dict[str, Any]) -> dict[str, int]:
    return {"amount": data["amount"]} if data.get("amount") else {}


def check_charging(call: Call, amount: int, given: dict[str, Any], below: str) -> None:
    """What holds for every charge: who may take a fee, and how long the text on the statement is."""
    fee, data = given.get("application_fee_amount"), given.get("transfer_data") or None
    inside = f"{below}[{{}}]" if below else "{}"
    if fee and not call.account and not data:
        raise Refused(
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an "
            "OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
            param=inside.format("application_fee_amount"),
        )
    if fee is not None and not 0 <= fee <= amount:
        raise Refused(
            "Your application fee cannot exceed the amount of the payment.",
            param=inside.format("application_fee_amount"),
        )
    if data and not active(
        call.store.get(data["destination"], PLATFORM), "recipient", "stripe_balance.stripe_transfers"
    ):
        raise Refused(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers, "
            "crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    if call.account and not active(call.store.get(call.account, PLATFORM), "merchant", "card_payments"):
        raise Refused("Your account cannot currently make charges. Complete its onboarding first.")
    for name in ("statement_descriptor", "statement_descriptor_suffix"):
        words = given.get(name)
        if words and (len(words) > 22 or re.search(r"[<>\\'\"*]", words) or not re.search("[A-Za-z]", words)):
            raise Refused(
                "The statement descriptor must have at most 22 characters, at least one letter, and none of <>\\'\"*",
                param=inside.format(name),
            )


def confirm(call: Call, intent: Object, method: Object, *, off_session: bool = False) -> Object:
    """Try to charge; the intent tells what came of it. A decline raises Refused, with the failed attempt kept."""
    card = card_of(call, method)
    intent["payment_method"] = method["id"]
    if _challenges(call, card, method, off_session=off_session):
        if off_session:
            return fail(call, intent, method, CHALLENGED)
        return _ask_for_proof(call, intent)
    return charge(call, intent, method)


def _challenges(call: Call, card: Card, method: Object, *, off_session: bool) -> bool:
    saved = bool(call.store.hidden(method["id"]).get("proven"))
    return card.challenge == "always" or (card.challenge == "once" and not (off_session and saved))


def _ask_for_proof(call: Call, intent: Object) -> Object:
    address = f"{call.simulation.options.public_url}/challenge/{intent['id']}"
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "redirect_to_url",
        "redirect_to_url": {"url": address, "return_url": call.store.hidden(intent["id"]).get("return_url")},
    }
    call.store.save(intent)
    call.emit("payment_intent.requires_action", intent)
    return intent


def charge(call: Call, intent: Object, method: Object) -> Object:
    """Charge without further questions."""
    card = CARDS["4000000000000002"] if call.store.setting("decline_next") else card_of(call, method)
    call.store.set("decline_next", None)
    if card.code:
        return fail(call, intent, method, card)
    if method["type"] != "card":
        return _promise(call, intent, method, card)
    made = attempt(call, intent, method, "succeeded", card)
    _succeed(call, intent, made)
    if card.disputed:
        open_dispute(call, made)
    return intent


def _promise(call: Call, intent: Object, method: Object, card: Card) -> Object:
    made = attempt(call, intent, method, "pending", card)
    intent.update(status="processing", latest_charge=made["id"], next_action=None, last_payment_error=None)
    intent["payment_method_types"] = [method["type"]]
    call.store.save(intent)
    call.emit("payment_intent.processing", intent)
    return intent


def _succeed(call: Call, intent: Object, made: Object) -> None:
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=made["id"],
        next_action=None,
        last_payment_error=None,
    )
    call.store.save(intent)
    method = call.store.get(made["payment_method"], call.account)
    if method and intent["setup_future_usage"] and intent["customer"]:
        method["customer"] = intent["customer"]
        call.store.save(method, proven=True)
        call.emit("payment_method.attached", method)
    call.emit("payment_intent.succeeded", intent)


def complete_promise(call: Call, intent: Object, *, good: bool) -> Object:
    """A bank debit came back: with the money or without."""
    made = call.find("charge", intent["latest_charge"])
    if intent["status"] != "processing":
        raise Refused(f"This PaymentIntent is {intent['status']}, not processing.")
    if good:
        settle_charge(call, made)
        call.emit("charge.succeeded", made)
        _succeed(call, intent, made)
        return intent
    made.update(status="failed", failure_code="insufficient_funds", failure_message="The account has too little money.")
    call.store.save(made)
    call.emit("charge.failed", made)
    intent["last_payment_error"] = {
        "type": "card_error",
        "code": "insufficient_funds",
        "message": made["failure_message"],
    }
    intent["status"] = "requires_payment_method"
    call.store.save(intent)
    call.emit("payment_intent.payment_failed", intent)
    return intent


def fail(call: Call, intent: Object, method: Object, card: Card) -> Object:
    """A refused charge: kept, told, and raised as Refused (402)."""
    made = attempt(call, intent, method, "failed", card) if card is not UNPROVEN else None
    error = {
        "type": "card_error",
        "code": card.code,
        "message": card.message,
        **({"charge": made["id"]} if made else {}),
        **({"decline_code": card.decline_code} if card.decline_code else {}),
    }
    intent.update(
        status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error,
        latest_charge=made["id"] if made else intent["latest_charge"],
    )  # fmt: skip
    call.store.save(intent)
    call.emit("payment_intent.payment_failed", intent)
    extra = {"charge": made["id"]} if made else {}
    raise declined(card.message, str(card.code), card.decline_code, payment_intent=intent, **extra)


def prove(call: Call, intent: Object, *, good: bool) -> Object:
    """The answer to a 3-D Secure challenge."""
    if intent["status"] != "requires_action":
        raise Refused(f"This PaymentIntent is {intent['status']}; there is nothing to confirm any more.")
    method = resolved(call, intent["payment_method"])
    return charge(call, intent, method) if good else fail(call, intent, method, UNPROVEN)


@handles("POST /v1/payment_intents")
def create_intent(call: Call) -> Object:
    """An intent; charged at once with `confirm`."""
    params = call.params
    currency = check_currency(params["currency"], "currency")
    amount = check_amount(params["amount"], currency)
    if params.get("customer"):
        call.find("customer", params["customer"], "customer")
    if params.get("off_session") and not params.get("confirm"):
        raise Refused("`off_session` can only be given together with `confirm`.", param="off_session")
    intent = new_intent(call, amount, currency, params)
    method = _method(call, intent)
    if method is not None:
        intent.update(payment_method=method["id"], status="requires_confirmation")
        call.store.save(intent)
    return _confirm_by(call, intent, method) if params.get("confirm") else intent


@handles("POST /v1/payment_intents/{intent}/confirm")
def confirm_intent(call: Call) -> Object:
    """Charge an intent."""
    intent = call.find(KIND, call.ids[0])
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "confirm")
    return _confirm_by(call, intent, _method(call, intent))


def _method(call: Call, intent: Object) -> Object | None:
    identity = call.params.get("payment_method") or intent["payment_method"]
    if not identity:
        return None
    method = resolved(call, identity)
    if method["customer"] and method["customer"] != intent["customer"]:
        raise Refused(
            f"The PaymentMethod {method['id']} belongs to the Customer {method['customer']}. Please include the "
            "Customer in the `customer` parameter on the PaymentIntent.",
            param="payment_method",
        )
    return method


def _confirm_by(call: Call, intent: Object, method: Object | None) -> Object:
    if method is None:
        raise Refused(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    if call.params.get("return_url"):
        call.store.save(intent, return_url=call.params["return_url"])
    return confirm(call, intent, method, off_session=bool(call.params.get("off_session")))


def _unexpected(intent: Object, verb: str) -> Refused:
    return Refused(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


@handles("POST /v1/payment_intents/{intent}/cancel")
def cancel_intent(call: Call) -> Object:
    """End an intent that was not charged."""
    intent = call.find(KIND, call.ids[0])
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "cancel")
    return cancel(call, intent, call.params.get("cancellation_reason"))


def cancel(call: Call, intent: Object, reason: str | None) -> Object:
    """End an intent."""
    intent.update(status="canceled", canceled_at=call.now, cancellation_reason=reason, next_action=None)
    call.store.save(intent)
    call.emit("payment_intent.canceled", intent)
    return intent


@handles("POST /v1/payment_intents/{intent}/capture")
def capture_intent(call: Call) -> Object:
    """Refused: this simulator captures at once."""
    raise _unexpected(call.find(KIND, call.ids[0]), "capture")


@handles("POST /v1/payment_intents/{intent}")
def update_intent(call: Call) -> Object:
    """Change an intent; amounts only while it is open."""
    intent, params = call.find(KIND, call.ids[0]), call.params
    if {"amount", "currency", "application_fee_amount"} & set(params):
        if intent["status"] not in OPEN:
            raise _unexpected(intent, "update the amount of")
        intent["currency"] = check_currency(str(params.get("currency", intent["currency"])), "currency")
        intent["amount"] = check_amount(params.get("amount") or intent["amount"], intent["currency"])
        fee = {"application_fee_amount": params.get("application_fee_amount", intent["application_fee_amount"]) or None}
        check_charging(call, intent["amount"], fee | {"transfer_data": intent["transfer_data"]}, "")
        intent |= fee
    intent |= {name: params[name] or None for name in PLAIN if name in params}
    intent["metadata"] = changed_metadata(intent["metadata"], params.get("metadata"))
    return call.store.save(intent)


@handles("GET /v1/payment_intents/{intent}")
def get_intent(call: Call) -> Object:
    """One intent."""
    return call.find(KIND, call.ids[0])


@handles("GET /v1/payment_intents")
def list_intents(call: Call) -> Object:
    """Intents of this account."""
    return listed(call, call.store.all(KIND, call.account), "/v1/payment_intents")
