"""What the control interface can do, for its page and for its JSON form alike."""

from __future__ import annotations

from typing import Any

from polyclinic_stripe_simulator.api.calls import Call
from polyclinic_stripe_simulator.api.faults import Fault, plan
from polyclinic_stripe_simulator.errors import Refused, missing
from polyclinic_stripe_simulator.objects.accounts import ASKED, settle
from polyclinic_stripe_simulator.objects.checkout import expire
from polyclinic_stripe_simulator.objects.disputes import decide_dispute, open_dispute
from polyclinic_stripe_simulator.objects.hosted_checkout import answer_challenge, open_session, pay, settle_promise
from polyclinic_stripe_simulator.objects.refunds import complete_refund, fail_refund
from polyclinic_stripe_simulator.simulation import Simulation
from polyclinic_stripe_simulator.store import PLATFORM, Object
from polyclinic_stripe_simulator.sweeping import sweep
from polyclinic_stripe_simulator.webhooks import ORDERS, Deliverer

OUTCOMES = ("paid", "declined", "challenge", "later")
SWITCHES = ("hold", "copies", "drop", "decline_next", "next_refund")


class Control:
    """Everything that people and tests may do to a simulation from outside of the API."""

    def __init__(self, simulation: Simulation, deliverer: Deliverer) -> None:
        """Control one simulation."""
        self.simulation, self.deliverer, self.store = simulation, deliverer, simulation.store

    def _call(self, identity: str) -> tuple[Call, Object]:
        found = self.store.get(identity)
        if found is None:
            raise missing("object", identity)
        return Call(self.simulation, "", (), {}, self.store.account_of(identity)), found

    def objects(self, kind: str | None = None, account: str | None = None) -> list[Object]:
        """Objects of a kind (of every kind), newest first; of one account if it is named."""
        kinds = [kind] if kind else [row["kind"] for row in self.store.rows("SELECT DISTINCT kind FROM object")]
        return [one for name in kinds for one in self.store.all(name, account)]

    def deliveries(self) -> list[Object]:
        """What was sent, is waiting or was dropped; newest first."""
        return [dict(row) for row in self.store.rows("SELECT * FROM delivery ORDER BY seq DESC LIMIT 500")]

    def switch(self, **values: Any) -> Object:
        """Set switches: hold, copies (extra deliveries), drop (next n), decline_next, next_refund."""
        for name, value in values.items():
            if name not in SWITCHES:
                raise Refused(f"There is no switch '{name}'; expected one of {', '.join(SWITCHES)}", param=name)
            self.store.set(name, value)
        return {name: self.store.setting(name) for name in SWITCHES}

    def aim(self, targets: dict[str, Any]) -> Object:
        """Send webhooks elsewhere: by endpoint (account, connect, thin) `url`, `host`, `secrets`."""
        self.store.set("targets", targets)
        return targets

    def deliver(self, order: str = "first", times: int = 1, event: str | None = None) -> list[Object]:
        """Send what is held, in an order (first, last, random) and number; or one event again."""
        if order not in ORDERS:
            raise Refused(f"order is '{order}'; expected one of {', '.join(ORDERS)}", param="order")
        return self.deliverer.again(event, times) if event else self.deliverer.release(order, times)

    def fail_next(self, **fault: Any) -> Object:
        """Let the next calls fail: path, status, after_effect, times, seconds."""
        with self.store.transaction():
            plan(self.store, Fault(**fault))
        return fault

    def pay(self, session: str, card: str = "4242424242424242", outcome: str | None = None) -> Object:
        """Pay a session as a person would; `outcome` instead of a card: paid, declined, challenge, later.

        The answer is the session, with `error` when the card was refused. `challenge` and a card that asks for 3-D
        Secure leave the session open until `prove`.
        """
        if outcome is not None and outcome not in OUTCOMES:
            raise Refused(f"outcome is '{outcome}'; expected one of {', '.join(OUTCOMES)}", param="outcome")
        card = {"declined": "4000000000000002", "challenge": "4000002500003155"}.get(outcome or "", card)
        call, _found = self._call(session)
        try:
            with self.store.transaction():
                found = pay(call, open_session(call, session), "debit" if outcome == "later" else "card", card)
        except Refused as refused:
            return {**call.find("checkout.session", session), "error": refused.error}
        return found

    def prove(self, intent: str, good: bool = True) -> Object:
        """Answer a 3-D Secure challenge."""
        call, found = self._call(intent)
        try:
            with self.store.transaction():
                answer_challenge(call, found, good=good)
        except Refused as refused:
            return {**call.find("payment_intent", intent), "error": refused.error}
        return call.find("payment_intent", intent)

    def settle(self, intent: str, good: bool = True) -> Object:
        """Money that was promised arrives, or does not."""
        call, found = self._call(intent)
        with self.store.transaction():
            return settle_promise(call, found, good=good)

    def onboard(self, account: str, ready: bool = True, due: list[str] | None = None) -> Object:
        """Finish onboarding of an account; with `ready=False` something stays due."""
        found = self.store.find("v2.core.account", account, PLATFORM)
        with self.store.transaction():
            settle(self.simulation, found, [] if ready else due or list(ASKED))
            self.simulation.emit_thin("v2.core.account_link.returned", account)
        return self.store.find("v2.core.account", account, PLATFORM)

    def refund(self, refund: str, good: bool = True) -> Object:
        """Let a refund arrive, or come back."""
        call, found = self._call(refund)
        with self.store.transaction():
            return complete_refund(call, found) if good else fail_refund(call, found)

    def dispute(self, charge: str) -> Object:
        """Let the cardholder dispute a charge."""
        call, found = self._call(charge)
        with self.store.transaction():
            return open_dispute(call, found)

    def decide(self, dispute: str, won: bool) -> Object:
        """End a dispute."""
        call, found = self._call(dispute)
        with self.store.transaction():
            return decide_dispute(call, found, won=won)

    def expire(self, session: str) -> Object:
        """End an open session as if its time was over."""
        call, found = self._call(session)
        with self.store.transaction():
            return expire(call, found)

    def advance(self, seconds: int) -> Object:
        """Let time go by for sessions and balances; signatures keep the real time."""
        self.store.set("offset", int(self.store.setting("offset", 0)) + seconds)
        sweep(self.simulation)
        return {"now": self.store.now()}

    def reset(self) -> Object:
        """Forget everything but where webhooks go."""
        self.store.forget_everything()
        return {}
