"""Issuing receipts and credit notes in the transaction that books the fact they certify (E10).

The number is the last thing that transaction locks (… → charge → ledger → numbering) and is kept until it ends: a
transaction that fails gives its number back, so none is ever missing. Idempotent: the same fact again returns the
document it has.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from polyclinic.identity.models import Patient, Specialist
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Defect
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.outbox import announce
from polyclinic.payments.billing_policy import (
    BILLING_ADDRESS,
    BILLING_NOTE,
    BILLING_TAX_ID,
    address_lines,
    issuer_name,
    number_prefix,
)
from polyclinic.payments.models import Charge, Payment, Refund
from polyclinic.payments.receipt_models import BillingDetails, Receipt
from polyclinic.payments.receipt_rules import Issuer, issuer_of, number_label, split_tax
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.policy import LOCALES, TAX_LABEL, text_in

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('numbers:' || :portal || ':' || :issuer, 0))")


@dataclass(frozen=True, slots=True)
class _Fact:
    """What a document certifies."""

    kind: str
    source_key: str
    charge: Charge
    payment_id: uuid.UUID | None
    amount: int
    data: dict[str, Any]
    refund_id: uuid.UUID | None = None
    refers_to: Receipt | None = None


def issue_for_payment(session: Session, portal: PortalView, payment: Payment, charges: Sequence[Charge]) -> Receipt:
    """Issue the receipt of a payment that was made at a provider, one line per charge it settles."""
    if not charges or payment.paid_at is None:
        raise Defect(f"payment {payment.id} is not paid or settles nothing")
    data = {"method": "online", "paid_at": payment.paid_at.isoformat()}
    fact = _Fact("receipt", f"payment:{payment.id}", charges[0], payment.id, payment.amount_minor, data)
    return _issue(session, portal, fact, charges)


def issue_for_charge(session: Session, portal: PortalView, charge: Charge) -> Receipt:
    """Issue the receipt of a charge that its specialist marked as paid (E5)."""
    if charge.paid_at is None:
        raise Defect(f"charge {charge.id} is not paid")
    data = {"method": "outside", "paid_at": charge.paid_at.isoformat()}
    fact = _Fact("receipt", f"charge:{charge.id}", charge, None, charge.amount_minor, data)
    return _issue(session, portal, fact, [charge])


def issue_credit_note(session: Session, portal: PortalView, refund: Refund, charge: Charge) -> Receipt:
    """Issue the credit note of a refund that has reached the patient; it names the receipt and never edits it."""
    receipt = _receipt_of(session, refund)
    data = {"reason": refund.reason, "refers_to": receipt.label if receipt else ""}
    fact = _Fact(
        "credit_note",
        f"refund:{refund.id}",
        charge,
        refund.payment_id,
        refund.amount_minor,
        data,
        refund.id,
        receipt,
    )
    return _issue(session, portal, fact, [charge])


def _receipt_of(session: Session, refund: Refund) -> Receipt | None:
    keys = [f"payment:{refund.payment_id}", f"charge:{refund.charge_id}"]
    return session.scalars(select(Receipt).where(Receipt.source_key.in_(keys))).first()


def _issue(session: Session, portal: PortalView, fact: _Fact, charges: Sequence[Charge]) -> Receipt:
    charge = fact.charge
    issuer = issuer_of(charge.earns)
    issuer_id = portal.id if issuer == "portal" else charge.specialist_id
    patient = session.scalars(
        select(Patient).where(Patient.portal_id == portal.id, Patient.id == charge.patient_id)
    ).one()
    locale = _locale(portal, patient.locale)
    data = {**fact.data, **_words(session, portal, issuer, charge, patient, locale)}
    data["lines"] = _lines(fact, charges)
    data["tax_bps"] = charge.tax_bps
    data["net"], data["tax"] = split_tax(fact.amount, charge.tax_bps)
    session.flush()
    number = next_number(session, portal.id, issuer_id)
    # Asked under the lock: who waited for it may have waited for the same fact.
    known = session.scalars(select(Receipt).where(Receipt.source_key == fact.source_key)).one_or_none()
    if known is not None:
        return known
    receipt = Receipt(
        id=new_id(),
        portal_id=portal.id,
        patient_id=charge.patient_id,
        specialist_id=charge.specialist_id,
        kind=fact.kind,
        issuer=issuer,
        issuer_id=issuer_id,
        number=number,
        label=number_label(number_prefix(portal), number),
        source_key=fact.source_key,
        charge_id=charge.id,
        payment_id=fact.payment_id,
        refund_id=fact.refund_id,
        refers_to_id=fact.refers_to.id if fact.refers_to else None,
        amount_minor=fact.amount,
        currency=charge.currency,
        locale=locale,
        data=data,
        issued_at=now(session),
    )
    session.add(receipt)
    session.flush()
    announce(session, "receipt.issued", {"receipt_id": str(receipt.id)}, portal_id=portal.id)
    return receipt


def next_number(session: Session, portal_id: uuid.UUID, issuer_id: uuid.UUID) -> int:
    """Lock the numbers of an issuer on a portal until the transaction ends, and return the next one."""
    session.execute(_LOCK, {"portal": str(portal_id), "issuer": str(issuer_id)})
    last = session.scalar(
        select(func.max(Receipt.number)).where(Receipt.portal_id == portal_id, Receipt.issuer_id == issuer_id)
    )
    return int(last or 0) + 1


def _locale(portal: PortalView, wished: str) -> str:
    offered = portal.settings.get(LOCALES)
    return wished if wished in offered else offered[0]


def _lines(fact: _Fact, charges: Sequence[Charge]) -> list[dict[str, Any]]:
    if fact.kind == "credit_note":
        return [{"text": fact.charge.description, "minor": fact.amount}]
    return [{"text": charge.description, "minor": charge.amount_minor} for charge in charges]


def _words(
    session: Session, portal: PortalView, issuer: Issuer, charge: Charge, patient: Patient, locale: str
) -> dict[str, Any]:
    """Return names and addresses as they are now; a later change of either changes no document."""
    specialist = session.scalars(select(Specialist.name).where(Specialist.id == charge.specialist_id)).one()
    offered = portal.settings.get(LOCALES)
    if issuer == "portal":
        settings = portal.settings
        words = {
            "name": issuer_name(settings),
            "address": address_lines(settings.find(BILLING_ADDRESS) or ""),
            "tax_id": settings.find(BILLING_TAX_ID) or "",
            "note": text_in(settings.get(BILLING_NOTE), locale, offered[0]),
        }
    else:
        own = session.get(BillingDetails, charge.specialist_id)
        words = {
            "name": (own.name if own else "") or specialist,
            "address": address_lines(own.address) if own else [],
            "tax_id": own.tax_id if own else "",
            "note": own.note if own else "",
        }
    return {
        "issuer": words,
        "patient": patient.name,
        "specialist": specialist,
        "tax_label": text_in(portal.settings.get(TAX_LABEL), locale, offered[0]),
    }
