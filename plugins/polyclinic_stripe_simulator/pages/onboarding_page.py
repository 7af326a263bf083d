"""Hosted onboarding in the browser."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request

from polyclinic_stripe_simulator.control import Control
from polyclinic_stripe_simulator.objects.accounts import ASKED
from polyclinic_stripe_simulator.pages.page import Show, going
from polyclinic_stripe_simulator.simulation import Simulation
from polyclinic_stripe_simulator.store import PLATFORM


class OnboardingPage:
    """The page that an account link leads to, once."""

    def __init__(self, simulation: Simulation, control: Control) -> None:
        """Onboard accounts of one simulation."""
        self.store, self.control = simulation.store, control

    def show(self, identity: str, request: Request) -> Show:
        """What Stripe would ask for; a used or old link goes back for a new one."""
        hidden, use = self._link(identity)
        if self._over(hidden):
            return going(use["refresh_url"])
        account = self.store.find("v2.core.account", hidden["link"]["account"], PLATFORM)
        due = self.store.hidden(account["id"]).get("due") or list(ASKED)
        values = {"account": account, "link": identity, "asked": [ASKED.get(name, name) for name in due]}
        return Show("onboarding.html", values, leads_to=(use.get("return_url"), use["refresh_url"]))

    def answer(self, identity: str, request: Request) -> Show:
        """Approve, leave something due, or change nothing; then back."""
        hidden, use = self._link(identity)
        if self._over(hidden):
            return going(use["refresh_url"])
        answer = request.form.get("answer")
        with self.store.transaction():
            found = self.store.find("link", identity, PLATFORM)
            self.store.save(found, used=True)
            if answer in ("ready", "due"):
                self.control.onboard(hidden["link"]["account"], ready=answer == "ready")
        return going(use.get("return_url") or use["refresh_url"])

    def _link(self, identity: str) -> tuple[dict[str, Any], dict[str, Any]]:
        self.store.find("link", identity, PLATFORM)
        hidden = self.store.hidden(identity)
        use = hidden["link"]["use_case"]
        return hidden, use[use["type"]]

    def _over(self, hidden: dict[str, Any]) -> bool:
        return bool(hidden["used"] or hidden["until"] < self.store.now())
