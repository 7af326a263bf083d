"""The table of allocations (A3)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.directory.models import LISTING
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy

PATIENT = ["portal_id", "patient_id"], ["patient.portal_id", "patient.id"]
SOURCES = ("browse", "request", "automated", "assisted", "referral", "programme", "transfer")


class Allocation(Base):
    """A patient and a specialist who belong together on a portal; reopened, never doubled (A3)."""

    __tablename__ = "allocation"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(*PATIENT),
        UniqueConstraint("portal_id", "patient_id", "specialist_id"),
        CheckConstraint("state IN ('active', 'ended')", name="state"),
        CheckConstraint(
            "source IN ('browse', 'request', 'automated', 'assisted', 'referral', 'programme', 'transfer')",
            name="source",
        ),
        Index("ix_allocation_specialist_id_patient_id", "specialist_id", "patient_id"),
        tenancy("shared"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    portal_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID]
    specialist_id: Mapped[uuid.UUID]
    source: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'active'"))
    since: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
    ended_at: Mapped[dt.datetime | None]
    standing_permission: Mapped[bool] = mapped_column(server_default=text("false"))
    """The specialist lets this patient book directly although they are established (B1)."""
