"""Charges, payments and refunds as rows, and their documents by the services that issue them."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from polyclinic.allocation.models import Allocation
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.kernel.transactions import transactional
from polyclinic.payments.ledger_models import LedgerAccount, LedgerEntry, LedgerPosting
from polyclinic.payments.ledger_rules import (
    Where,
    capture,
    commission_given_back,
    commission_taken,
    provider_fee,
    refund,
)
from polyclinic.payments.models import Charge, Payment, PaymentCharge, Refund
from polyclinic.payments.receipt_models import Receipt
from polyclinic.payments.receipts import issue_credit_note, issue_for_charge, issue_for_payment
from polyclinic.tenancy.places import PortalView
from polyclinic.web.places import PlaceFlask
from support.cast import Cast, PortalCast

MODELS: dict[str, tuple[str, str, str, Where]] = {
    "connect_direct": ("stripe", "acct_1", "commission", "specialist"),
    "platform_charge": ("stripe", "", "share", "platform"),
    "external_invoice": ("", "", "commission", "outside"),
}
MOMENT = dt.datetime(2027, 2, 10, 12, tzinfo=dt.UTC)


@dataclass
class Till:
    """Takes money for the cast and looks at the rows from outside every policy."""

    app: PlaceFlask
    cast: Cast
    engine: Engine
    owner: Engine

    def portal(self, portal_id: uuid.UUID | None) -> PortalView:
        """A portal as the application knows it."""
        found = self.app.places.portal(portal_id) if portal_id else None
        assert found
        return found

    def charge(
        self,
        portal: PortalCast,
        patient: Actor,
        specialist: Actor,
        amount: int = 8000,
        currency: str = "EUR",
        *,
        model: str = "connect_direct",
        commission: int = 800,
        tax_bps: int = 0,
        fee: int = 0,
        at: dt.datetime | None = MOMENT,
        description: str = "Appointment, 10 February 2027",
        cause_id: uuid.UUID | None = None,
        state: str = "paid",
    ) -> uuid.UUID:
        """Write a charge with its payment and ledger; ``at`` None leaves it unpaid. Returns its id."""
        provider, account, earns, where = MODELS[model]
        people: dict[str, Any] = {
            "portal_id": portal.id,
            "patient_id": patient.id,
            "specialist_id": specialist.id,
        }
        cause = {"cause_kind": "appointment", "cause_id": cause_id or uuid.uuid4()}
        charge = Charge(
            id=uuid.uuid4(),
            **people,
            **cause,
            description=description,
            amount_minor=amount,
            currency=currency,
            tax_bps=tax_bps,
            payment_model=model,
            provider=provider,
            account=account,
            earns=earns,
            commission_bps=1000,
            commission_minimum=0,
            commission_minor=commission,
            return_commission=True,
            payout_delay=dt.timedelta(days=7),
            paid_at=at,
            paid_by=("provider" if provider else "specialist") if at else None,
            created_at=at or MOMENT,
        )
        with Session(self.owner) as session:
            together = {**people, "source": "browse"}
            session.execute(insert(Allocation).values(id=uuid.uuid4(), **together).on_conflict_do_nothing())
            session.add(charge)
            session.flush()
            if provider:
                payment = Payment(
                    id=uuid.uuid4(),
                    **people,
                    **cause,
                    payment_model=model,
                    provider=provider,
                    account=account,
                    amount_minor=amount,
                    currency=currency,
                    commission_minor=commission,
                    state=state if at else "open" if state == "paid" else state,
                    attempt=1,
                    idempotency_key=f"payment:{charge.id}",
                    locale="en",
                    success_url="http://127.0.0.1/",
                    cancel_url="http://127.0.0.1/",
                    capture_id=f"ch_{charge.id.hex[:8]}" if at else None,
                    deadline=MOMENT,
                    page_until=MOMENT,
                    paid_at=at,
                )
                session.add(payment)
                session.flush()
                session.add(PaymentCharge(payment_id=payment.id, charge_id=charge.id, **people))
            if at:
                kind = "capture" if provider else "invoice_paid"
                self._entry(session, charge, kind, capture(where, amount, commission))
                self._entry(session, charge, "commission", commission_taken(where, commission))
                self._entry(session, charge, "provider_fee", provider_fee(where, fee))
            session.commit()
            return charge.id

    def give_back(
        self,
        charge_id: uuid.UUID,
        amount: int,
        commission: int = 0,
        *,
        state: str = "succeeded",
        at: dt.datetime = MOMENT,
    ) -> uuid.UUID:
        """Write a refund of a charge that was paid at a provider, with its ledger. Returns its id."""
        with Session(self.owner) as session:
            charge = session.get_one(Charge, charge_id)
            payment = session.query(PaymentCharge).filter_by(charge_id=charge_id).one()
            made = Refund(
                id=uuid.uuid4(),
                portal_id=charge.portal_id,
                patient_id=charge.patient_id,
                specialist_id=charge.specialist_id,
                charge_id=charge_id,
                payment_id=payment.payment_id,
                amount_minor=amount,
                commission_minor=commission,
                currency=charge.currency,
                reason="free_cancellation",
                requested_by="patient",
                cause_key=f"test:{uuid.uuid4()}",
                idempotency_key=f"refund:{uuid.uuid4()}",
                state=state,
                created_at=at,
                settled_at=at if state in ("succeeded", "failed") else None,
            )
            session.add(made)
            session.flush()
            if state == "succeeded":
                where = MODELS[charge.payment_model][3]
                self._entry(session, charge, "refund", refund(where, amount, commission), made.id)
                back = commission_given_back(where, commission)
                self._entry(session, charge, "commission_returned", back, made.id)
            session.commit()
            return made.id

    def setting(self, key: str, value: Any) -> None:
        """Change a setting of every portal."""
        statement = (
            "INSERT INTO portal_setting (portal_id, key, value) SELECT id, :key, cast(:value AS jsonb) FROM portal"
            " ON CONFLICT (portal_id, key) DO UPDATE SET value = excluded.value"
        )
        with self.owner.begin() as connection:
            connection.execute(text(statement), {"key": key, "value": json.dumps(value)})
        self.app.places.forget()

    def speak_english(self) -> None:
        """Let every portal offer English and every patient prefer it, so that tests can look for words."""
        self.setting("language.locales", ["en"])
        with self.owner.begin() as connection:
            connection.execute(text("UPDATE patient SET locale = 'en'"))

    def _entry(
        self, session: Session, charge: Charge, kind: str, postings: Any, cause: uuid.UUID | None = None
    ) -> None:
        if not postings:
            return
        whose = {"portal_id": charge.portal_id, "specialist_id": charge.specialist_id}
        entry = LedgerEntry(
            **whose,
            charge_id=charge.id,
            kind=kind,
            source_key=f"{kind}:{cause or charge.id}",
            cause_kind="refund" if cause else "charge",
            cause_id=cause or charge.id,
            occurred_at=charge.paid_at,
        )
        session.add(entry)
        session.flush()
        for account_kind, amount in postings.items():
            named = {**whose, "kind": account_kind, "currency": charge.currency}
            account = session.query(LedgerAccount).filter_by(**named).one_or_none()
            if account is None:
                account = LedgerAccount(**named)
                session.add(account)
                session.flush()
            session.add(
                LedgerPosting(
                    entry_id=entry.id, account_id=account.id, **whose, currency=charge.currency, amount=amount
                )
            )
        session.flush()

    def receipt(self, charge_id: uuid.UUID) -> Receipt:
        """Have the receipt of a paid charge issued, as the job does that books the payment."""
        return self._issued(charge_id, _issue_receipt)

    def credit_note(self, refund_id: uuid.UUID) -> Receipt:
        """Have the credit note of a refund issued."""
        return self._issued(refund_id, _issue_credit_note)

    def _issued(self, row_id: uuid.UUID, issue: Any) -> Receipt:
        with Session(self.owner) as session:
            table = Charge if issue is _issue_receipt else Refund
            portal_id = session.get_one(table, row_id).portal_id
        with self.app.app_context(), open_session(self.engine, Scope("job", portal=portal_id)) as session:
            made: Receipt = issue(session, self.portal(portal_id), row_id)
            return made


@transactional
def _issue_receipt(session: Session, portal: PortalView, charge_id: uuid.UUID) -> Receipt:
    charge = session.get_one(Charge, charge_id)
    if not charge.provider:
        return issue_for_charge(session, portal, charge)
    link = session.query(PaymentCharge).filter_by(charge_id=charge_id).one()
    return issue_for_payment(session, portal, session.get_one(Payment, link.payment_id), [charge])


@transactional
def _issue_credit_note(session: Session, portal: PortalView, refund_id: uuid.UUID) -> Receipt:
    made = session.get_one(Refund, refund_id)
    return issue_credit_note(session, portal, made, session.get_one(Charge, made.charge_id))


@pytest.fixture
def till(scene: Cast, app: PlaceFlask, engine: Engine, owner: Engine) -> Till:
    """Somebody who takes money for the cast."""
    return Till(app, scene, engine, owner)
