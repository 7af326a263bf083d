"""Writing the ledger and summing it: entries by their source key, once; balances are sums and nothing else (E6)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from polyclinic.kernel.errors import Defect
from polyclinic.kernel.ids import new_id
from polyclinic.payments.ledger_models import LedgerAccount, LedgerEntry, LedgerPosting
from polyclinic.payments.ledger_rules import Account, Postings, refuse_unbalanced, reverse
from polyclinic.payments.models import Charge


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to money of a charge."""

    kind: str
    source_key: str
    """Names the fact for good: the same key is the same fact."""
    postings: Postings
    occurred_at: dt.datetime
    cause_kind: str
    cause_id: uuid.UUID
    currency: str
    external_id: str | None = None
    reverses_id: int | None = None


def write_entry(session: Session, charge: Charge, fact: Fact) -> bool:
    """Write a fact about a charge; returns False where it is written already, or moves nothing.

    Raises Defect for postings that do not balance, before the database would.
    """
    if not fact.postings:
        return False
    if (wrong := refuse_unbalanced(fact.postings)) is not None:
        raise Defect(f"{fact.source_key}: {wrong}")
    entry_id = session.execute(
        insert(LedgerEntry)
        .values(
            portal_id=charge.portal_id,
            specialist_id=charge.specialist_id,
            charge_id=charge.id,
            kind=fact.kind,
            source_key=fact.source_key,
            cause_kind=fact.cause_kind,
            cause_id=fact.cause_id,
            external_id=fact.external_id,
            reverses_id=fact.reverses_id,
            occurred_at=fact.occurred_at,
        )
        .on_conflict_do_nothing(index_elements=["source_key"])
        .returning(LedgerEntry.id)
    ).scalar_one_or_none()
    if entry_id is None:
        return False
    accounts = _accounts(session, charge, fact.currency, list(fact.postings))
    session.execute(
        insert(LedgerPosting).values(
            [
                {
                    "entry_id": entry_id,
                    "account_id": accounts[kind],
                    "portal_id": charge.portal_id,
                    "specialist_id": charge.specialist_id,
                    "currency": fact.currency,
                    "amount": amount,
                }
                for kind, amount in fact.postings.items()
            ]
        )
    )
    return True


def reverse_entry(
    session: Session,
    charge: Charge,
    source_key: str,
    occurred_at: dt.datetime,
    *,
    cause_kind: str,
    cause_id: uuid.UUID,
) -> bool:
    """Write the entry that undoes the one with ``source_key``, once; nothing happens where there is none."""
    entry = session.scalars(select(LedgerEntry).where(LedgerEntry.source_key == source_key)).one_or_none()
    if entry is None:
        return False
    rows = session.execute(
        select(LedgerAccount.kind, LedgerPosting.amount, LedgerPosting.currency)
        .join(LedgerAccount, LedgerAccount.id == LedgerPosting.account_id)
        .where(LedgerPosting.entry_id == entry.id)
    ).all()
    postings: Mapping[Account, int] = {row.kind: row.amount for row in rows}
    fact = Fact(
        "reversal",
        f"reversal:{source_key}",
        reverse(postings),
        occurred_at,
        cause_kind,
        cause_id,
        rows[0].currency,
        entry.external_id,
        entry.id,
    )
    return write_entry(session, charge, fact)


def _accounts(session: Session, charge: Charge, currency: str, kinds: Sequence[Account]) -> dict[str, uuid.UUID]:
    """Return the accounts of a charge's specialist on its portal, opening those that are missing."""
    keys = {"portal_id": charge.portal_id, "specialist_id": charge.specialist_id, "currency": currency}
    session.execute(
        insert(LedgerAccount)
        .values([{"id": new_id(), **keys, "kind": kind} for kind in sorted(kinds)])
        .on_conflict_do_nothing(index_elements=["portal_id", "specialist_id", "kind", "currency"])
    )
    rows = session.execute(
        select(LedgerAccount.kind, LedgerAccount.id).where(
            LedgerAccount.portal_id == charge.portal_id,
            LedgerAccount.specialist_id == charge.specialist_id,
            LedgerAccount.currency == currency,
            LedgerAccount.kind.in_(kinds),
        )
    ).all()
    return {row.kind: row.id for row in rows}


def balances(session: Session, *conditions: object) -> dict[tuple[str, str], int]:
    """Return the sum per account's kind and currency over everything in scope, narrowed by ``conditions``."""
    query = (
        select(LedgerAccount.kind, LedgerPosting.currency, func.sum(LedgerPosting.amount))
        .join(LedgerAccount, LedgerAccount.id == LedgerPosting.account_id)
        .where(*conditions)  # type: ignore[arg-type]  # SQL conditions over postings and accounts
        .group_by(LedgerAccount.kind, LedgerPosting.currency)
    )
    return {(kind, currency): int(total) for kind, currency, total in session.execute(query)}
