"""Tables of what is owed, paid and returned. A charge names an opaque cause; nothing here knows an appointment.

Money facts stand in the ledger (ledger_models.py); what is here is what we asked for and what became of it.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.allocation.models import PATIENT
from polyclinic.directory.models import LISTING
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy
from polyclinic.kernel.money import Money

CHARGE = ["portal_id", "charge_id"], ["charge.portal_id", "charge.id"]
PAYMENT = ["portal_id", "payment_id"], ["payment.portal_id", "payment.id"]


class Charge(Base):
    """What a patient owes for one cause, and how it is shared: all of it frozen when it was made (E2–E5)."""

    __tablename__ = "charge"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(*PATIENT),
        UniqueConstraint("portal_id", "id"),
        UniqueConstraint("cause_kind", "cause_id"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("commission_minor BETWEEN 0 AND amount_minor", name="commission"),
        CheckConstraint("earns IN ('commission', 'share', 'nothing')", name="earns"),
        CheckConstraint("paid_at IS NULL OR voided_at IS NULL", name="end"),
        CheckConstraint("(paid_at IS NULL) = (paid_by IS NULL)", name="paid_by"),
        Index("ix_charge_portal_id_created_at", "portal_id", "created_at"),
        Index("ix_charge_patient", "portal_id", "patient_id", "created_at"),
        Index("ix_charge_specialist_id_created_at", "specialist_id", "created_at"),
        tenancy("shared"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    portal_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID]
    specialist_id: Mapped[uuid.UUID]
    cause_kind: Mapped[str]
    """What it is owed for, to whoever knows: "appointment"."""
    cause_id: Mapped[uuid.UUID]
    description: Mapped[str]
    """In neutral words of the patient's language: "Appointment, 30 November 2026" (T3)."""
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    """Gross, in minor units."""
    currency: Mapped[str]
    tax_bps: Mapped[int]
    """The tax contained in it, in hundredths of a percent."""
    payment_model: Mapped[str]
    provider: Mapped[str]
    """Who takes the money ("stripe"); "" where nobody does it for us."""
    account: Mapped[str]
    """The provider's account that charges; "" for the platform's own."""
    earns: Mapped[str]
    """How the platform is paid: "commission" (E3, E5), "share" (E4), "nothing"."""
    commission_bps: Mapped[int]
    """Of the amount; with "share" what the share leaves."""
    commission_minimum: Mapped[int] = mapped_column(BigInteger)
    commission_maximum: Mapped[int | None] = mapped_column(BigInteger)
    commission_minor: Mapped[int] = mapped_column(BigInteger)
    """What the platform keeps; the specialist's share is the rest, never rounded by itself."""
    return_commission: Mapped[bool]
    """Whether refunds give the commission back in proportion (E3)."""
    payout_delay: Mapped[dt.timedelta]
    paid_at: Mapped[dt.datetime | None]
    paid_by: Mapped[str | None]
    """"provider", or "specialist" who marked it (E5)."""
    voided_at: Mapped[dt.datetime | None]
    """When it stopped being owed without ever having been paid."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))

    @property
    def share_minor(self) -> int:
        """What the specialist gets of it."""
        return self.amount_minor - self.commission_minor


class Payment(Base):
    """One thing paid at a provider, settling one or more charges of one cause (E7)."""

    __tablename__ = "payment"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(*PATIENT),
        UniqueConstraint("portal_id", "id"),
        UniqueConstraint("idempotency_key"),
        CheckConstraint("state IN ('intended', 'open', 'processing', 'paid', 'failed', 'expired')", name="state"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", name="paid"),
        # Never two that could both be paid for one cause.
        Index(
            "uq_payment_cause_live",
            "cause_kind",
            "cause_id",
            unique=True,
            postgresql_where=text("state IN ('intended', 'open', 'processing', 'paid')"),
        ),
        Index("ix_payment_portal_id_created_at", "portal_id", "created_at"),
        Index("ix_payment_patient", "portal_id", "patient_id", "created_at"),
        Index("ix_payment_specialist_id_created_at", "specialist_id", "created_at"),
        tenancy("shared"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    portal_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID]
    specialist_id: Mapped[uuid.UUID]
    cause_kind: Mapped[str]
    cause_id: Mapped[uuid.UUID]
    payment_model: Mapped[str]
    """Fixed here: a portal that changes its model returns old payments as they were made."""
    provider: Mapped[str]
    account: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    commission_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(server_default=text("'intended'"))
    """Forward only, by payments/rules.py."""
    attempt: Mapped[int]
    """Which try this is for its cause, from 1."""
    idempotency_key: Mapped[str]
    """Written before the provider is called, so that a repeated call makes one object."""
    locale: Mapped[str]
    success_url: Mapped[str]
    cancel_url: Mapped[str]
    checkout_id: Mapped[str | None]
    intent_id: Mapped[str | None]
    capture_id: Mapped[str | None]
    """The provider's id of what was taken."""
    url: Mapped[str | None]
    """Of the page on which it can be paid."""
    deadline: Mapped[dt.datetime]
    """Application's clock: what it is for is given up then (B2)."""
    page_until: Mapped[dt.datetime]
    """Real time: how long the provider's page should live; part of the request that a key repeats."""
    failure: Mapped[str | None]
    """The provider's code of the last failed attempt ("card_declined")."""
    quarantine: Mapped[str | None]
    """Why a human must look: the provider tells of another payment than was asked for."""
    disputed: Mapped[bool] = mapped_column(server_default=text("false"))
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    """How often the provider did not answer in a row, for the pauses between tries."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
    read_at: Mapped[dt.datetime | None]
    """When the provider was last heard."""
    paid_at: Mapped[dt.datetime | None]


class PaymentCharge(Base):
    """Which charges a payment settles."""

    __tablename__ = "payment_charge"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(*PATIENT),
        ForeignKeyConstraint(*PAYMENT),
        ForeignKeyConstraint(*CHARGE),
        Index("ix_payment_charge_charge_id", "charge_id"),
        tenancy("shared"),
    )

    payment_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    charge_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    portal_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID]
    specialist_id: Mapped[uuid.UUID]


class Refund(Base):
    """Money of a charge that goes back to the patient (E8)."""

    __tablename__ = "refund"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(*PATIENT),
        ForeignKeyConstraint(*CHARGE),
        ForeignKeyConstraint(*PAYMENT),
        UniqueConstraint("portal_id", "id"),
        UniqueConstraint("idempotency_key"),
        UniqueConstraint("cause_key"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("commission_minor BETWEEN 0 AND amount_minor", name="commission"),
        CheckConstraint("state IN ('requested', 'pending', 'succeeded', 'failed')", name="state"),
        CheckConstraint("requested_by IN ('patient', 'specialist', 'operator', 'system')", name="requested_by"),
        Index("ix_refund_charge_id", "charge_id"),
        Index("ix_refund_portal_id_created_at", "portal_id", "created_at"),
        Index("ix_refund_specialist_id_created_at", "specialist_id", "created_at"),
        tenancy("shared"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    portal_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID]
    specialist_id: Mapped[uuid.UUID]
    charge_id: Mapped[uuid.UUID]
    payment_id: Mapped[uuid.UUID]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    commission_minor: Mapped[int] = mapped_column(BigInteger)
    """How much of the amount the platform gives back of its own; the rest is the specialist's."""
    currency: Mapped[str]
    reason: Mapped[str]
    """The rule that grants it ("free_cancellation", "payment_too_late"), for everybody to read (E8)."""
    requested_by: Mapped[str]
    requested_by_id: Mapped[uuid.UUID | None]
    cause_key: Mapped[str]
    """What caused it ("cancel:<appointment>"): the same cause asks once."""
    idempotency_key: Mapped[str]
    external_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=text("'requested'"))
    failure: Mapped[str | None]
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
    settled_at: Mapped[dt.datetime | None]
    """When it succeeded or failed."""

    @property
    def money(self) -> Money:
        """How much goes back."""
        return Money(self.amount_minor, self.currency)
