"""Asking for money to go back: the row in the transaction that grants it, the provider called by a job (E7, E8)."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Defect
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.money import Money
from polyclinic.kernel.outbox import announce
from polyclinic.payments.charging import lock_charge, step_of
from polyclinic.payments.models import Charge, Payment, Refund
from polyclinic.payments.paying import find_payment
from polyclinic.payments.refund_rules import (
    RETURNED_ALREADY,
    Reason,
    RefundTerms,
    Returnable,
    commission_part,
    refund_terms,
    refuse_refund,
)
from polyclinic.payments.rules import renewed_key
from polyclinic.web.plugins import current_hooks

#: Has a refund sent to its provider: {"refund_id"} or, when due again, {"id"}.
EXECUTE = "refund.execute"


def returnable(session: Session, charge: Charge) -> Returnable:
    """Return what of a charge went back or is on its way; failed refunds do not count."""
    refunded, returned = session.execute(
        select(
            func.coalesce(func.sum(Refund.amount_minor), 0), func.coalesce(func.sum(Refund.commission_minor), 0)
        ).where(Refund.charge_id == charge.id, Refund.state != "failed")
    ).one()
    return Returnable(charge.amount_minor, charge.commission_minor, int(refunded), int(returned))


def terms_of_refund(session: Session, charge: Charge, fee: Money, by: str) -> RefundTerms | None:
    """Return what goes back of a charge if ``by`` cancels and owes ``fee``; None where nothing was paid online (B6)."""
    if charge.paid_at is None or not charge.provider or is_disputed(session, charge):
        return None
    known = returnable(session, charge)
    unit = step_of(current_hooks().payment_models.get(charge.payment_model), charge.currency)
    paid, refunded = Money(known.amount, charge.currency), Money(known.refunded, charge.currency)
    return refund_terms(paid, refunded, fee, by, unit)


def is_disputed(session: Session, charge: Charge) -> bool:
    """Tell whether the cardholder disputes what was paid: returning it too would lose it twice."""
    payment = find_payment(session, charge.cause_kind, charge.cause_id)
    return payment is not None and payment.disputed


def request_refund(
    session: Session, actor: Actor, charge: Charge, amount: Money, reason: Reason, cause_key: str
) -> Refund | None:
    """Have ``amount`` of a charge go back by the rule ``reason``, in the caller's transaction; once for each cause.

    None where nothing is to go back. Raises Conflict where the charge was not paid, is disputed, or less is left.
    """
    lock_charge(session, charge.id)
    known = session.scalars(select(Refund).where(Refund.cause_key == cause_key)).one_or_none()
    if known is not None or not amount:
        return known
    payment = find_payment(session, charge.cause_kind, charge.cause_id)
    refusal = refuse_refund(
        returnable(session, charge),
        amount.minor,
        paid=charge.paid_at is not None and payment is not None,
        disputed=payment is not None and payment.disputed,
    )
    if refusal is not None:
        raise refusal
    if payment is None:
        raise Defect("what was paid has a payment")
    return give_back(session, actor, charge, payment, amount.minor, reason, cause_key)


def returns_commission(charge: Charge, reason: str) -> bool:
    """Tell whether the commission goes back: a platform may keep it where the patient cancelled, never else (E3)."""
    return charge.return_commission or reason not in ("free_cancellation", "late_cancellation")


def give_back(
    session: Session, actor: Actor, charge: Charge, payment: Payment, amount: int, reason: Reason, cause_key: str
) -> Refund | None:
    """Write the refund of a charge that is locked, and queue it; None where nothing is left to go back."""
    if amount <= 0:
        return None
    if actor.kind == "visitor":
        raise Defect("visitors grant no refunds")
    unit = step_of(current_hooks().payment_models.get(charge.payment_model), charge.currency)
    refund = Refund(
        id=new_id(),
        portal_id=charge.portal_id,
        patient_id=charge.patient_id,
        specialist_id=charge.specialist_id,
        charge_id=charge.id,
        payment_id=payment.id,
        amount_minor=amount,
        commission_minor=commission_part(
            returnable(session, charge), amount, return_commission=returns_commission(charge, reason), unit=unit
        ),
        currency=charge.currency,
        reason=reason,
        requested_by=actor.kind,
        requested_by_id=actor.id,
        cause_key=cause_key,
        idempotency_key=f"refund:{cause_key}",
        state="requested",
        created_at=now(session),
    )
    session.add(refund)
    session.flush()
    detail = {"amount_minor": amount, "currency": charge.currency, "reason": reason}
    record(session, actor, "refund.requested", "refund", refund.id, portal_id=charge.portal_id, detail=detail)
    for kind in (EXECUTE, "refund.requested"):
        announce(session, kind, {"refund_id": str(refund.id)}, portal_id=charge.portal_id)
    return refund


def make_room(session: Session, charge: Charge, amount: int) -> bool:
    """Ask for less of a locked charge where ``amount`` went back beside it: the provider cannot give both (E8).

    Cuts what has not reached the provider; what reached it, it would have refused to exceed. The rest is asked for
    under another key, because the provider remembers the amount with the old one. False where that is not enough.
    """
    asked = session.scalars(
        select(Refund)
        .where(Refund.charge_id == charge.id, Refund.state == "requested", Refund.external_id.is_(None))
        .order_by(Refund.created_at.desc())
        .with_for_update()
    ).all()
    if amount > returnable(session, charge).left + sum(refund.amount_minor for refund in asked):
        return False
    for refund in asked:
        known = returnable(session, charge)
        if amount > known.left:
            _cut(session, charge, refund, known, min(amount - known.left, refund.amount_minor))
    return True


def _cut(session: Session, charge: Charge, refund: Refund, known: Returnable, less: int) -> None:
    system = Actor("system", portal_id=refund.portal_id)
    record(session, system, "refund.cut", "refund", refund.id, detail={"from": refund.amount_minor, "less": less})
    if less == refund.amount_minor:
        refund.state, refund.failure, refund.settled_at = "failed", RETURNED_ALREADY, now(session)
    else:
        others = Returnable(
            known.amount,
            known.commission,
            known.refunded - refund.amount_minor,
            known.returned - refund.commission_minor,
        )
        unit = step_of(current_hooks().payment_models.get(charge.payment_model), charge.currency)
        refund.amount_minor -= less
        refund.commission_minor = commission_part(
            others, refund.amount_minor, return_commission=returns_commission(charge, refund.reason), unit=unit
        )
        refund.tries += 1
        refund.idempotency_key = renewed_key(refund.idempotency_key, refund.tries)
    session.flush()
