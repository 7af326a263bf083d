"""Tables of receipts and credit notes, numbered without gaps per issuer and portal, and of who issues them (E10).

A row is written with the fact it certifies and never changed; once, by a job right after it, its document is rendered
and the row learns where the bytes are and what they hash to. The database refuses every other change.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.allocation.models import PATIENT
from polyclinic.directory.models import LISTING
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy
from polyclinic.payments.models import CHARGE, PAYMENT


class Receipt(Base):
    """One document: a receipt for what was paid, or a credit note for what went back."""

    __tablename__ = "receipt"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(*PATIENT),
        ForeignKeyConstraint(*CHARGE),
        ForeignKeyConstraint(*PAYMENT),
        ForeignKeyConstraint(["portal_id", "refund_id"], ["refund.portal_id", "refund.id"]),
        ForeignKeyConstraint(["portal_id", "refers_to_id"], ["receipt.portal_id", "receipt.id"]),
        UniqueConstraint("portal_id", "id"),
        # Numbers run per issuer and portal; max + 1 under the lock of receipts.py leaves no gap.
        UniqueConstraint("portal_id", "issuer_id", "number"),
        UniqueConstraint("source_key"),
        CheckConstraint("kind IN ('receipt', 'credit_note')", name="kind"),
        CheckConstraint("issuer IN ('specialist', 'portal')", name="issuer"),
        CheckConstraint(
            "issuer_id = CASE issuer WHEN 'portal' THEN portal_id ELSE specialist_id END", name="issuer_id"
        ),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(kind = 'credit_note') = (refund_id IS NOT NULL)", name="refund"),
        CheckConstraint("(file_key IS NULL) = (file_hash IS NULL)", name="file"),
        Index("ix_receipt_charge_id", "charge_id"),
        Index("ix_receipt_patient", "portal_id", "patient_id", "issued_at"),
        Index("ix_receipt_specialist_id_issued_at", "specialist_id", "issued_at"),
        tenancy("shared"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    portal_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID]
    specialist_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    issuer: Mapped[str]
    """Who took the money: "specialist" or "portal" (E3–E5)."""
    issuer_id: Mapped[uuid.UUID]
    number: Mapped[int] = mapped_column(BigInteger)
    label: Mapped[str]
    """The number as it is written: "BW-00012"."""
    source_key: Mapped[str]
    """The fact it certifies ("payment:<id>", "charge:<id>", "refund:<id>"): one fact, one document."""
    charge_id: Mapped[uuid.UUID]
    """The charge, or the first of a payment of several."""
    payment_id: Mapped[uuid.UUID | None]
    """None where the specialist was paid elsewhere (E5)."""
    refund_id: Mapped[uuid.UUID | None]
    refers_to_id: Mapped[uuid.UUID | None]
    """Of a credit note: the receipt, which itself is never changed."""
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    locale: Mapped[str]
    """The language it is written in: the patient's of that moment."""
    data: Mapped[dict[str, Any]]
    """Everything it says, frozen: names, addresses, lines, tax, dates."""
    issued_at: Mapped[dt.datetime] = mapped_column(server_default=sql("app_now()"))
    file_key: Mapped[str | None]
    """Where the rendered bytes are, from the job on that rendered them: the same bytes for ever."""
    file_hash: Mapped[bytes | None]
    """SHA-256 of those bytes."""


class BillingDetails(Base):
    """What a specialist's receipts say about who issues them (U2)."""

    __tablename__ = "billing_details"
    __table_args__ = (tenancy("own"),)

    specialist_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("specialist.id"), primary_key=True)
    name: Mapped[str]
    """Of the person or company; "" for the specialist's own name."""
    address: Mapped[str]
    """Lines separated by newlines."""
    tax_id: Mapped[str]
    note: Mapped[str]
    """A line below the sums, such as why no tax is charged."""
    changed_at: Mapped[dt.datetime] = mapped_column(server_default=sql("app_now()"))
