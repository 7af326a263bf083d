"""E6–E8, B8: a machine that pays, declines, doubles, delays, reorders and cancels, and what always holds."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from polyclinic.booking.models import Appointment
from polyclinic.kernel.errors import Conflict
from support.till import Till
from support.visitors import set_time

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("portal", ["alpha", "beta"])
def test_any_order_of_events_ends_in_the_same_books(till: Till, portal: str) -> None:
    """Both models: the platform charges on Alpha, the specialist's account on Beta."""
    till.tell_nobody()

    class Paying(RuleBasedStateMachine):
        appointment: Appointment
        url: str
        refunded: int = 0

        @initialize()
        def book(self) -> None:
            _empty(till)
            cast = till.desk.cast
            self.patient = cast.alpha.patient if portal == "alpha" else cast.beta.patient
            self.specialist = cast.ada if portal == "alpha" else cast.ben
            self.appointment, self.url = till.start(self.patient, self.specialist)

        @rule(card=st.sampled_from(["4242424242424242", "4000000000000002", "4000000000009995"]))
        def pay(self, card: str) -> None:
            till.sim.pay(self.url, card=card)

        @rule()
        def come_back(self) -> None:
            till.sync(self.appointment)

        @rule(times=st.integers(1, 2))
        def hear(self, times: int) -> None:
            """Jobs run, some of them twice."""
            till.work()
            if times == 2:
                till.desk.write("UPDATE outbox SET done_at = NULL WHERE kind IN ('payment.sync', 'refund.execute')")
                till.work()

        @rule(interval=st.sampled_from(["30 seconds", "3 minutes", "16 minutes"]))
        def wait(self, interval: str) -> None:
            till.later(interval)

        @rule(what=st.sampled_from(["GET /v1/checkout/*", "POST /v1/refunds", "POST /v1/checkout/*"]))
        def break_something(self, what: str) -> None:
            till.sim.fail_next(what, "reset", after_effect=True, times=3)

        @rule(who=st.sampled_from(["patient", "specialist"]))
        def cancel(self, who: str) -> None:
            try:
                till.cancel(self.patient if who == "patient" else self.specialist, self.appointment)
            except Conflict as refusal:
                assert refusal.code in ("appointment-state", "appointment-begun")

        @precondition(lambda self: bool(till.sim.objects("charge")) and self.refunded < 1000)
        @rule(amount=st.integers(1, 400))
        def give_back_at_the_provider(self, amount: int) -> None:
            charge = till.sim.objects("charge")[0]
            if charge["paid"] and charge["amount"] - charge["amount_refunded"] >= amount:
                options = {"stripe_account": till.payments(self.appointment)[0].account} if portal == "beta" else {}
                till.sim.client(max_network_retries=4).v1.refunds.create(
                    {"charge": charge["id"], "amount": amount}, options
                )  # type: ignore[typeddict-item]  # of the sampled shape
                self.refunded += amount

        @invariant()
        def books_hold(self) -> None:
            _hold(till, self.appointment)

        def teardown(self) -> None:
            """Everybody is well again: within some minutes everything is settled, and says the same everywhere."""
            for _pause in ("1 minute", "1 minute", "14 minutes", "1 minute", "1 minute", "1 minute"):
                till.later(_pause)
            till.sync(self.appointment)
            till.work()
            _settled(till, self.appointment)

    run_state_machine_as_test(
        Paying,
        settings=settings(
            max_examples=8, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def _empty(till: Till) -> None:
    till.forget()
    set_time(till.desk.owner)  # whoever waited in an example before must not have waited in this one
    for specialist in (till.desk.cast.ben, till.desk.cast.sam):
        till.connect(specialist)


def _hold(till: Till, appointment: Appointment) -> None:
    """What holds after every step."""
    sums = till.balances()
    assert sum(sums.values()) == 0
    assert till.entries(appointment).count("capture") <= 1
    assert len([one for one in till.sim.objects("charge") if one["paid"]]) <= 1
    charge = till.charge(appointment)
    live = [row for row in till.refunds(appointment) if row.state != "failed"]
    assert sum(row.amount_minor for row in live) <= charge.amount_minor
    assert sum(row.commission_minor for row in live) <= charge.commission_minor
    if till.state(appointment) == "confirmed":
        assert charge.paid_at is not None


def _settled(till: Till, appointment: Appointment) -> None:
    """What holds once nothing is under way: provider and books agree, and nobody is out of pocket."""
    state, charge = till.state(appointment), till.charge(appointment)
    assert state != "pending_payment"
    assert not [row for row in till.payments(appointment) if row.state in ("intended", "open", "processing")]
    paid = [one for one in till.sim.objects("charge") if one["paid"]]
    back = sum(row.amount_minor for row in till.refunds(appointment) if row.state == "succeeded")
    assert (charge.paid_at is not None) == bool(paid)
    if paid:
        assert paid[0]["amount_refunded"] == back
        assert state == "confirmed" or back == charge.amount_minor or _late(till, appointment)
    if back == charge.amount_minor:
        left = till.balances()
        assert not left.get("platform:commission")
        assert not left.get("specialist:payable")
        assert not left.get("specialist:revenue")


def _late(till: Till, appointment: Appointment) -> bool:
    """Whether the patient cancelled late, so that the fee stays."""
    (row,) = till.desk.rows("SELECT cancelled_late FROM appointment WHERE id = :id", id=appointment.id)
    return bool(row.cancelled_late)
