"""Tables of people and how they prove who they are."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy

_DOOR = "read and written by the door role alone, before anybody is known"
_SUBJECT = "subject_kind IN ('patient', 'specialist', 'operator')"
_PORTAL = "(subject_kind = 'patient') = (portal_id IS NOT NULL)"


class Patient(Base):
    """A patient of exactly one portal; the same e-mail address on another portal is another patient (P3)."""

    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("portal_id", "id"),
        UniqueConstraint("portal_id", "email"),
        CheckConstraint("email = lower(email)", name="email"),
        CheckConstraint("state IN ('active', 'blocked')", name="state"),
        tenancy("tenant"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    portal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("portal.id"))
    email: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str | None]
    locale: Mapped[str]
    zone: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'active'"))
    verified_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class Specialist(Base):
    """A specialist, known network-wide; state is the first of two approvals (S2)."""

    __tablename__ = "specialist"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email"),
        CheckConstraint(
            "state IN ('draft', 'submitted', 'changes_requested', 'approved', 'rejected', 'suspended')", name="state"
        ),
        tenancy("network", "a person of the network; every role sees itself or, by policy, whom it works with"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    phone: Mapped[str | None]
    locale: Mapped[str]
    zone: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'draft'"))
    state_reason: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class Operator(Base):
    """A network operator; ``portals`` null means all portals."""

    __tablename__ = "operator"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email"),
        CheckConstraint("role IN ('owner', 'admin', 'allocation', 'finance', 'support', 'auditor')", name="role"),
        CheckConstraint("state IN ('active', 'blocked')", name="state"),
        tenancy("network", "a person of the network"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    locale: Mapped[str]
    zone: Mapped[str]
    role: Mapped[str] = mapped_column(server_default=text("'admin'"))
    portals: Mapped[list[uuid.UUID] | None] = mapped_column(ARRAY(Uuid(as_uuid=True)))
    state: Mapped[str] = mapped_column(server_default=text("'active'"))
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class Credential(Base):
    """The Argon2 hash of somebody's password."""

    __tablename__ = "credential"
    __table_args__ = (
        CheckConstraint(_SUBJECT, name="subject"),
        CheckConstraint(_PORTAL, name="portal"),
        tenancy("network", _DOOR),
    )

    subject_kind: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    portal_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("portal.id"))
    password_hash: Mapped[str]
    changed_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))


class SignIn(Base):
    """A login on one place, kept on the server; the browser holds only a random token (real time, not app time)."""

    __tablename__ = "sign_in"
    __table_args__ = (
        CheckConstraint(_SUBJECT, name="subject"),
        CheckConstraint(_PORTAL, name="portal"),
        Index("ix_sign_in_subject", "subject_kind", "subject_id"),
        tenancy("network", _DOOR),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    portal_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("portal.id"))
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
    seen_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    ip: Mapped[str | None]
    agent: Mapped[str | None]


class MailCode(Base):
    """A short code sent by mail: five tries, ten minutes, one use (U1); deleted after a day."""

    __tablename__ = "mail_code"
    __table_args__ = (
        CheckConstraint(_SUBJECT, name="subject"),
        CheckConstraint(_PORTAL, name="portal"),
        Index("ix_mail_code_email", "subject_kind", "portal_id", "email"),
        tenancy("network", _DOOR),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    subject_kind: Mapped[str]
    portal_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("portal.id"))
    email: Mapped[str]
    purpose: Mapped[str]
    code_hash: Mapped[str]
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    """When the right code was entered."""
    completed_at: Mapped[dt.datetime | None]
    """When it led to a sign-in, a new account or a new password: nothing more comes of it."""
    pending: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """What a registration form said, kept until the address is proven: name, hash of the password, answers."""


class ApiToken(Base):
    """A scoped bearer token of one person in one place (W1); stored as a digest, shown once."""

    __tablename__ = "api_token"
    __table_args__ = (
        CheckConstraint(_SUBJECT, name="subject"),
        CheckConstraint(_PORTAL, name="portal"),
        Index("ix_api_token_subject", "subject_kind", "subject_id"),
        tenancy("network", _DOOR),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    portal_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("portal.id"))
    name: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))
    used_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
