"""Tables of agreements and of what people answered (K1, K2)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.allocation.models import PATIENT
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy


class Agreement(Base):
    """A text that a portal asks people to agree to, and where it stands in the way until they do."""

    __tablename__ = "agreement"
    __table_args__ = (
        UniqueConstraint("portal_id", "id"),
        UniqueConstraint("portal_id", "slug"),
        CheckConstraint("gate IN ('registration', 'booking', 'joining')", name="gate"),
        CheckConstraint("valid_days > 0", name="valid_days"),
        tenancy("tenant"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    portal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("portal.id"))
    slug: Mapped[str]
    gate: Mapped[str]
    required: Mapped[bool] = mapped_column(server_default=text("true"))
    valid_days: Mapped[int | None]
    """For how many days an answer holds; null means until a new version or a withdrawal (K3)."""
    position: Mapped[int] = mapped_column(server_default=text("0"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class AgreementVersion(Base):
    """The exact text of one version in one language, with its SHA-256; never changed, a new version asks again (K1)."""

    __tablename__ = "agreement_version"
    __table_args__ = (
        ForeignKeyConstraint(["portal_id", "agreement_id"], ["agreement.portal_id", "agreement.id"]),
        UniqueConstraint("portal_id", "id"),
        UniqueConstraint("agreement_id", "version", "locale"),
        CheckConstraint("version > 0", name="version"),
        tenancy("tenant"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    portal_id: Mapped[uuid.UUID]
    agreement_id: Mapped[uuid.UUID]
    version: Mapped[int]
    locale: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    """Markdown."""
    hash: Mapped[bytes]
    published_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class Consent(Base):
    """Somebody's answer to one version: append-only, a withdrawal is a new record (K2)."""

    __tablename__ = "consent"
    __table_args__ = (
        ForeignKeyConstraint(*PATIENT),
        ForeignKeyConstraint(["portal_id", "version_id"], ["agreement_version.portal_id", "agreement_version.id"]),
        CheckConstraint("answer IN ('given', 'withdrawn')", name="answer"),
        Index("ix_consent_patient", "portal_id", "patient_id", "agreement_id", "at"),
        tenancy("tenant"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    portal_id: Mapped[uuid.UUID]
    patient_id: Mapped[uuid.UUID]
    agreement_id: Mapped[uuid.UUID]
    version_id: Mapped[uuid.UUID]
    hash: Mapped[bytes]
    answer: Mapped[str]
    at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
    how: Mapped[str]
    """Where the box was ticked: "registration", "booking", "api"."""
    ip: Mapped[str | None]
