"""Whose an object at a payment provider is: written when it is made, read when somebody sends its id (E7).

An inbound event names objects of the provider's and nothing of ours. The reference gives the worker its scope: the
portal and the cause. Ids are unique within an account of the provider; "" is the platform's own account.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import CheckConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from polyclinic.kernel.models import Base, tenancy

CauseKind = Literal["payment", "refund", "account"]


class ExternalReference(Base):
    """An object at a provider, and what it was made for."""

    __tablename__ = "external_reference"
    __table_args__ = (
        CheckConstraint("cause_kind IN ('payment', 'refund', 'account')", name="cause_kind"),
        CheckConstraint("(portal_id IS NULL) = (cause_kind = 'account')", name="portal"),
        tenancy("journal", "written by whoever makes the object, read by the worker of the webhook inbox only"),
    )

    provider: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    portal_id: Mapped[uuid.UUID | None]
    """None for a specialist's account, which serves every portal."""
    cause_kind: Mapped[str]
    cause_id: Mapped[uuid.UUID]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


@dataclass(frozen=True, slots=True)
class Reference:
    """What an object at a provider was made for."""

    portal_id: uuid.UUID | None
    kind: str
    cause_id: uuid.UUID


def remember_reference(
    session: Session,
    provider: str,
    account: str,
    external_id: str,
    *,
    portal_id: uuid.UUID | None,
    kind: CauseKind,
    cause_id: uuid.UUID,
) -> None:
    """Note what ``external_id`` was made for, in the transaction that learns of it; noting it twice is one note.

    ``portal_id`` is None for accounts only. Written blindly: whoever makes objects need not be able to read the table.
    """
    row = {"provider": provider, "account": account, "external_id": external_id}
    cause = {"portal_id": portal_id, "cause_kind": kind, "cause_id": cause_id}
    session.execute(insert(ExternalReference).values(**row, **cause).on_conflict_do_nothing())


def find_reference(session: Session, provider: str, account: str, external_ids: Collection[str]) -> Reference | None:
    """Return what the first known of ``external_ids`` was made for, in the scope of a job."""
    found = session.scalars(
        select(ExternalReference).where(
            ExternalReference.provider == provider,
            ExternalReference.account == account,
            ExternalReference.external_id.in_(list(external_ids)),
        )
    ).all()
    by_id = {row.external_id: row for row in found}
    row = next((by_id[name] for name in external_ids if name in by_id), None)
    return None if row is None else Reference(row.portal_id, row.cause_kind, row.cause_id)
