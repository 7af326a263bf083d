"""The table of audit events (U3): insert-only for everybody, readable by operators."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.kernel.models import Base, tenancy


class AuditEvent(Base):
    """Who did or read what, when and from where; ids and names of fields, never health texts."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_portal_id_id", "portal_id", "id"),
        Index("ix_audit_event_subject", "subject_kind", "subject_id"),
        tenancy("journal", "written by every role in its own transaction, read by operators only"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
    portal_id: Mapped[uuid.UUID | None]
    actor_kind: Mapped[str]
    actor_id: Mapped[uuid.UUID | None]
    sign_in_id: Mapped[uuid.UUID | None]
    ip: Mapped[str | None]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    detail: Mapped[dict[str, Any]]
