"""Paying a Checkout Session: what the hosted page does for the person in front of it."""

from __future__ import annotations

from typing import Any, Literal

from polyclinic_stripe_simulator.api.calls import Call
from polyclinic_stripe_simulator.cards import Card
from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.errors import Refused
from polyclinic_stripe_simulator.objects.checkout import KIND, expire_if_due
from polyclinic_stripe_simulator.objects.intents import complete_promise, confirm, new_intent, prove
from polyclinic_stripe_simulator.objects.payment_methods import known_card, new_card, new_debit
from polyclinic_stripe_simulator.store import Object

Way = Literal["card", "debit"]
PERSON = {"email": "patient@example.com", "name": "Simulated Person"}


def open_session(call: Call, identity: str) -> Object:
    """The session of a page, if it can still be paid; raises Refused."""
    found = expire_if_due(call, call.find(KIND, identity))
    if found["status"] != "open":
        raise Refused(f"This Checkout Session is {found['status']}.", code="checkout_session_closed")
    return found


def pay(call: Call, session: Object, way: Way, number: str = "", person: Object | None = None) -> Object:
    """Try to pay: the session is complete afterwards, or its intent asks for a challenge; a decline raises Refused."""
    person = {**PERSON, **{k: v for k, v in (person or {}).items() if v}}
    if session["customer_email"]:
        person["email"] = session["customer_email"]
    card = known_card(number) if way == "card" else None
    if session["mode"] == "setup":
        return _save_card(call, session, card, person)
    method = new_card(call, card, person) if card else new_debit(call, person)
    intent = _intent(call, session)
    call.store.save(session, person=person)
    return after(call, session, confirm(call, intent, method))


def _intent(call: Call, session: Object) -> Object:
    known = call.store.get(session["payment_intent"] or "", call.account)
    if known is not None:
        return known
    data: dict[str, Any] = dict(call.store.hidden(session["id"])["params"].get("payment_intent_data") or {})
    data["customer"] = session["customer"]
    intent = new_intent(call, session["amount_total"], session["currency"], data)
    session["payment_intent"] = intent["id"]
    call.store.save(session)
    call.store.save(intent, session=session["id"])
    return intent


def after(call: Call, session: Object, intent: Object) -> Object:
    """What an intent's new state means for its session."""
    if intent["status"] == "succeeded":
        return _complete(call, session, "paid")
    if intent["status"] == "processing":
        return _complete(call, session, "unpaid")
    return session


def _complete(call: Call, session: Object, payment_status: str) -> Object:
    person = call.store.hidden(session["id"]).get("person", PERSON)
    if session["customer_creation"] == "always" and not session["customer"]:
        session["customer"] = _new_customer(call, person)
    session.update(
        status="complete",
        payment_status=payment_status,
        url=None,
        customer_details=build(
            "payment_pages_checkout_session_customer_details",
            email=person["email"],
            name=person["name"],
            tax_exempt="none",
        ),
    )
    call.store.save(session)
    call.emit("checkout.session.completed", session)
    return session


def _new_customer(call: Call, person: Object) -> str:
    found = build("customer", id=call.store.new_id("cus", 14), created=call.now, livemode=False, metadata={}, **person)
    call.store.insert(found, call.account)
    call.emit("customer.created", found)
    return str(found["id"])


def _save_card(call: Call, session: Object, card: Card | None, person: Object) -> Object:
    if card is None or card.code:
        raise Refused(card.message if card else "Only cards can be saved here.", status=402, kind="card_error")
    method = new_card(call, card, person)
    method["customer"] = session["customer"]
    call.store.save(method, proven=True)
    data = call.store.hidden(session["id"])["params"].get("setup_intent_data") or {}
    setup = build(
        "setup_intent",
        id=call.store.new_id("seti"),
        created=call.now,
        customer=session["customer"],
        livemode=False,
        metadata=data.get("metadata") or {},
        payment_method=method["id"],
        payment_method_types=["card"],
        status="succeeded",
        usage="off_session",
    )
    call.store.insert(setup, call.account)
    session["setup_intent"] = setup["id"]
    call.store.save(session, person=person)
    call.emit("setup_intent.succeeded", setup)
    return _complete(call, session, "no_payment_required")


def answer_challenge(call: Call, intent: Object, *, good: bool) -> Object | None:
    """The person passed or failed 3-D Secure: the session of the intent, if it has one."""
    identity = call.store.hidden(intent["id"]).get("session")
    session = call.find(KIND, identity) if identity else None
    proven = prove(call, intent, good=good)
    return after(call, session, proven) if session else None


def settle_promise(call: Call, intent: Object, *, good: bool) -> Object:
    """Money that was promised came, or did not come: tell the session's listeners too."""
    complete_promise(call, intent, good=good)
    identity = call.store.hidden(intent["id"]).get("session")
    if identity:
        session = call.find(KIND, identity)
        session["payment_status"] = "paid" if good else "unpaid"
        call.store.save(session)
        call.emit(f"checkout.session.async_payment_{'succeeded' if good else 'failed'}", session)
    return intent
