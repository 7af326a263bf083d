"""The table of what people wrote to a portal's support desk."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy


class ContactMessage(Base):
    """A message to the support desk: written by anybody, read by the operators of that portal and nobody else."""

    __tablename__ = "contact_message"
    __table_args__ = (
        CheckConstraint("state IN ('new', 'answered')", name="state"),
        CheckConstraint("topic IN ('booking', 'payment', 'technology', 'data', 'other')", name="topic"),
        Index("ix_contact_message_portal_id_created_at", "portal_id", "created_at"),
        tenancy("tenant"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    portal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("portal.id"))
    name: Mapped[str]
    email: Mapped[str]
    topic: Mapped[str]
    body: Mapped[str]
    locale: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'new'"))
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
    answered_at: Mapped[dt.datetime | None]
