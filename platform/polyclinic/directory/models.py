"""Tables of who can be found and what can be booked."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy

LISTING = ["portal_id", "specialist_id"], ["listing.portal_id", "listing.specialist_id"]
SERVICE = ["portal_id", "service_id"], ["service.portal_id", "service.id"]


class Team(Base):
    """A group of specialists under a clinical lead; membership is per listing (I5)."""

    __tablename__ = "team"
    __table_args__ = (tenancy("network", "teams span portals; patients and visitors have no grant"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class Vocabulary(Base):
    """A word of the network's vocabularies: categories, specializations, areas of expertise."""

    __tablename__ = "vocabulary"
    __table_args__ = (
        CheckConstraint("kind IN ('category', 'specialization', 'expertise')", name="kind"),
        tenancy("network", "shared words; what a portal shows is copied into its published profiles"),
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[dict[str, str]]
    """Text per locale."""


class SpecialistProfile(Base):
    """What a specialist says of themselves, before any portal publishes a copy (S5)."""

    __tablename__ = "specialist_profile"
    __table_args__ = (tenancy("own"),)

    specialist_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("specialist.id"), primary_key=True)
    title: Mapped[dict[str, str]]
    bio: Mapped[dict[str, str]]
    languages: Mapped[list[str]]
    categories: Mapped[list[str]]
    specializations: Mapped[list[str]]
    expertise: Mapped[list[str]]
    credentials: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    image_key: Mapped[str | None]
    """Key of the portrait in the file store."""
    changed_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class Listing(Base):
    """A specialist on a portal; ended, never deleted. Its id is the specialist's public id there (P4)."""

    __tablename__ = "listing"
    __table_args__ = (
        UniqueConstraint("portal_id", "id"),
        CheckConstraint("state IN ('applied', 'listed', 'paused', 'rejected', 'ended')", name="state"),
        CheckConstraint("team_role IN ('member', 'lead')", name="team_role"),
        CheckConstraint("(team_id IS NULL) = (team_role IS NULL)", name="team"),
        Index("ix_listing_specialist_id", "specialist_id"),
        tenancy("shared"),
    )

    portal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("portal.id"), primary_key=True)
    specialist_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("specialist.id"), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(unique=True, default=new_id)
    state: Mapped[str] = mapped_column(server_default=text("'applied'"))
    state_reason: Mapped[str | None]
    team_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("team.id"))
    team_role: Mapped[str | None]
    accepts_booking: Mapped[bool] = mapped_column(server_default=text("true"))
    capacity: Mapped[int | None]
    """Most active allocations; null means no limit (S6)."""
    active_allocations: Mapped[int] = mapped_column(server_default=text("0"))
    """Counted here because visitors may not see allocations; kept by the allocation service."""
    approved: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """The reviewed fields of the profile as the portal last approved them (S3); null until it did."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class Service(Base):
    """What can be booked on a portal."""

    __tablename__ = "service"
    __table_args__ = (
        UniqueConstraint("portal_id", "id"),
        UniqueConstraint("portal_id", "slug"),
        CheckConstraint("duration_minutes BETWEEN 5 AND 480", name="duration"),
        CheckConstraint("buffer_before_minutes BETWEEN 0 AND 240", name="buffer_before"),
        CheckConstraint("buffer_after_minutes BETWEEN 0 AND 240", name="buffer_after"),
        CheckConstraint("price_minor >= 0", name="price"),
        tenancy("tenant"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    portal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("portal.id"))
    slug: Mapped[str]
    name: Mapped[dict[str, str]]
    summary: Mapped[dict[str, str]]
    duration_minutes: Mapped[int]
    price_minor: Mapped[int | None]
    """The portal's price in minor units of its currency; null where each specialist sets one (own, range)."""
    buffer_before_minutes: Mapped[int] = mapped_column(server_default=text("0"))
    buffer_after_minutes: Mapped[int] = mapped_column(server_default=text("0"))
    position: Mapped[int] = mapped_column(server_default=text("0"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class ListingService(Base):
    """A service that a listing offers, with its own price and buffers where policy allows."""

    __tablename__ = "listing_service"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(*SERVICE),
        CheckConstraint("price_minor >= 0", name="price"),
        Index("ix_listing_service_specialist_id", "specialist_id"),
        tenancy("shared"),
    )

    portal_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    specialist_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    service_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    price_minor: Mapped[int | None]
    buffer_before_minutes: Mapped[int | None]
    buffer_after_minutes: Mapped[int | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class PublishedProfile(Base):
    """What the public of one portal sees of a specialist (S3). It exists exactly while the listing is visible."""

    __tablename__ = "published_profile"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        UniqueConstraint("portal_id", "listing_id"),
        Index("ix_published_profile_portal_id_sort_name", "portal_id", "sort_name"),
        Index("ix_published_profile_specialist_id", "specialist_id"),
        tenancy("shared"),
    )

    portal_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    specialist_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    listing_id: Mapped[uuid.UUID]
    name: Mapped[str]
    sort_name: Mapped[str]
    title: Mapped[dict[str, str]]
    bio: Mapped[dict[str, str]]
    languages: Mapped[list[str]]
    categories: Mapped[list[str]]
    specializations: Mapped[list[str]]
    expertise: Mapped[list[str]]
    words: Mapped[dict[str, Any]]
    """The names of the words above per locale: ``{"category": {"slug": {"en": "…"}}}``."""
    image_key: Mapped[str | None]
    zone: Mapped[str]
    published_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
