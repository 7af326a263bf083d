"""Receipts and credit notes for what a reading or a specialist made true, as the last step of that transaction (E10).

Numbers are locked last (… → charge → ledger → numbering), so this comes after the cause was told. It asks for what has
no document yet: a second reading issues nothing, and a fact that was booked before is certified with the next one.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import cast

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.kernel.errors import NotFound
from polyclinic.payments.models import Charge, Payment, Refund
from polyclinic.payments.receipt_models import Receipt
from polyclinic.payments.receipts import issue_credit_note, issue_for_charge, issue_for_payment
from polyclinic.tenancy.places import PortalView
from polyclinic.web.places import PlaceFlask


def certify_payment(session: Session, payment: Payment, charges: Sequence[Charge]) -> None:
    """Issue the receipt of a paid payment and the credit notes of its refunds that reached the patient."""
    if payment.state != "paid":
        return
    returned = session.scalars(
        select(Refund)
        .where(Refund.payment_id == payment.id, Refund.state == "succeeded")
        .order_by(Refund.settled_at, Refund.id)
    ).all()
    keys = [f"payment:{payment.id}", *(f"refund:{refund.id}" for refund in returned)]
    issued = set(session.scalars(select(Receipt.source_key).where(Receipt.source_key.in_(keys))))
    if issued.issuperset(keys):
        return
    portal, by_id = _portal(payment.portal_id), {charge.id: charge for charge in charges}
    if keys[0] not in issued:
        issue_for_payment(session, portal, payment, charges)
    for refund, key in zip(returned, keys[1:], strict=True):
        if key not in issued:
            issue_credit_note(session, portal, refund, by_id[refund.charge_id])


def certify_charge(session: Session, charge: Charge) -> None:
    """Issue the receipt of a charge that its specialist marked as paid (E5)."""
    issue_for_charge(session, _portal(charge.portal_id), charge)


def _portal(portal_id: uuid.UUID) -> PortalView:
    portal = cast(PlaceFlask, current_app).places.portal(portal_id)
    if portal is None:
        raise NotFound
    return portal
