"""What falls due at a time of the application's clock: the scheduler polls this table, nothing sleeps on it."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.orm import Mapped, Session, mapped_column

from polyclinic.kernel.models import Base, tenancy


class Due(Base):
    """A kind of work on a thing, to be queued once ``at`` has passed."""

    __tablename__ = "due"
    __table_args__ = (
        Index("ix_due_at", "at"),
        tenancy("journal", "written by every role in its own transaction, read by the scheduler only"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str]
    portal_id: Mapped[uuid.UUID | None]
    subject_id: Mapped[uuid.UUID]
    at: Mapped[dt.datetime]


def fall_due(
    session: Session, kind: str, subject_id: uuid.UUID, at: dt.datetime, *, portal_id: uuid.UUID | None = None
) -> None:
    """Have ``kind`` queued for ``subject_id`` at ``at`` (UTC, application's clock); handlers must be idempotent."""
    session.execute(
        Due.__table__.insert().inline(),  # type: ignore[attr-defined]  # Table, typed as FromClause
        {"kind": kind, "subject_id": subject_id, "at": at, "portal_id": portal_id},
    )
