"""What charges are owed for, told by whoever knows: payments charges an opaque cause and hears nothing of visits.

A higher feature registers itself for the kind of its causes; the calls come inside the transaction that applies what a
provider said, so that "paid" and "confirmed" are one commit (B2).
"""

from __future__ import annotations

import uuid
from typing import Protocol

from flask import Flask, current_app
from sqlalchemy.orm import Session

from polyclinic.kernel.errors import Defect
from polyclinic.payments.models import Payment
from polyclinic.payments.refund_rules import Reason

_KEY = "polyclinic.payment_causes"


class Cause(Protocol):
    """Knows what a payment is for. Sessions are in the scope of a job of the payment's portal."""

    def lock(self, session: Session, cause_id: uuid.UUID) -> None:
        """Lock everything that comes before charges in the house's order: specialist, then the cause itself."""

    def wants(self, session: Session, payment: Payment) -> bool:
        """Tell whether the payment is still waited for; else its page is closed at the provider (B2)."""

    def paid(self, session: Session, payment: Payment) -> Reason | None:
        """Hear that it was paid, for the first time; return the rule by which all of it goes back, or None (B8)."""

    def unpaid(self, session: Session, payment: Payment) -> None:
        """Hear that it failed or expired at the provider without money."""


def register_cause(app: Flask, kind: str, cause: Cause) -> None:
    """Have ``cause`` asked about charges of ``kind``."""
    app.extensions.setdefault(_KEY, {})[kind] = cause


def cause_of(kind: str) -> Cause:
    """Return who knows causes of ``kind``; raises Defect where nobody does."""
    found: Cause | None = current_app.extensions.get(_KEY, {}).get(kind)
    if found is None:
        raise Defect(f"nobody knows what a charge for {kind!r} is for")
    return found
