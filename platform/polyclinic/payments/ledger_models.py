"""Tables of the double-entry ledger: append-only, balanced per currency by the database itself (E6).

Every account belongs to one specialist on one portal, so that a balance of the platform is a sum over them and nobody
needs to see more than their own. Accounts are named by ``payments/ledger_rules.py``.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.directory.models import LISTING
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy
from polyclinic.payments.models import CHARGE


class LedgerAccount(Base):
    """One account of one specialist on one portal in one currency."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        UniqueConstraint("portal_id", "specialist_id", "kind", "currency"),
        UniqueConstraint("portal_id", "specialist_id", "currency", "id"),
        tenancy("shared"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    portal_id: Mapped[uuid.UUID]
    specialist_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    """"platform:commission", "specialist:payable" …"""
    currency: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sql("app_now()"))


class LedgerEntry(Base):
    """One economic fact, written once, never changed: ``source_key`` names it."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(*CHARGE),
        UniqueConstraint("source_key"),
        UniqueConstraint("portal_id", "specialist_id", "id"),
        Index("ix_ledger_entry_charge_id", "charge_id"),
        Index("ix_ledger_entry_portal_id_occurred_at", "portal_id", "occurred_at"),
        Index("ix_ledger_entry_specialist_id_occurred_at", "specialist_id", "occurred_at"),
        tenancy("shared"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    portal_id: Mapped[uuid.UUID]
    specialist_id: Mapped[uuid.UUID]
    charge_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    """"capture", "commission", "provider_fee", "refund", "commission_returned", "invoice_paid", "reversal"."""
    source_key: Mapped[str]
    cause_kind: Mapped[str]
    """"payment", "refund" or "charge"."""
    cause_id: Mapped[uuid.UUID]
    external_id: Mapped[str | None]
    """The provider's object, for the comparison with the provider's books."""
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"))
    occurred_at: Mapped[dt.datetime]
    """When it happened in the world."""
    written_at: Mapped[dt.datetime] = mapped_column(server_default=sql("app_now()"))


class LedgerPosting(Base):
    """One side of an entry: debit above zero, credit below."""

    __tablename__ = "ledger_posting"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(
            ["portal_id", "specialist_id", "entry_id"],
            ["ledger_entry.portal_id", "ledger_entry.specialist_id", "ledger_entry.id"],
        ),
        ForeignKeyConstraint(
            ["portal_id", "specialist_id", "currency", "account_id"],
            [
                "ledger_account.portal_id",
                "ledger_account.specialist_id",
                "ledger_account.currency",
                "ledger_account.id",
            ],
        ),
        CheckConstraint("amount <> 0", name="amount"),
        Index("ix_ledger_posting_account_id", "account_id"),
        tenancy("shared"),
    )

    entry_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    portal_id: Mapped[uuid.UUID]
    specialist_id: Mapped[uuid.UUID]
    currency: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
