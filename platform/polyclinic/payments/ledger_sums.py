"""Sums over the ledger per portal and currency, as operators see them (E6)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from polyclinic.kernel.money import Money
from polyclinic.payments.ledger_models import LedgerAccount, LedgerEntry, LedgerPosting

#: Where patients' money arrives, whoever takes it.
ARRIVES = ("provider:platform", "provider:specialist", "specialist:outside")
_RECEIVED = ("capture", "invoice_paid")
#: Entries of money between platform, provider and specialist; the others are between patient and whoever took it.
_INSIDE = ("commission", "commission_returned", "provider_fee")


@dataclass(frozen=True, slots=True)
class LedgerSum:
    """What the ledger says of one portal in one currency, in minor units."""

    portal_id: uuid.UUID
    currency: str
    received: int
    returned: int
    commission: int
    fees: int

    @property
    def specialists(self) -> int:
        """What is the specialists' of it, by accounts of their own or as the platform's debt."""
        return self.received - self.returned - self.commission - self.fees

    def money(self, name: Literal["received", "returned", "commission", "fees", "specialists"]) -> Money:
        """Return one of the sums with its currency."""
        return Money(getattr(self, name), self.currency)


def ledger_sums(session: Session, portal_id: uuid.UUID | None = None) -> list[LedgerSum]:
    """Return the sums of every portal in the session's scope, or of one."""
    arrived = LedgerAccount.kind.in_(ARRIVES)
    received = and_(arrived, LedgerEntry.kind.in_(_RECEIVED))
    returned = and_(arrived, LedgerEntry.kind.not_in((*_RECEIVED, *_INSIDE)))
    commission = LedgerAccount.kind == "platform:commission"
    fees = and_(
        LedgerEntry.kind == "provider_fee",
        or_(LedgerAccount.kind == "platform:fees", LedgerAccount.kind == "specialist:expenses"),
    )
    query = (
        select(
            LedgerEntry.portal_id,
            LedgerPosting.currency,
            _sum(received),
            -_sum(returned),
            -_sum(commission),
            _sum(fees),
        )
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .join(LedgerAccount, LedgerAccount.id == LedgerPosting.account_id)
        .group_by(LedgerEntry.portal_id, LedgerPosting.currency)
        .order_by(LedgerEntry.portal_id, LedgerPosting.currency)
    )
    if portal_id is not None:
        query = query.where(LedgerEntry.portal_id == portal_id)
    rows: Sequence[Any] = session.execute(query).all()
    return [LedgerSum(row[0], row[1], *map(int, row[2:])) for row in rows]


def _sum(where: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(LedgerPosting.amount).filter(where), 0)
