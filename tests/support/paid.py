"""A paid and partly returned charge with its ledger, written as rows: the ground under tests of isolation."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from polyclinic.identity.models import Patient
from polyclinic.kernel.actor import Actor
from polyclinic.payments.ledger_models import LedgerAccount, LedgerEntry, LedgerPosting
from polyclinic.payments.models import Charge, Payment, PaymentCharge, Refund
from polyclinic.payments.receipt_models import Receipt
from support.cast import PortalCast


def add_paid(
    owner: Engine, portal: PortalCast, patient: Actor, specialist: Actor, appointment_id: uuid.UUID
) -> uuid.UUID:
    """Write a charge of 80.00 for an appointment, payment, receipt, refund and one ledger entry; returns its id."""
    whose = {"portal_id": portal.id, "specialist_id": specialist.id}
    people = {**whose, "patient_id": patient.id}
    charge_id, payment_id = uuid.uuid4(), uuid.uuid4()
    with Session(owner) as session:
        clock = session.connection().exec_driver_sql("SELECT app_now()").scalar_one()
        session.add(
            Charge(
                id=charge_id,
                **people,
                cause_kind="appointment",
                cause_id=appointment_id,
                description=f"Appointment {portal.canary}",
                amount_minor=8000,
                currency="EUR",
                tax_bps=0,
                payment_model="connect_direct",
                provider="stripe",
                account="acct_1",
                earns="commission",
                commission_bps=1000,
                commission_minimum=0,
                commission_minor=800,
                return_commission=True,
                payout_delay=dt.timedelta(days=7),
                paid_at=clock,
                paid_by="provider",
            )
        )
        session.add(_payment(payment_id, people, appointment_id, clock))
        session.flush()
        session.add(PaymentCharge(payment_id=payment_id, charge_id=charge_id, **people))
        session.add(
            Refund(
                **people,
                charge_id=charge_id,
                payment_id=payment_id,
                amount_minor=4000,
                commission_minor=400,
                currency="EUR",
                reason="late_cancellation",
                requested_by="patient",
                cause_key=f"cancel:{appointment_id}",
                idempotency_key=f"refund:{charge_id}",
            )
        )
        _entry(session, whose, charge_id, payment_id, clock)
        session.add(_receipt(session, people, charge_id, payment_id))
        session.commit()
    return charge_id


def _receipt(
    session: Session, people: dict[str, uuid.UUID | None], charge_id: uuid.UUID, payment_id: uuid.UUID
) -> Receipt:
    name = session.scalars(select(Patient.name).where(Patient.id == people["patient_id"])).one()
    number = session.scalar(select(func.count()).where(Receipt.portal_id == people["portal_id"])) or 0
    return Receipt(
        **people,
        kind="receipt",
        issuer="specialist",
        issuer_id=people["specialist_id"],
        number=number + 1,
        label=f"T-{number + 1:05d}",
        source_key=f"payment:{payment_id}",
        charge_id=charge_id,
        payment_id=payment_id,
        amount_minor=8000,
        currency="EUR",
        locale="en",
        data={
            "method": "online",
            "paid_at": "2027-02-10T12:00:00+00:00",
            "issuer": {"name": "Issuer", "address": [], "tax_id": "", "note": ""},
            "patient": name,
            "specialist": "Somebody",
            "tax_label": "",
            "tax_bps": 0,
            "net": 8000,
            "tax": 0,
            "lines": [{"text": "Appointment", "minor": 8000}],
        },
    )


def _payment(payment_id: uuid.UUID, people: dict[str, uuid.UUID | None], cause_id: uuid.UUID, clock: object) -> Payment:
    return Payment(
        id=payment_id,
        **people,
        cause_kind="appointment",
        cause_id=cause_id,
        payment_model="connect_direct",
        provider="stripe",
        account="acct_1",
        amount_minor=8000,
        currency="EUR",
        commission_minor=800,
        state="paid",
        attempt=1,
        idempotency_key=f"payment:{payment_id}",
        locale="en",
        success_url="http://127.0.0.1/",
        cancel_url="http://127.0.0.1/",
        deadline=clock,
        page_until=clock,
        paid_at=clock,
    )


def _entry(
    session: Session, whose: dict[str, uuid.UUID | None], charge_id: uuid.UUID, payment_id: uuid.UUID, clock: object
) -> None:
    accounts = [
        LedgerAccount(**whose, kind=kind, currency="EUR") for kind in ("provider:specialist", "specialist:revenue")
    ]
    session.add_all(accounts)
    entry = LedgerEntry(
        **whose,
        charge_id=charge_id,
        kind="capture",
        source_key=f"capture:{payment_id}:{charge_id}",
        cause_kind="payment",
        cause_id=payment_id,
        occurred_at=clock,
    )
    session.add(entry)
    session.flush()
    for account, amount in zip(accounts, (8000, -8000), strict=True):
        session.add(LedgerPosting(entry_id=entry.id, account_id=account.id, **whose, currency="EUR", amount=amount))
    session.flush()
