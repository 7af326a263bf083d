"""Paying as people and machines do it: at the simulator, through the services, with the jobs run when the test says."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from polyclinic.booking.models import Appointment
from polyclinic.booking.services import cancel_appointment, open_payment
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import open_session
from polyclinic.payments.syncing import checkout_url, execute_refund, sync_payment
from support.bookings import TEN, Desk
from support.stripe_doors import Worker
from support.stripe_simulator import StripeSimulator

#: Jobs that move money or time; the others tell people of it, and set documents.
OF_MONEY = ("payment.sync", "refund.execute", "appointment.expire", "hold.unpaid", "claims.expired")


@dataclass
class Till:
    """Books, pays, cancels, and looks at the rows from outside every policy."""

    desk: Desk
    worker: Worker
    sim: StripeSimulator

    def connect(self, specialist: Actor) -> str:
        """Give a specialist an account that can charge."""
        account = self.sim.account("merchant")
        self.desk.write(
            "INSERT INTO account_readiness (specialist_id, provider, kind, external_id, ready)"
            " VALUES (:specialist, 'stripe', 'merchant', :account, true)",
            specialist=specialist.id,
            account=account,
        )
        return account

    def start(self, patient: Actor, specialist: Actor, at: dt.datetime = TEN) -> tuple[Appointment, str]:
        """Book up to the provider's page; the appointment and the page's address."""
        appointment = self.desk.book(patient, specialist, at)
        return appointment, self.open(patient, appointment)

    def open(self, patient: Actor, appointment: Appointment) -> str:
        """Press "pay"."""
        portal = self.desk.portal(appointment.portal_id)
        with self.desk.app.app_context():
            with open_session(self.desk.engine, patient.scope()) as session:
                payment = open_payment(session, patient, portal, appointment.id)
            url = checkout_url(portal.id, payment.id)
        assert url is not None
        return url

    def tell_nobody(self) -> None:
        """From now on do only what moves money or time: mails and documents take longer than all of it."""
        self.worker = replace(self.worker, kinds=OF_MONEY)

    def sync(self, appointment: Appointment) -> None:
        """Come back from the provider."""
        with self.desk.app.app_context():
            for (payment_id,) in self.desk.rows(
                "SELECT id FROM payment WHERE cause_id = :id ORDER BY attempt", id=appointment.id
            ):
                sync_payment(appointment.portal_id, payment_id)

    def refund(self, appointment: Appointment) -> None:
        """Have every refund of an appointment sent now."""
        with self.desk.app.app_context():
            for row in self.refunds(appointment):
                execute_refund(appointment.portal_id, row.id)

    def cancel(self, actor: Actor, appointment: Appointment) -> Appointment:
        """Cancel an appointment."""
        with self.desk.app.app_context(), open_session(self.desk.engine, actor.scope()) as session:
            return cancel_appointment(session, actor, appointment.id)

    def paid(self, patient: Actor, specialist: Actor, at: dt.datetime = TEN) -> Appointment:
        """Book and pay, all the way."""
        appointment, url = self.start(patient, specialist, at)
        self.sim.pay(url)
        self.sync(appointment)
        return appointment

    def work(self, rounds: int = 5) -> None:
        """Run the outbox until nothing new is in it."""
        for _round in range(rounds):
            if not self.worker.work():
                return

    def later(self, interval: str) -> None:
        """Let time go by on the application's clock, and do what became due."""
        self.worker.wait(interval)
        self.work()

    def state(self, appointment: Appointment) -> str:
        """The stored state of an appointment."""
        return str(self.desk.rows("SELECT state FROM appointment WHERE id = :id", id=appointment.id)[0][0])

    def payments(self, appointment: Appointment) -> list[Any]:
        """Its payments, in order."""
        return self.desk.rows("SELECT * FROM payment WHERE cause_id = :id ORDER BY attempt", id=appointment.id)

    def charge(self, appointment: Appointment) -> Any:
        """What it costs."""
        return self.desk.rows(
            "SELECT * FROM charge WHERE cause_id = :id AND cause_kind = 'appointment'", id=appointment.id
        )[0]

    def refunds(self, appointment: Appointment) -> list[Any]:
        """What goes back of it."""
        return self.desk.rows(
            "SELECT r.* FROM refund r JOIN charge c ON c.id = r.charge_id WHERE c.cause_id = :id ORDER BY r.created_at",
            id=appointment.id,
        )

    def entries(self, appointment: Appointment) -> list[str]:
        """The kinds of its ledger entries, in order."""
        rows = self.desk.rows(
            "SELECT e.kind FROM ledger_entry e JOIN charge c ON c.id = e.charge_id WHERE c.cause_id = :id"
            " ORDER BY e.id",
            id=appointment.id,
        )
        return [str(row.kind) for row in rows]

    def balances(self, portal_id: uuid.UUID | None = None) -> dict[str, int]:
        """The sum per account over the ledger, or over one portal; what is zero is left out."""
        rows = self.desk.rows(
            "SELECT a.kind, sum(p.amount)::bigint AS total FROM ledger_posting p"
            " JOIN ledger_account a ON a.id = p.account_id"
            " WHERE cast(:portal AS uuid) IS NULL OR p.portal_id = :portal GROUP BY a.kind",
            portal=portal_id,
        )
        return {row.kind: row.total for row in rows if row.total}

    def forget(self) -> None:
        """Begin again: nothing was booked or paid, the provider knows nothing."""
        self.desk.write(
            "TRUNCATE ledger_posting, ledger_entry, ledger_account, refund, payment_charge, payment, charge,"
            " appointment, appointment_message, hold, hold_details, allocation, claim, due, outbox, delivery,"
            " external_reference, account_readiness CASCADE"
        )
        self.desk.write("UPDATE listing SET active_allocations = 0")
        self.sim.control("reset")

    def switch(self, **values: Any) -> None:
        """Change how the simulator behaves."""
        self.sim.switch(**values)

    def clock(self) -> dt.datetime:
        """The application's time."""
        with self.desk.owner.connect() as connection:
            found: dt.datetime = connection.execute(text("SELECT app_now()")).scalar_one()
        return found
