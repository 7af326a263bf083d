"""Keys of Stripe for tests, payments to be told about, and what a worker would do with what came in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from polyclinic.config import StripeKeys
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import Scope
from polyclinic.payments.models import Payment
from polyclinic.web import jobs, relay
from polyclinic.web.db import db
from polyclinic.web.places import PlaceFlask
from support.cast import PortalCast
from support.stripe_simulator import KEY, SECRETS

OLD_SECRET = "whsec_tests_account_before"
PAYMENT = uuid.UUID(int=42)


def keys_for(url: str) -> StripeKeys:
    """Return keys of the simulator at ``url``; the first door has a secret that is being replaced."""
    return StripeKeys(
        secret_key=KEY,
        api_base=url,
        account_secrets=(OLD_SECRET, SECRETS["account"]),
        connect_secrets=(SECRETS["connect"],),
        thin_secrets=(SECRETS["thin"],),
        pages=(url,),
    )


@dataclass(frozen=True)
class Worker:
    """Runs what waits in the outbox, and what has become due."""

    app: PlaceFlask
    owner: Engine
    kinds: tuple[str, ...] = ()
    """What it knows how to do; nothing named: everything."""

    def work(self) -> list[bool]:
        """Run every message that waits, once; says for each whether it is done."""
        with self.owner.connect() as connection:
            query = text(
                "SELECT id, portal_id FROM outbox WHERE done_at IS NULL AND (:all OR kind = ANY (:kinds)) ORDER BY id"
            )
            wanted = {"all": not self.kinds, "kinds": list(self.kinds)}
            waiting = list(connection.execute(query, wanted))
        with self.app.app_context():
            return [jobs.run_message(self.app, row.id, Scope("job", portal=row.portal_id)) for row in waiting]

    def wait(self, interval: str) -> None:
        """Make it later, and announce what has become due."""
        with self.owner.begin() as connection:
            connection.execute(text('UPDATE app_clock SET "offset" = "offset" + cast(:i AS interval)'), {"i": interval})
        with self.app.app_context():
            relay.schedule_once(db.engine)


def add_payment(owner: Engine, portal: PortalCast, specialist: Actor, account: str) -> uuid.UUID:
    """Write a payment that waits, as a row; an account "" is the platform's own."""
    with Session(owner) as session:
        moment = session.connection().exec_driver_sql("SELECT app_now()").scalar_one()
        session.add(
            Payment(
                id=PAYMENT,
                portal_id=portal.id,
                patient_id=portal.patient.id,
                specialist_id=specialist.id,
                cause_kind="appointment",
                cause_id=uuid.uuid4(),
                payment_model="connect_direct" if account else "platform_charge",
                provider="stripe",
                account=account,
                amount_minor=8000,
                currency="EUR",
                commission_minor=1200,
                state="open",
                attempt=1,
                idempotency_key=f"payment:{PAYMENT}:1",
                locale="de",
                success_url="http://alpha.localhost/paid",
                cancel_url="http://alpha.localhost/pay",
                deadline=moment,
                page_until=moment,
            )
        )
        session.commit()
    return PAYMENT
