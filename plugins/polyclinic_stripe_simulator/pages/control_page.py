"""The control page: webhooks, trouble, and what happens to payments afterwards."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Request

from polyclinic_stripe_simulator.api.faults import WAYS
from polyclinic_stripe_simulator.control import SWITCHES, Control
from polyclinic_stripe_simulator.currencies import formatted
from polyclinic_stripe_simulator.errors import Refused
from polyclinic_stripe_simulator.objects.accounts import statuses
from polyclinic_stripe_simulator.pages.page import Show, going
from polyclinic_stripe_simulator.simulation import Simulation
from polyclinic_stripe_simulator.store import Object

SHOWN = 30
NUMBERS = frozenset({"times", "copies", "drop"})
FLAGS = frozenset({"hold", "decline_next", "after_effect", "good", "won", "ready"})
DONE = {
    "switch": "Switched.",
    "deliver": "Sent.",
    "fail_next": "The next calls will fail.",
    "settle": "Decided.",
    "onboard": "Account changed.",
    "refund": "Refund changed.",
    "dispute": "Disputed.",
    "decide": "Dispute ended.",
    "expire": "Session ended.",
    "reset": "Everything forgotten.",
}


class ControlPage:
    """Shows and does."""

    def __init__(self, simulation: Simulation, control: Control) -> None:
        """Control one simulation."""
        self.simulation, self.control, self.store = simulation, control, simulation.store

    def show(self, identity: str, request: Request) -> Show:
        """Everything at a glance."""
        deliveries = [
            one | {"type": (self.store.get(one["event"]) or {}).get("type", "?")}
            for one in self.control.deliveries()[:SHOWN]
        ]
        held = len(self.store.rows("SELECT seq FROM delivery WHERE state = 'held'"))
        values = {
            "said": DONE.get(request.args.get("done", "")),
            "problem": request.args.get("problem"),
            "switches": {name: self.store.setting(name) for name in SWITCHES},
            "deliveries": deliveries,
            "held": held,
            "faults": self.store.setting("faults", []),
            "ways": WAYS,
            "groups": self._groups(),
        }
        return Show("control.html", values)

    def act(self, identity: str, request: Request) -> Show:
        """Do what a button says."""
        given = {name: value for name, value in request.form.items() if name not in ("do", "csrf_token")}
        do = request.form.get("do", "")
        try:
            if do not in DONE:
                raise Refused(f"There is no action '{do}'.")
            getattr(self.control, do)(**{name: _typed(name, value) for name, value in given.items()})
        except Refused as refused:
            return self._back(problem=refused.error["message"])
        except (TypeError, ValueError) as mistake:
            return self._back(problem=f"{do}: {mistake}")
        return self._back(done=do)

    def _back(self, **words: str) -> Show:
        return going(f"{self.simulation.options.public_url}/control?{urlencode(words)}")

    def one(self, identity: str, request: Request) -> Show:
        """An object as it is."""
        found = self.store.get(identity)
        if found is None:
            raise Refused(f"There is no {identity}.", status=404)
        text = json.dumps(found, indent=2, ensure_ascii=False)
        return Show("object.html", {"found": found, "account": self.store.account_of(identity), "text": text})

    def _groups(self) -> list[dict[str, Any]]:
        return [
            self._group("Accounts", "v2.core.account", _account, "No account was connected yet."),
            self._group("Checkout pages", "checkout.session", _session, "Nobody went to pay yet."),
            self._group("Payments", "payment_intent", _intent, "Nobody has paid yet."),
            self._group("Refunds", "refund", _refund, "Nothing was refunded yet."),
            self._group("Disputes", "dispute", _dispute, "Nothing is disputed."),
        ]

    def _group(self, title: str, kind: str, row: Any, empty: str) -> dict[str, Any]:
        found = self.store.all(kind)[:SHOWN]
        return {"title": title, "empty": empty, "rows": [{"id": one["id"], **row(one)} for one in found]}


def _typed(name: str, value: str) -> Any:
    if name in FLAGS:
        return value == "1"
    return int(value) if name in NUMBERS else value


def _action(label: str, do: str, **given: str) -> dict[str, Any]:
    return {"label": label, "do": do, "given": given}


def _account(one: Object) -> dict[str, Any]:
    state = ", ".join(f"{name}: {status}" for (_configuration, name), status in statuses(one).items())
    ready = _action("Approve", "onboard", account=one["id"], ready="1")
    due = _action("Details due", "onboard", account=one["id"], ready="0")
    return {"what": one["display_name"] or one["contact_email"] or "", "state": state, "actions": [ready, due]}


def _session(one: Object) -> dict[str, Any]:
    amount = formatted(one["amount_total"] or 0, one["currency"] or "eur")
    ends = [_action("Expire", "expire", session=one["id"])] if one["status"] == "open" else []
    what = f"{one['branding_settings']['display_name']}, {amount}"
    state = f"{one['status']}, {one['payment_status'].replace('_', ' ')}"
    return {"what": what, "state": state, "actions": ends, "link": one["url"]}


def _intent(one: Object) -> dict[str, Any]:
    actions = []
    if one["status"] == "processing":
        actions = [
            _action("Money comes", "settle", intent=one["id"], good="1"),
            _action("Money does not come", "settle", intent=one["id"], good="0"),
        ]
    if one["status"] == "succeeded":
        actions = [_action("Dispute", "dispute", charge=one["latest_charge"])]
    return {
        "what": formatted(one["amount"], one["currency"]),
        "state": one["status"].replace("_", " "),
        "actions": actions,
    }


def _refund(one: Object) -> dict[str, Any]:
    actions = [_action("Arrives", "refund", refund=one["id"], good="1")] if one["status"] == "pending" else []
    if one["status"] in ("pending", "succeeded"):
        actions.append(_action("Fails", "refund", refund=one["id"], good="0"))
    return {"what": formatted(one["amount"], one["currency"]), "state": one["status"], "actions": actions}


def _dispute(one: Object) -> dict[str, Any]:
    actions = []
    if one["status"] not in ("won", "lost"):
        actions = [
            _action("We win", "decide", dispute=one["id"], won="1"),
            _action("We lose", "decide", dispute=one["id"], won="0"),
        ]
    return {"what": formatted(one["amount"], one["currency"]), "state": one["status"], "actions": actions}
