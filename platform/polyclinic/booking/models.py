"""Tables of holds and appointments.

What patients and specialists write to each other stands in tables of its own that operators have no grant on (I4).
"""

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
        UniqueConstraint("portal_id", "id"),
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


class HoldDetails(Base):
    """What the holder typed so far; it outlives the hold, so that choosing another time loses nothing (B2)."""

    __tablename__ = "hold_details"
    __table_args__ = (
        ForeignKeyConstraint(["portal_id", "hold_id"], ["hold.portal_id", "hold.id"]),
        ForeignKeyConstraint(*PATIENT),
        Index("ix_hold_details_portal_id_patient_id", "portal_id", "patient_id", "written_at"),
        tenancy("tenant"),
    )

    hold_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    portal_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID]
    name: Mapped[str]
    phone: Mapped[str]
    message: Mapped[str]
    written_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


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
        CheckConstraint("state <> 'pending_payment' OR pay_until IS NOT NULL", name="pay_until"),
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
    specialist_name: Mapped[str]
    """As the patient knew them when booking: a listing may end, and patients have no grant on specialists."""
    price_minor: Mapped[int]
    currency: Mapped[str]
    payment_model: Mapped[str]
    pay_until: Mapped[dt.datetime | None]
    """Until when the time is kept for the payment (B2); null where nothing is paid online."""
    policy: Mapped[dict[str, Any]]
    """Free cancellation limit (seconds) and late fee (percent) as they were at booking."""
    sequence: Mapped[int] = mapped_column(server_default=text("0"))
    """ICS sequence: rises with every change."""
    cancelled_at: Mapped[dt.datetime | None]
    cancelled_by: Mapped[str | None]
    cancelled_late: Mapped[bool | None]
    completed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class AppointmentMessage(Base):
    """What somebody wrote when booking or cancelling; for patient and specialist alone, never in mails (I4, T3)."""

    __tablename__ = "appointment_message"
    __table_args__ = (
        ForeignKeyConstraint(["portal_id", "appointment_id"], ["appointment.portal_id", "appointment.id"]),
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(*PATIENT),
        CheckConstraint("kind IN ('booking', 'cancellation')", name="kind"),
        tenancy("shared"),
    )

    appointment_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    portal_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID]
    specialist_id: Mapped[uuid.UUID]
    author: Mapped[str]
    body: Mapped[str]
    written_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
