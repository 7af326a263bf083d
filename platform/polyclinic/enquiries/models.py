"""The table of enquiries from people who would like to work here."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy


class Enquiry(Base):
    """Somebody asks the network about working here; strangers write, operators of the whole network read."""

    __tablename__ = "enquiry"
    __table_args__ = (
        CheckConstraint("state IN ('new', 'answered')", name="state"),
        CheckConstraint("kind IN ('independent', 'team', 'network')", name="kind"),
        Index("ix_enquiry_created_at", "created_at"),
        tenancy("journal", "written by strangers on the network's own site, read by operators of the whole network"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    name: Mapped[str]
    email: Mapped[str]
    practice: Mapped[str]
    field: Mapped[str]
    languages: Mapped[list[str]]
    portals: Mapped[list[str]]
    """Ids of the portals they asked about."""
    body: Mapped[str]
    locale: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'new'"))
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
    answered_at: Mapped[dt.datetime | None]
