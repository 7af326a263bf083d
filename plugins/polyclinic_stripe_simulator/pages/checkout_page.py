"""Hosted checkout and 3-D Secure in the browser."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from werkzeug.wrappers import Request

from polyclinic_stripe_simulator.cards import CARDS
from polyclinic_stripe_simulator.currencies import formatted
from polyclinic_stripe_simulator.errors import Refused
from polyclinic_stripe_simulator.objects.charges import descriptor
from polyclinic_stripe_simulator.objects.checkout import KIND, expire_if_due
from polyclinic_stripe_simulator.objects.hosted_checkout import answer_challenge, open_session, pay
from polyclinic_stripe_simulator.pages.page import Show, call_for, going
from polyclinic_stripe_simulator.simulation import Simulation
from polyclinic_stripe_simulator.store import Object

RADII = {"rounded": "0.5rem", "rectangular": "0", "pill": "2rem"}
SHOWN_CARDS = (
    ("4242424242424242", "Succeeds"),
    ("4000000000000002", "Is declined"),
    ("4000000000009995", "Has too little money"),
    ("4000002500003155", "Asks for 3-D Secure"),
    ("4000000000000069", "Has expired"),
    ("4000000000007726", "Succeeds; its refunds stay pending"),
    ("4000000000005126", "Succeeds; its refunds fail"),
    ("4000000000000259", "Succeeds; is disputed at once"),
)
FALLBACK = "#0f172a"


class CheckoutPage:
    """The pages of a Checkout Session."""

    def __init__(self, simulation: Simulation) -> None:
        """Show sessions of one simulation."""
        self.simulation, self.store = simulation, simulation.store

    def show(self, identity: str, request: Request) -> Show:
        """The page to pay on; words instead when there is nothing to pay any more."""
        call = call_for(self.simulation, identity)
        with self.store.transaction():
            session = expire_if_due(call, call.find(KIND, identity))
        if session["status"] != "open":
            return _closed(session)
        intent = self.store.get(session["payment_intent"] or "")
        error = (intent or {}).get("last_payment_error") or {}
        return self._page(session, {}, error.get("message", ""))

    def pay(self, identity: str, request: Request) -> Show:
        """Try to pay: on to the portal, to 3-D Secure, or back here with the reason."""
        call, given = call_for(self.simulation, identity), request.form
        person = {"email": given.get("email", "").strip(), "name": given.get("name", "").strip()}
        debit = given.get("way") == "debit"
        try:
            with self.store.transaction():
                session = open_session(call, identity)
                session = pay(call, session, "debit" if debit else "card", given.get("number", ""), person)
        except Refused as refused:
            session = call.find(KIND, identity)
            if session["status"] != "open":
                return _closed(session)
            return self._page(session, given.to_dict(), refused.error["message"], 402)
        if session["status"] == "open":
            return going(f"{self.simulation.options.public_url}/challenge/{session['payment_intent']}")
        return going(_success(session))

    def ask(self, identity: str, request: Request) -> Show:
        """3-D Secure's question."""
        intent = call_for(self.simulation, identity).find("payment_intent", identity)
        if intent["status"] != "requires_action":
            return Show("message.html", {"heading": "Nothing to confirm", "text": "This payment was answered already."})
        total = formatted(intent["amount"], intent["currency"])
        return Show("challenge.html", {"intent": intent, "total": total}, leads_to=self._after(identity))

    def answer(self, identity: str, request: Request) -> Show:
        """3-D Secure's answer: on to the portal, or back to the page with the reason."""
        call = call_for(self.simulation, identity)
        session_id = self.store.hidden(identity).get("session")
        try:
            with self.store.transaction():
                intent = call.find("payment_intent", identity)
                session = answer_challenge(call, intent, good=request.form.get("answer") == "yes")
        except Refused as refused:
            if session_id and refused.keeps_effects:
                return going(f"{self.simulation.options.public_url}/pay/{session_id}")
            raise
        if session is not None:
            return going(_success(session))
        back = self.store.hidden(identity).get("return_url")
        text = "You can close this page and go back to where you came from."
        return going(back) if back else Show("message.html", {"heading": "Confirmed", "text": text})

    def _after(self, intent: str) -> tuple[str | None, ...]:
        hidden = self.store.hidden(intent)
        session = self.store.get(hidden.get("session", ""))
        return (session["success_url"] if session else None, hidden.get("return_url"))

    def _page(self, session: Object, given: dict[str, Any], error: str, status: int = 200) -> Show:
        hidden = self.store.hidden(session["id"])
        brand = {**session["branding_settings"], "button_color": colour(session["branding_settings"]["button_color"])}
        data = hidden["params"].get("payment_intent_data") or {}
        names = ("statement_descriptor_suffix", "statement_descriptor")
        intent = {name: data.get(name) for name in names}
        items = [
            {
                "name": item["description"],
                "quantity": item["quantity"],
                "amount": formatted(item["amount_total"], item["currency"]),
            }
            for item in hidden["items"]
        ]
        until = dt.datetime.fromtimestamp(session["expires_at"], dt.UTC)
        values = {
            "session": session,
            "brand": brand,
            "ink": ink(brand["button_color"]),
            "radius": RADII[brand["border_style"]],
            "items": items,
            "total": formatted(session["amount_total"] or 0, session["currency"] or "eur"),
            "until": f"{until:%d %b %Y, %H:%M}",
            "error": error,
            "given": given,
            "cards": [(spaced(number), effect) for number, effect in SHOWN_CARDS if number in CARDS],
            "descriptor": descriptor(intent) if session["mode"] == "payment" else "",
            "later": session["mode"] == "payment" and "sepa_debit" in session["payment_method_types"],
        }
        return Show("pay.html", values, status, leads_to=(session["success_url"], session["cancel_url"]))


def _closed(session: Object) -> Show:
    if session["status"] == "complete":
        values = {"heading": "This is done", "text": "The payment page was used already.", "back_label": "Go on"}
        return Show("message.html", values | {"back": _success(session)})
    values = {
        "heading": "This page has expired",
        "text": "Nothing was paid. Go back and start again.",
        "back_label": "Go back",
    }
    return Show("message.html", values | {"back": session["cancel_url"]}, 410)


def _success(session: Object) -> str:
    return str(session["success_url"] or session.get("return_url")).replace("{CHECKOUT_SESSION_ID}", session["id"])


def spaced(number: str) -> str:
    """A card number in groups of four."""
    return " ".join(re.findall("..?.?.?", number))


def colour(value: str) -> str:
    """A colour as #rrggbb; anything else becomes the usual one."""
    return value if re.fullmatch(r"#[0-9a-fA-F]{6}", value) else FALLBACK


def ink(background: str) -> str:
    """Black or white, whichever reads better on a colour (relative luminance, WCAG 2)."""
    parts = [int(background[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#ffffff"
