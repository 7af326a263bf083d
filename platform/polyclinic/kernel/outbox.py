"""The outbox: what must happen after a commit is written in the transaction that causes it (T2)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from polyclinic.kernel.models import Base, tenancy


class OutboxMessage(Base):
    """Something to be done once after commit; kept until the job that does it reports done."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_open", "id", postgresql_where=text("done_at IS NULL")),
        tenancy("journal", "written by every role in its own transaction, read by the relay only"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str]
    portal_id: Mapped[uuid.UUID | None]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
    queued_at: Mapped[dt.datetime | None]
    retry_at: Mapped[dt.datetime | None]
    """Real time from which it may be queued (again); null means at once."""
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    done_at: Mapped[dt.datetime | None]
    failed: Mapped[str | None]


def announce(session: Session, kind: str, payload: dict[str, Any], *, portal_id: uuid.UUID | None = None) -> None:
    """Write an outbox message of ``kind`` ("appointment.confirmed") in the current transaction.

    ``payload`` is JSON and carries ids, never texts about health (T3). Inserted without reading it back: roles may
    write here and not read.
    """
    session.execute(
        OutboxMessage.__table__.insert().inline(),  # type: ignore[attr-defined]  # Table, typed as FromClause
        {"kind": kind, "payload": payload, "portal_id": portal_id},
    )
