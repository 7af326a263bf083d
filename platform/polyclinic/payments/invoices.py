"""Visits that the specialist invoices: marked as paid by the specialist, commission becoming a receivable (E5)."""

from __future__ import annotations

import uuid

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict, Forbidden
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.transactions import transactional
from polyclinic.payments import ledger_rules
from polyclinic.payments.certifying import certify_charge
from polyclinic.payments.charging import lock_charge
from polyclinic.payments.ledger import Fact, write_entry
from polyclinic.payments.models import Charge
from polyclinic.payments.reading import get_charge


@transactional
def mark_paid(session: Session, actor: Actor, charge_id: uuid.UUID) -> Charge:
    """Note that a patient paid the specialist's invoice; marking twice is marking once.

    From then on the platform's commission is owed by the specialist. Raises NotFound outside the scope, Forbidden to
    others than the specialist, Conflict for what is paid online or is not owed any more.
    """
    charge = get_charge(session, actor, charge_id)
    if actor.kind != "specialist":
        raise Forbidden("not-yours-to-do", _l("Only the specialist can do that."))
    lock_charge(session, charge_id)
    charge = get_charge(session, actor, charge_id)
    if charge.paid_by == "specialist":
        return charge
    if charge.provider or charge.paid_at is not None:
        raise Conflict("paid-online", _l("This is paid online; there is nothing to mark."))
    if charge.voided_at is not None:
        raise Conflict("charge-void", _l("This is not owed any more: it was cancelled."))
    charge.paid_at, charge.paid_by = now(session), "specialist"
    session.flush()
    for kind, postings in (
        ("invoice_paid", ledger_rules.capture("outside", charge.amount_minor, charge.commission_minor)),
        ("commission", ledger_rules.commission_taken("outside", charge.commission_minor)),
    ):
        fact = Fact(kind, f"{kind}:{charge.id}", postings, charge.paid_at, "charge", charge.id, charge.currency)
        write_entry(session, charge, fact)
    record(session, actor, "charge.marked_paid", "charge", charge.id, portal_id=charge.portal_id)
    announce(session, "charge.marked_paid", {"charge_id": str(charge.id)}, portal_id=charge.portal_id)
    certify_charge(session, charge)
    return charge
