"""E7: kill -9 before and after each commit of paying and of cancelling: one charge, one set of facts, soon settled.

The child is a fork of this process that kills itself; nothing in the product knows of it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from polyclinic.booking.models import Appointment
from polyclinic.web.db import db
from support.till import Till

pytestmark = pytest.mark.slow


class Killed:
    """Runs something in a child that dies at its nth commit, before or after it."""

    def __init__(self, till: Till) -> None:
        """Fork from here."""
        self.till = till

    def run(self, what: Callable[[], Any], number: int, moment: str) -> bool:
        """Tell whether the child was killed; else it did everything."""
        child = os.fork()
        if child == 0:
            try:
                self._prepare(number, moment)
                what()
            except BaseException:  # reported by the status
                os._exit(70)
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        assert not (os.WIFEXITED(status) and os.WEXITSTATUS(status)), "the child failed"
        return os.WIFSIGNALED(status)

    def _prepare(self, number: int, moment: str) -> None:
        """Leave the parent's connections alone, and count commits."""
        with self.till.desk.app.app_context():
            db.engine.dispose(close=False)
        self.till.desk.engine.dispose(close=False)
        self.till.desk.owner.dispose(close=False)
        count = 0

        def at_commit(session: Session) -> None:
            nonlocal count
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Session, "before_commit" if moment == "before" else "after_commit", at_commit)


def settled(till: Till) -> None:
    """Let two minutes go by with everybody alive."""
    till.work()
    for _half_minute in range(4):
        till.later("30 seconds")


def books(till: Till, appointment_id: object) -> dict[str, int]:
    """How often each fact of an appointment is written."""
    rows = till.desk.rows(
        "SELECT e.kind, count(*) AS n FROM ledger_entry e JOIN charge c ON c.id = e.charge_id WHERE c.cause_id = :id"
        " GROUP BY e.kind",
        id=appointment_id,
    )
    return {row.kind: row.n for row in rows}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_commit_of_booking_and_paying(till: Till, moment: str) -> None:
    """B2, E7: whatever was committed is gone on with; nothing is charged twice, nothing paid is forgotten."""
    cast, killed = till.desk.cast, Killed(till)
    till.tell_nobody()

    def all_of_it() -> None:
        appointment = till.desk.confirm(cast.alpha.patient, hold.id)
        till.sim.pay(till.open(cast.alpha.patient, appointment))
        till.sync(appointment)
        till.work()

    deaths = 0
    for number in range(1, 40):
        hold = till.desk.hold(cast.alpha.patient, cast.ada)
        dead = killed.run(all_of_it, number, moment)
        deaths += dead
        settled(till)
        _judge(till, hold.id)
        till.forget()
        if not dead:
            break
    else:
        raise AssertionError("it never ended")
    assert deaths >= 5, "the control: there must be commits to die at"


def _judge(till: Till, hold_id: object) -> None:
    """Confirmed and captured once where it was paid; else nothing at all."""
    rows = till.desk.rows("SELECT * FROM appointment WHERE hold_id = :id", id=hold_id)
    captured = [charge for charge in till.sim.objects("charge") if charge["captured"]]
    assert len(captured) <= 1
    if not rows:
        assert captured == []
        return
    facts = books(till, rows[0].id)
    assert len(till.desk.rows("SELECT 1 FROM charge WHERE cause_id = :id", id=rows[0].id)) == 1
    if captured:
        assert rows[0].state == "confirmed"
        assert facts["capture"] == 1
    else:
        assert rows[0].state == "pending_payment"
        assert facts == {}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_commit_of_giving_back(till: Till, moment: str) -> None:
    """E7, E8: cancelled or not, and if so everything goes back once."""
    cast, killed = till.desk.cast, Killed(till)
    till.tell_nobody()

    def cancel_and_send(appointment: Appointment) -> None:
        till.cancel(cast.ada, appointment)
        till.work()

    deaths = 0
    for number in range(1, 20):
        appointment = till.paid(cast.alpha.patient, cast.ada)
        till.work()
        dead = killed.run(lambda: cancel_and_send(appointment), number, moment)  # noqa: B023  # run at once
        deaths += dead
        settled(till)
        refunds, made = till.refunds(appointment), till.sim.objects("refund")
        if till.state(appointment) == "cancelled":
            assert [row.state for row in refunds] == ["succeeded"]
            assert len(made) == 1
            assert books(till, appointment.id)["refund"] == 1
        else:
            assert (refunds, made) == ([], [])
        till.forget()
        if not dead:
            break
    assert deaths >= 3, "the control: there must be commits to die at"
