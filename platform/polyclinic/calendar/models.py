"""Tables of a specialist's time. None of them names a portal's patient or what a claim is for."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Computed,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Time,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.directory.models import LISTING, SERVICE
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy

_IDS = ARRAY(Uuid(as_uuid=True))


class AvailabilityRule(Base):
    """Weekly hours in the specialist's wall-clock time; ``portals`` and ``services`` null mean all (C1)."""

    __tablename__ = "availability_rule"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("valid_until >= valid_from", name="validity"),
        Index("ix_availability_rule_specialist_id", "specialist_id"),
        tenancy("own"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    specialist_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("specialist.id"))
    weekday: Mapped[int] = mapped_column(SmallInteger)
    """0 is Monday."""
    starts: Mapped[dt.time] = mapped_column(Time)
    ends: Mapped[dt.time] = mapped_column(Time)
    """Wall-clock end; 00:00 means midnight at the end of the day."""
    zone: Mapped[str]
    valid_from: Mapped[dt.date | None] = mapped_column(Date)
    valid_until: Mapped[dt.date | None] = mapped_column(Date)
    portals: Mapped[list[uuid.UUID] | None] = mapped_column(_IDS)
    services: Mapped[list[uuid.UUID] | None] = mapped_column(_IDS)
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class AvailabilityException(Base):
    """An extra or a closed time on one date, wall-clock; without times the whole day (C1)."""

    __tablename__ = "availability_exception"
    __table_args__ = (
        CheckConstraint("kind IN ('extra', 'closed')", name="kind"),
        CheckConstraint("(starts IS NULL) = (ends IS NULL)", name="times"),
        CheckConstraint("kind = 'closed' OR starts IS NOT NULL", name="extra_times"),
        Index("ix_availability_exception_specialist_id_date", "specialist_id", "date"),
        tenancy("own"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    specialist_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("specialist.id"))
    kind: Mapped[str]
    date: Mapped[dt.date] = mapped_column(Date)
    starts: Mapped[dt.time | None] = mapped_column(Time)
    ends: Mapped[dt.time | None] = mapped_column(Time)
    zone: Mapped[str]
    portals: Mapped[list[uuid.UUID] | None] = mapped_column(_IDS)
    services: Mapped[list[uuid.UUID] | None] = mapped_column(_IDS)
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class TimeOff(Base):
    """A stretch in which nothing is offered anywhere; it never fails because of an appointment (C9)."""

    __tablename__ = "time_off"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="order"),
        Index("ix_time_off_specialist_id_ends_at", "specialist_id", "ends_at"),
        tenancy("own"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    specialist_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("specialist.id"))
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    zone: Mapped[str]
    label: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class Claim(Base):
    """A time taken in a specialist's calendar (C4); firm where ``expires_at`` is null.

    Rows of one claim id may overlap each other; rows of different ones may not, whichever portals wrote them.
    """

    __tablename__ = "claim"
    __table_args__ = (
        ExcludeConstraint(
            ("specialist_id", "="), ("claim_id", "<>"), ("during", "&&"), name="ex_claim_during", using="gist"
        ),
        CheckConstraint(
            "NOT isempty(during) AND NOT isempty(core) AND lower_inc(during) AND NOT upper_inc(during)"
            " AND lower(during) IS NOT NULL AND upper(during) IS NOT NULL AND core <@ during"
            " AND isfinite(lower(during)) AND isfinite(upper(during))",
            name="ranges",
        ),
        Index(
            "ix_claim_specialist_id_expires_at",
            "specialist_id",
            "expires_at",
            postgresql_where=text("expires_at IS NOT NULL"),
        ),
        Index("ix_claim_claim_id", "claim_id"),
        Index("ix_claim_specialist_id_ends_at", "specialist_id", "ends_at"),
        tenancy("own"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    specialist_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("specialist.id"))
    claim_id: Mapped[uuid.UUID]
    during: Mapped[Range[dt.datetime]] = mapped_column(TSTZRANGE)
    """The visit with its buffers."""
    core: Mapped[Range[dt.datetime]] = mapped_column(TSTZRANGE)
    """The visit itself."""
    ends_at: Mapped[dt.datetime] = mapped_column(Computed("upper(during)", persisted=True))
    """The end of ``during``, for an index: row security reads all rows before it compares ranges (not leakproof)."""
    expires_at: Mapped[dt.datetime | None]


class NextFree(Base):
    """The next slot of a listing's service, stored for directories; recomputed by a reader once it is stale."""

    __tablename__ = "next_free"
    __table_args__ = (
        ForeignKeyConstraint(*LISTING),
        ForeignKeyConstraint(*SERVICE),
        Index(
            "ix_next_free_earliest",
            "portal_id",
            "next_free_at",
            "specialist_id",
            postgresql_where=text("earliest"),
        ),
        Index("ix_next_free_portal_id_service_id_next_free_at", "portal_id", "service_id", "next_free_at"),
        Index("ix_next_free_specialist_id", "specialist_id"),
        tenancy("shared"),
    )

    portal_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    specialist_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    service_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    next_free_at: Mapped[dt.datetime | None]
    stale_at: Mapped[dt.datetime]
    terms: Mapped[str]
    """Lengths, buffers, step, notice and horizon it was computed with; other ones make the row stale at once."""
    earliest: Mapped[bool]
    """Whether none of the specialist's services on the portal is free before: the row that a directory sorts by."""
