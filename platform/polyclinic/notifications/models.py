"""The delivery log: what was sent to whom, so that a job that runs twice sends once (T2)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy


class Delivery(Base):
    """One message to one person over one channel; the body is not kept."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("cause", "recipient_kind", "recipient_id", "channel"),
        CheckConstraint("state IN ('sending', 'sent', 'failed')", name="state"),
        Index("ix_delivery_portal_id_created_at", "portal_id", "created_at"),
        tenancy("journal", "written by jobs of every portal and of the network, read by operators"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    cause: Mapped[str]
    """The outbox message it came from: kind and number."""
    portal_id: Mapped[uuid.UUID | None]
    recipient_kind: Mapped[str]
    recipient_id: Mapped[str]
    channel: Mapped[str]
    message_id: Mapped[str]
    state: Mapped[str]
    error: Mapped[str | None]
    tried_at: Mapped[dt.datetime]
    """Real time of the last try: one that never ended is taken over after a while."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
    sent_at: Mapped[dt.datetime | None]
