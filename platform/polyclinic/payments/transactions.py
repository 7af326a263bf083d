"""Transactions: every charge and every refund, what they mean for whom, and the sums over them (E11).

One statement joins both into rows of one shape; lists, totals, downloads and the chart are all made of it. Amounts in
different currencies are never added. Money counts once it has moved: what is open, on its way or failed is listed with
its amount and adds nothing.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from polyclinic.identity.models import Patient
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.money import Money
from polyclinic.payments.ledger_models import LedgerAccount, LedgerEntry, LedgerPosting
from polyclinic.payments.models import Charge, Payment, PaymentCharge, Refund
from polyclinic.web.api import fetch_page

Kind = Literal["charge", "refund"]
AmountName = Literal["amount", "gross", "commission", "fee", "net", "running"]
Status = Literal[
    "open", "processing", "failed", "paid", "refund_on_the_way", "partly_refunded", "refunded", "void", "returned"
]
STATUSES: Final[tuple[Status, ...]] = (
    "open",
    "processing",
    "failed",
    "paid",
    "refund_on_the_way",
    "partly_refunded",
    "refunded",
    "void",
    "returned",
)
MOST_ROWS: Final = 20_000
"""Of a download."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One charge or refund as somebody's list shows it; amounts in minor units of its currency."""

    id: uuid.UUID
    kind: Kind
    portal_id: uuid.UUID
    patient_id: uuid.UUID
    patient_name: str
    specialist_id: uuid.UUID
    charge_id: uuid.UUID
    cause_kind: str
    cause_id: uuid.UUID
    description: str
    reason: str
    """Of a refund: the rule that grants it."""
    payment_model: str
    provider: str
    account: str
    capture_id: str | None
    """The provider's id of what was taken, for a link to it."""
    at: dt.datetime
    """UTC: when it was paid or returned, else when it was made."""
    status: Status
    currency: str
    amount: int
    """What it is about, also while nothing has moved; negative for refunds."""
    gross: int
    """What has moved."""
    commission: int
    fee: int
    """What the provider kept of the specialist's money."""
    net: int
    running: int
    """The sum of ``net`` in its currency up to here, over what the filters let through."""

    def money(self, name: AmountName) -> Money:
        """Return one of its amounts with its currency."""
        return Money(getattr(self, name), self.currency)


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over transactions in one currency."""

    currency: str
    count: int
    gross: int
    commission: int
    fee: int
    net: int

    def money(self, name: Literal["gross", "commission", "fee", "net"]) -> Money:
        """Return one of its sums with its currency."""
        return Money(getattr(self, name), self.currency)


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a list; None lets everything through."""

    portal_id: uuid.UUID | None = None
    status: Status | None = None
    currency: str | None = None
    patient_id: uuid.UUID | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    """Not included."""
    kind: Kind | None = None


def month_bounds(month: str, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime] | None:
    """Return where a month ("2026-11") begins and ends on the wall of a zone, in UTC; None for what is no month."""
    try:
        first = dt.datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    except ValueError:
        return None
    if not 2000 <= first.year <= 2999:
        return None
    following = (first.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    return first.astimezone(dt.UTC), following.astimezone(dt.UTC)


def list_transactions(
    session: Session, actor: Actor, filters: Filters, *, limit: int = 25, cursor: str | None = None
) -> tuple[list[Transaction], str | None]:
    """Return a page of an actor's transactions, newest first, and the cursor of the next page."""
    rows = _filtered(actor, filters)
    query = _shown(rows)
    found, following = fetch_page(session, query, [rows.c.at, rows.c.id], limit=limit, cursor=cursor, descending=True)
    return [Transaction(*row) for row in found], following


def every_transaction(session: Session, actor: Actor, filters: Filters) -> Iterator[Transaction]:
    """Return all transactions that the filters let through, oldest first, for a download (at most MOST_ROWS)."""
    rows = _filtered(actor, filters)
    query = _shown(rows).order_by(rows.c.at, rows.c.id).limit(MOST_ROWS)
    return (Transaction(*row) for row in session.execute(query).all())


def totals_of(session: Session, actor: Actor, filters: Filters) -> list[Total]:
    """Return the sums per currency over what the filters let through."""
    rows = _filtered(actor, filters)
    query = (
        select(
            rows.c.currency,
            func.count(),
            *(func.coalesce(func.sum(rows.c[name]), 0) for name in ("gross", "commission", "fee", "net")),
        )
        .group_by(rows.c.currency)
        .order_by(rows.c.currency)
    )
    return [Total(row[0], *map(int, row[1:])) for row in session.execute(query)]


def revenue_by_month(
    session: Session, actor: Actor, filters: Filters, bounds: Sequence[tuple[dt.datetime, dt.datetime]]
) -> dict[str, list[int]]:
    """Return per currency the net of each of the given months, in the order of ``bounds``."""
    rows = _filtered(actor, filters)
    sums = [
        func.coalesce(func.sum(rows.c.net).filter(rows.c.at >= literal(first), rows.c.at < literal(last)), 0)
        for first, last in bounds
    ]
    moved = rows.c.gross != 0
    query = select(rows.c.currency, *sums).where(moved).group_by(rows.c.currency).order_by(rows.c.currency)
    return {row[0]: [int(value) for value in row[1:]] for row in session.execute(query)}


def currencies_of(session: Session, actor: Actor) -> list[str]:
    """Return the currencies in which an actor has charges."""
    query = select(Charge.currency).where(*_own(actor, Charge)).distinct().order_by(Charge.currency)
    return list(session.scalars(query))


def _own(actor: Actor, table: Any) -> list[ColumnElement[bool]]:
    """Ask for the actor's own id once more; the database has narrowed by it already (I1)."""
    if actor.kind == "patient":
        return [table.portal_id == actor.portal_id, table.patient_id == actor.id]
    return [table.specialist_id == actor.id] if actor.kind == "specialist" else []


def _shown(rows: Subquery) -> Select[Any]:
    columns = [rows.c[name] for name in Transaction.__dataclass_fields__ if name != "running"]
    running = func.sum(rows.c.net).over(partition_by=rows.c.currency, order_by=(rows.c.at, rows.c.id))
    return select(*columns, cast(running, BigInteger))


def _filtered(actor: Actor, filters: Filters) -> Subquery:
    """Select the rows that the filters let through, each with the patient's name where the actor may know it."""
    both = union_all(_charges(actor), _refunds(actor)).subquery("both")
    query = select(*both.c, func.coalesce(Patient.name, "").label("patient_name")).outerjoin(
        Patient, and_(Patient.portal_id == both.c.portal_id, Patient.id == both.c.patient_id)
    )
    for column, value in (
        (both.c.portal_id, filters.portal_id),
        (both.c.status, filters.status),
        (both.c.currency, filters.currency),
        (both.c.patient_id, filters.patient_id),
        (both.c.kind, filters.kind),
    ):
        if value is not None:
            query = query.where(column == value)
    if filters.since is not None:
        query = query.where(both.c.at >= filters.since)
    if filters.until is not None:
        query = query.where(both.c.at < filters.until)
    return query.subquery("transactions")


def _charges(actor: Actor) -> Select[Any]:
    paid = Charge.paid_at.is_not(None)
    # Patients see no ledger. PostgreSQL sums bigints to numeric.
    fee: Any = literal(0) if actor.kind == "patient" else cast(func.coalesce(_fees(), 0), BigInteger)
    last = _last_payment()
    return (
        select(
            Charge.id,
            literal("charge", String).label("kind"),
            *_common(),
            literal("", String).label("reason"),
            last.c.capture_id,
            func.coalesce(Charge.paid_at, Charge.voided_at, Charge.created_at).label("at"),
            charge_status(last.c.state).label("status"),
            Charge.amount_minor.label("amount"),
            case((paid, Charge.amount_minor), else_=0).label("gross"),
            case((paid, Charge.commission_minor), else_=0).label("commission"),
            case((paid, fee), else_=0).label("fee"),
            case((paid, Charge.amount_minor - Charge.commission_minor - fee), else_=0).label("net"),
        )
        .outerjoin(last, literal(True))
        .where(*_own(actor, Charge))
    )


def _refunds(actor: Actor) -> Select[Any]:
    moved = Refund.state == "succeeded"
    back = Refund.amount_minor - Refund.commission_minor
    return (
        select(
            Refund.id,
            literal("refund", String).label("kind"),
            *_common(),
            Refund.reason,
            Payment.capture_id,
            func.coalesce(Refund.settled_at, Refund.created_at).label("at"),
            case((moved, "returned"), (Refund.state == "failed", "failed"), else_="refund_on_the_way").label("status"),
            (-Refund.amount_minor).label("amount"),
            case((moved, -Refund.amount_minor), else_=0).label("gross"),
            case((moved, -Refund.commission_minor), else_=0).label("commission"),
            literal(0).label("fee"),
            case((moved, -back), else_=0).label("net"),
        )
        .join(Charge, and_(Charge.portal_id == Refund.portal_id, Charge.id == Refund.charge_id))
        .outerjoin(Payment, and_(Payment.portal_id == Refund.portal_id, Payment.id == Refund.payment_id))
        .where(*_own(actor, Refund))
    )


def _common() -> list[Any]:
    return [
        Charge.portal_id,
        Charge.patient_id,
        Charge.specialist_id,
        Charge.id.label("charge_id"),
        Charge.cause_kind,
        Charge.cause_id,
        Charge.description,
        Charge.payment_model,
        Charge.provider,
        Charge.account,
        Charge.currency,
    ]


def charge_status(payment_state: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the status of a charge in SQL; ``payment_state`` is that of its last payment."""
    succeeded = (
        select(func.coalesce(func.sum(Refund.amount_minor), 0))
        .where(Refund.charge_id == Charge.id, Refund.state == "succeeded")
        .scalar_subquery()
    )
    on_the_way = (
        select(Refund.id).where(Refund.charge_id == Charge.id, Refund.state.in_(("requested", "pending"))).exists()
    )
    unpaid = Charge.paid_at.is_(None)
    return case(
        (Charge.voided_at.is_not(None), "void"),
        (and_(unpaid, payment_state == "processing"), "processing"),
        (and_(unpaid, payment_state == "failed"), "failed"),
        (unpaid, "open"),
        (on_the_way, "refund_on_the_way"),
        (succeeded >= Charge.amount_minor, "refunded"),
        (succeeded > 0, "partly_refunded"),
        else_="paid",
    )


def _last_payment() -> Any:
    return (
        select(Payment.state, Payment.capture_id)
        .join(PaymentCharge, PaymentCharge.payment_id == Payment.id)
        .where(PaymentCharge.charge_id == Charge.id)
        .order_by(Payment.created_at.desc(), Payment.id.desc())
        .limit(1)
        .lateral("last_payment")
    )


def _fees() -> Any:
    """The provider's fees that came out of the specialist's money, as the ledger has them."""
    return (
        select(func.sum(LedgerPosting.amount))
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .join(LedgerAccount, LedgerAccount.id == LedgerPosting.account_id)
        .where(
            LedgerEntry.charge_id == Charge.id,
            LedgerEntry.kind == "provider_fee",
            LedgerAccount.kind == "specialist:expenses",
        )
        .scalar_subquery()
    )
