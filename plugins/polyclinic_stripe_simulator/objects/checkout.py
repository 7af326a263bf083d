"""Checkout Sessions as the API makes and ends them; paying is in `hosted_checkout`."""

from __future__ import annotations

from typing import Any

from polyclinic_stripe_simulator.api.calls import Call, handles
from polyclinic_stripe_simulator.currencies import check_amount, check_currency
from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.errors import Refused, required
from polyclinic_stripe_simulator.objects.intents import OPEN, cancel, check_charging
from polyclinic_stripe_simulator.objects.listing import listed, whole
from polyclinic_stripe_simulator.objects.metadata import changed_metadata, clean_metadata
from polyclinic_stripe_simulator.store import Object

KIND = "checkout.session"
SHORTEST, LONGEST = 30 * 60, 24 * 3600
GRACE = 30
"""Seconds for the way of a request: half an hour after it was written."""
PLAIN = ("cancel_url", "client_reference_id", "customer_email", "locale", "submit_type", "success_url", "return_url")
BRANDING = {
    "background_color": "#ffffff",
    "border_style": "rounded",
    "button_color": "#0f172a",
    "display_name": "Simulated business",
    "font_family": "default",
}


@handles("POST /v1/checkout/sessions")
def create_session(call: Call) -> Object:
    """A session for one payment, or for saving a card."""
    params = call.params
    mode = params.get("mode")
    if not mode:
        raise required("mode")
    if mode == "subscription":
        raise Refused("This simulator knows the modes payment and setup.", param="mode")
    _check_addresses(params)
    if params.get("customer"):
        call.find("customer", params["customer"], "customer")
        if params.get("customer_email"):
            raise Refused("You may only specify one of these parameters: customer, customer_email.", param="customer")
    items, currency = _items(call, params, mode)
    total = sum(item["amount_total"] for item in items)
    if mode == "payment":
        check_amount(total, currency, "line_items")
        check_charging(call, total, params.get("payment_intent_data") or {}, "payment_intent_data")
    identity = call.store.new_id("cs_test", 58)
    found = _session(call, identity, mode, currency, total)
    call.store.insert(found, call.account, {"items": items, "params": params})
    return found


def _session(call: Call, identity: str, mode: str, currency: str, total: int) -> Object:
    params = call.params
    data = params.get("payment_intent_data") or params.get("setup_intent_data") or {}
    clean_metadata(data.get("metadata"))
    hosted = params.get("ui_mode", "hosted_page") == "hosted_page"
    return build(
        KIND,
        id=identity,
        amount_subtotal=total if mode == "payment" else None,
        amount_total=total if mode == "payment" else None,
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        branding_settings=_branding(params.get("branding_settings") or {}),
        created=call.now,
        currency=currency,
        customer=params.get("customer") or None,
        customer_creation=params.get("customer_creation", "if_required") if mode == "payment" else None,
        expires_at=_end(call, params.get("expires_at")),
        livemode=False,
        metadata=clean_metadata(params.get("metadata")),
        mode=mode,
        payment_method_types=list(params.get("allowed_payment_method_types") or ["card", "sepa_debit"]),
        payment_status="unpaid" if mode == "payment" else "no_payment_required",
        status="open",
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0} if mode == "payment" else None,
        ui_mode=params.get("ui_mode", "hosted_page"),
        url=f"{call.simulation.options.public_url}/pay/{identity}" if hosted else None,
        client_secret=None if hosted else f"{identity}_secret_{call.store.new_id('s')[2:]}",
        **{name: params[name] for name in PLAIN if params.get(name)},
    )


def _check_addresses(params: dict[str, Any]) -> None:
    if params.get("ui_mode", "hosted_page") == "hosted_page":
        if not params.get("success_url"):
            raise required("success_url")
        if params.get("return_url"):
            raise Refused("You can not pass `return_url` in `hosted_page` mode.", param="return_url")
    elif params.get("success_url") or params.get("cancel_url"):
        raise Refused("You can not pass `success_url` or `cancel_url` in this `ui_mode`.", param="success_url")
    elif not params.get("return_url") and params.get("redirect_on_completion") != "never":
        raise required("return_url")
    for name in ("success_url", "cancel_url", "return_url"):
        if params.get(name) and not params[name].startswith(("http://", "https://")):
            raise Refused("Not a valid URL", param=name, code="url_invalid")


def _branding(given: dict[str, Any]) -> Object:
    kept = {name: value for name, value in given.items() if value not in (None, "")}
    return build("payment_pages_checkout_session_branding_settings", **{**BRANDING, **kept})


def _end(call: Call, wanted: int | None) -> int:
    if wanted is None:
        return call.now + LONGEST
    if wanted < call.now + SHORTEST - GRACE:
        raise Refused(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", param="expires_at"
        )
    if wanted > call.now + LONGEST + GRACE:
        raise Refused(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at"
        )
    return wanted


def _items(call: Call, params: dict[str, Any], mode: str) -> tuple[list[Object], str]:
    given = params.get("line_items") or []
    if mode == "setup":
        if given:
            raise Refused("You can not pass `line_items` in `setup` mode.", param="line_items")
        if not params.get("currency") and not params.get("allowed_payment_method_types"):
            raise required("currency")
        return [], check_currency(params.get("currency", "eur"), "currency")
    if not given:
        raise required("line_items")
    items = [_item(call, item, f"line_items[{number}]") for number, item in enumerate(given)]
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        raise Refused(
            f"All prices on a Checkout Session must use the same currency; found {', '.join(sorted(currencies))}.",
            param="line_items",
        )
    return items, currencies.pop()


def _item(call: Call, item: dict[str, Any], path: str) -> Object:
    price = item.get("price_data")
    if item.get("price"):
        raise Refused(f"No such price: '{item['price']}'", param=f"{path}[price]", code="resource_missing")
    if not price:
        raise required(f"{path}[price_data]")
    currency = check_currency(price["currency"], f"{path}[price_data][currency]")
    quantity = item.get("quantity")
    if quantity is None or quantity < 1:
        raise Refused("Quantity is required and must be at least 1.", param=f"{path}[quantity]")
    product = price.get("product_data")
    if not product:
        raise required(f"{path}[price_data][product_data]")
    if price.get("unit_amount") is None:
        raise required(f"{path}[price_data][unit_amount]")
    unit = price["unit_amount"]
    if unit < 0:
        raise Refused("This value must be greater than or equal to 0.", param=f"{path}[price_data][unit_amount]")
    total = unit * quantity
    return build(
        "item",
        id=call.store.new_id("li"),
        amount_subtotal=total,
        amount_total=total,
        currency=currency,
        description=product["name"],
        price=_price(call, price, currency),
        quantity=quantity,
    )


def _price(call: Call, price: dict[str, Any], currency: str) -> Object:
    return build(
        "price",
        id=call.store.new_id("price"),
        active=False,
        billing_scheme="per_unit",
        created=call.now,
        currency=currency,
        livemode=False,
        metadata={},
        product=call.store.new_id("prod", 14),
        tax_behavior="unspecified",
        type="one_time",
        unit_amount=price["unit_amount"],
        unit_amount_decimal=str(price["unit_amount"]),
    )


def line_items(call: Call, session: Object) -> Object:
    """What is paid for in a session."""
    items = call.store.hidden(session["id"])["items"]
    return whole(items, f"/v1/checkout/sessions/{session['id']}/line_items")


def expire(call: Call, session: Object) -> Object:
    """End an open session: nobody can pay it any more."""
    if session["status"] != "open":
        raise Refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session['status']}`."
        )
    session.update(status="expired", url=None)
    call.store.save(session)
    intent = call.store.get(session["payment_intent"] or "", call.account)
    if intent and intent["status"] in OPEN:
        cancel(call, intent, "expired")
    call.emit("checkout.session.expired", session)
    return session


def expire_if_due(call: Call, session: Object) -> Object:
    """The session as it is by now."""
    return expire(call, session) if session["status"] == "open" and session["expires_at"] <= call.now else session


@handles("POST /v1/checkout/sessions/{session}/expire")
def expire_session(call: Call) -> Object:
    """End an open session."""
    return expire(call, expire_if_due(call, call.find(KIND, call.ids[0])))


@handles("GET /v1/checkout/sessions/{session}")
def get_session(call: Call) -> Object:
    """One session."""
    return expire_if_due(call, call.find(KIND, call.ids[0]))


@handles("POST /v1/checkout/sessions/{session}")
def update_session(call: Call) -> Object:
    """Change what is noted of a session."""
    found = call.find(KIND, call.ids[0])
    found["metadata"] = changed_metadata(found["metadata"] or {}, call.params.get("metadata"))
    return call.store.save(found)


@handles("GET /v1/checkout/sessions")
def list_sessions(call: Call) -> Object:
    """Sessions of this account."""
    return listed(call, call.store.all(KIND, call.account), "/v1/checkout/sessions")


@handles("GET /v1/checkout/sessions/{session}/line_items")
def list_line_items(call: Call) -> Object:
    """What is paid for in a session."""
    session = call.find(KIND, call.ids[0])
    items = call.store.hidden(session["id"])["items"]
    return listed(call, items, f"/v1/checkout/sessions/{session['id']}/line_items")
