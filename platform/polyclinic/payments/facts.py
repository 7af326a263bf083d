"""From what a provider says to what is true here: ledger entries, refunds, states; all of it idempotent (E6, E7).

Called inside the second transaction, after the cause and the charges were locked. Facts are written by their source
key, so that any number of readings in any order ends in the same state.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.hooks.providers import Captured, PaymentReading, Returned
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import app_time, now
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.money import Money
from polyclinic.kernel.outbox import announce
from polyclinic.payments import ledger_rules
from polyclinic.payments.causes import cause_of
from polyclinic.payments.certifying import certify_payment
from polyclinic.payments.ledger import Fact, reverse_entry, write_entry
from polyclinic.payments.ledger_rules import Where
from polyclinic.payments.models import Charge, Payment, Refund
from polyclinic.payments.references import remember_reference
from polyclinic.payments.refund_rules import commission_part
from polyclinic.payments.refunding import give_back, make_room, returnable
from polyclinic.payments.rules import moves_forward


def apply_reading(session: Session, payment: Payment, charges: Sequence[Charge], reading: PaymentReading) -> None:
    """Make what the provider says true here; what does not fit is put aside for a human, and confirms nothing."""
    payment.read_at, payment.tries = now(session), 0
    wrong = reading.mismatch or _mismatch(payment, charges, reading)
    if wrong is not None:
        _quarantine(session, payment, wrong)
    if payment.quarantine is not None:
        session.flush()
        return
    payment.disputed, payment.failure = reading.disputed, reading.failure
    if reading.intent_id is not None and payment.intent_id is None:
        payment.intent_id = reading.intent_id
        _remember(session, payment, reading.intent_id)
    if reading.captured is not None:
        _book_capture(session, payment, charges, reading.captured)
    session.flush()
    for returned in sorted(reading.returned, key=lambda one: one.refund_id is None):  # ours first: they are known
        apply_returned(session, payment, charges, returned)
    _move(session, payment, charges, reading)
    certify_payment(session, payment, charges)


def _mismatch(payment: Payment, charges: Sequence[Charge], reading: PaymentReading) -> str | None:
    captured = reading.captured
    if captured is None:
        return "paid without money" if reading.status == "paid" else None
    if captured.amount != Money(payment.amount_minor, payment.currency):
        return f"captured {captured.amount.minor} {captured.amount.currency}"
    if payment.account and captured.commission != Money(payment.commission_minor, payment.currency):
        return f"commission {captured.commission.minor} {captured.commission.currency}"
    if sum(charge.amount_minor for charge in charges) != payment.amount_minor:
        return "charges do not sum to the payment"
    return None


def _quarantine(session: Session, payment: Payment, why: str) -> None:
    if payment.quarantine is not None:
        return
    payment.quarantine = why
    system = Actor("system", portal_id=payment.portal_id)
    record(session, system, "payment.quarantined", "payment", payment.id, detail={"why": why})
    announce(session, "payment.quarantined", {"payment_id": str(payment.id)}, portal_id=payment.portal_id)


def _remember(session: Session, payment: Payment, external_id: str) -> None:
    remember_reference(
        session,
        payment.provider,
        payment.account,
        external_id,
        portal_id=payment.portal_id,
        kind="payment",
        cause_id=payment.id,
    )


def where_of(charge: Charge) -> Where:
    """Return who takes the money of a charge."""
    if not charge.provider:
        return "outside"
    return "specialist" if charge.account else "platform"


def _book_capture(session: Session, payment: Payment, charges: Sequence[Charge], captured: Captured) -> None:
    when = app_time(session, captured.occurred_at)
    if payment.capture_id is None:
        payment.capture_id = captured.charge_id
        _remember(session, payment, captured.charge_id)
        if captured.commission_id is not None:
            remember_reference(
                session,
                payment.provider,
                "",
                captured.commission_id,
                portal_id=payment.portal_id,
                kind="payment",
                cause_id=payment.id,
            )
    for charge in charges:
        where, currency = where_of(charge), charge.currency
        key = f"{payment.id}:{charge.id}"
        taken = ledger_rules.capture(where, charge.amount_minor, charge.commission_minor)
        kept = ledger_rules.commission_taken(where, charge.commission_minor)
        for kind, postings, external in (
            ("capture", taken, captured.charge_id),
            ("commission", kept, captured.commission_id),
        ):
            fact = Fact(kind, f"{kind}:{key}", postings, when, "payment", payment.id, currency, external)
            write_entry(session, charge, fact)
        if charge.paid_at is None:
            charge.paid_at, charge.paid_by, charge.voided_at = when, "provider", None
    if captured.provider_fee is not None:
        fee = captured.provider_fee
        postings = ledger_rules.provider_fee(where_of(charges[0]), fee.minor)
        write_entry(
            session,
            charges[0],
            Fact(
                "provider_fee",
                f"provider_fee:{payment.id}",
                postings,
                when,
                "payment",
                payment.id,
                fee.currency,
                captured.charge_id,
            ),
        )


def apply_returned(session: Session, payment: Payment, charges: Sequence[Charge], returned: Returned) -> None:
    """Book money that went back, ours or made at the provider; a refund that failed takes its entries back."""
    refund = _refund_of(session, payment, charges, returned)
    if refund is None:
        return
    charge = next(one for one in charges if one.id == refund.charge_id)
    if refund.external_id is None:
        refund.external_id = returned.external_id
        remember_reference(
            session,
            payment.provider,
            payment.account,
            returned.external_id,
            portal_id=payment.portal_id,
            kind="payment",
            cause_id=payment.id,
        )
    if returned.status != "failed" and refund.state != "failed":
        _book_refund(session, charge, refund, returned)
    _settle_refund(session, charge, refund, returned)


def _refund_of(session: Session, payment: Payment, charges: Sequence[Charge], returned: Returned) -> Refund | None:
    query = select(Refund).where(Refund.payment_id == payment.id).with_for_update()
    known = session.scalars(query.execution_options(populate_existing=True)).all()
    for refund in known:
        if refund.id == returned.refund_id or refund.external_id == returned.external_id:
            return refund
    if returned.status == "failed":
        return None  # never ours, and no money moved
    for charge in charges:  # made in the provider's own dashboard: it is a fact, whoever made it
        if returned.amount.currency == charge.currency and make_room(session, charge, returned.amount.minor):
            left = returnable(session, charge)
            part = (
                returned.commission.minor
                if charge.account
                else commission_part(left, returned.amount.minor, return_commission=charge.return_commission)
            )
            return _import(session, payment, charge, returned, min(part, left.commission - left.returned))
    _quarantine(session, payment, f"returned {returned.amount.minor} {returned.amount.currency} beside ours")
    return None


def _import(session: Session, payment: Payment, charge: Charge, returned: Returned, commission: int) -> Refund:
    refund = Refund(
        id=new_id(),
        portal_id=charge.portal_id,
        patient_id=charge.patient_id,
        specialist_id=charge.specialist_id,
        charge_id=charge.id,
        payment_id=payment.id,
        amount_minor=returned.amount.minor,
        commission_minor=commission,
        currency=charge.currency,
        reason="made_at_provider",
        requested_by="system",
        cause_key=f"provider:{payment.provider}:{returned.external_id}",
        idempotency_key=f"provider:{payment.provider}:{returned.external_id}",
        external_id=returned.external_id,
        state="pending",
        created_at=now(session),
    )
    session.add(refund)
    session.flush()
    system = Actor("system", portal_id=charge.portal_id)
    record(session, system, "refund.imported", "refund", refund.id, detail={"amount_minor": refund.amount_minor})
    return refund


def _book_refund(session: Session, charge: Charge, refund: Refund, returned: Returned) -> None:
    where = where_of(charge)
    if where == "specialist" and refund.commission_minor != returned.commission.minor:
        refund.commission_minor = returned.commission.minor  # the provider rounds by itself; the books follow it
    back = ledger_rules.refund(where, refund.amount_minor, refund.commission_minor)
    given = ledger_rules.commission_given_back(where, refund.commission_minor)
    for kind, postings in (("refund", back), ("commission_returned", given)):
        write_entry(
            session,
            charge,
            Fact(
                kind,
                f"{kind}:{refund.id}",
                postings,
                app_time(session, returned.occurred_at),
                "refund",
                refund.id,
                refund.currency,
                returned.external_id,
            ),
        )


def _settle_refund(session: Session, charge: Charge, refund: Refund, returned: Returned) -> None:
    if refund.state == "failed" or refund.state == returned.status:
        return
    before, refund.state, refund.failure = refund.state, returned.status, returned.failure
    if returned.status == "pending":
        session.flush()
        return
    refund.settled_at = now(session)
    if returned.status == "failed":
        for kind in ("refund", "commission_returned"):
            reverse_entry(
                session, charge, f"{kind}:{refund.id}", refund.settled_at, cause_kind="refund", cause_id=refund.id
            )
    session.flush()
    system = Actor("system", portal_id=refund.portal_id)
    record(session, system, f"refund.{refund.state}", "refund", refund.id, detail={"before": before})
    announce(session, f"refund.{refund.state}", {"refund_id": str(refund.id)}, portal_id=refund.portal_id)


def _move(session: Session, payment: Payment, charges: Sequence[Charge], reading: PaymentReading) -> None:
    """Move the payment forward and tell whoever knows what it is for, once."""
    if not moves_forward(payment.state, reading.status):
        return
    payment.state = reading.status
    system = Actor("system", portal_id=payment.portal_id)
    cause = cause_of(payment.cause_kind)
    if payment.state == "paid":
        payment.paid_at = app_time(session, reading.captured.occurred_at) if reading.captured else now(session)
        session.flush()
        record(session, system, "payment.paid", "payment", payment.id)
        reason = cause.paid(session, payment)
        if reason is None:
            announce(session, "payment.paid", {"payment_id": str(payment.id)}, portal_id=payment.portal_id)
            return
        for charge in charges:
            give_back(
                session, system, charge, payment, returnable(session, charge).left, reason, f"{reason}:{payment.id}"
            )
        return
    session.flush()
    if payment.state in ("failed", "expired"):
        record(session, system, f"payment.{payment.state}", "payment", payment.id, detail={"failure": payment.failure})
        cause.unpaid(session, payment)
        if payment.state == "failed":
            announce(session, "payment.failed", {"payment_id": str(payment.id)}, portal_id=payment.portal_id)
