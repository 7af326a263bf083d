"""Tables of holds and appointments."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.allocation.models import PATIENT
from polyclinic.directory.models import LISTING, SERVICE
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy

STATES = (
    "pending_payment",
    "confirmed",
    "in_progress",
    "completed",
    "missed_by_patient",
    "missed_by_specialist",
    "cancelled",
)


class Hold(Base):
    """A slot kept for somebody for some minutes; dead once ``expires_at`` has passed, swept or not (B2, C5)."""

    __tablename__ = "hold"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(*SERVICE),
        ForeignKeyConstraint(*PATIENT),
        CheckConstraint("state IN ('open', 'booked', 'released', 'expired')", name="state"),
        CheckConstraint("patient_id IS NOT NULL OR guest IS NOT NULL", name="holder"),
        CheckConstraint("price_minor >= 0", name="price"),
        Index("ix_hold_portal_id_patient_id", "portal_id", "patient_id"),
        Index("ix_hold_portal_id_guest", "portal_id", "guest"),
        Index("ix_hold_portal_id_address", "portal_id", "address"),
        tenancy("shared"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    """Also the id of its claim."""
    portal_id: Mapped[uuid.UUID]
    specialist_id: Mapped[uuid.UUID]
    service_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID | None]
    guest: Mapped[str | None]
    """Digest of the guest's browser cookie."""
    address: Mapped[str | None]
    """Digest of the guest's network address, for the limit per address."""
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    zone: Mapped[str]
    """The zone in which the slot was shown to the holder."""
    price_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    expires_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class Appointment(Base):
    """A visit agreed by patient and specialist (B5); its price and cancellation policy are frozen at booking (B6)."""

    __tablename__ = "appointment"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(*SERVICE),
        ForeignKeyConstraint(*PATIENT),
        UniqueConstraint("portal_id", "id"),
        UniqueConstraint("hold_id"),
        CheckConstraint(
            "state IN ('pending_payment', 'confirmed', 'in_progress', 'completed', 'missed_by_patient',"
            " 'missed_by_specialist', 'cancelled')",
            name="state",
        ),
        CheckConstraint("ends_at > starts_at", name="order"),
        CheckConstraint("price_minor >= 0", name="price"),
        CheckConstraint("cancelled_by IN ('patient', 'specialist', 'operator', 'system')", name="cancelled_by"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled"),
        Index("ix_appointment_specialist_id_starts_at", "specialist_id", "starts_at"),
        Index("ix_appointment_patient", "portal_id", "patient_id", "starts_at"),
        Index("ix_appointment_portal_id_starts_at", "portal_id", "starts_at"),
        tenancy("shared"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    """Also the id of its claim."""
    portal_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID]
    specialist_id: Mapped[uuid.UUID]
    service_id: Mapped[uuid.UUID]
    hold_id: Mapped[uuid.UUID | None]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    zone: Mapped[str]
    """The specialist's zone when it was booked: the zone of the promised wall time."""
    state: Mapped[str]
    service_name: Mapped[dict[str, str]]
    price_minor: Mapped[int]
    currency: Mapped[str]
    payment_model: Mapped[str]
    policy: Mapped[dict[str, Any]]
    """Free cancellation limit (seconds) and late fee (percent) as they were at booking."""
    message: Mapped[str | None]
    """What the patient wrote when booking; for the specialist, never in mails."""
    sequence: Mapped[int] = mapped_column(server_default=text("0"))
    """ICS sequence: rises with every change."""
    cancelled_at: Mapped[dt.datetime | None]
    cancelled_by: Mapped[str | None]
    cancelled_late: Mapped[bool | None]
    cancel_reason: Mapped[str | None]
    completed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
