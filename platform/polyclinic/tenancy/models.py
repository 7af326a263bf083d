"""Tables of the tenants: portals, their domains, their pages, and the settings that a portal or the network chose."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy


class Portal(Base):
    """A patient portal, the tenant. What it chose lives in its settings."""

    __tablename__ = "portal"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'paused')", name="state"),
        tenancy("network", "the door resolves hosts before any tenant is known; patients and visitors have no grant"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'active'"))
    applied: Mapped[dict[str, Any] | None]
    """What `portals apply` last wrote, to tell a console change (drift) from a change of the file (Y1)."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class Domain(Base):
    """A host name under which a place answers; production portals may have several, one of them canonical."""

    __tablename__ = "domain"
    __table_args__ = (
        CheckConstraint("place IN ('portal', 'specialists', 'admin', 'hooks', 'dev')", name="place"),
        CheckConstraint("(place = 'portal') = (portal_id IS NOT NULL)", name="portal"),
        CheckConstraint("host = lower(host)", name="host"),
        Index(
            "uq_domain_canonical",
            "portal_id",
            unique=True,
            postgresql_where=text("canonical AND portal_id IS NOT NULL"),
        ),
        tenancy("network", "the door resolves hosts before any tenant is known"),
    )

    host: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str]
    portal_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("portal.id"))
    canonical: Mapped[bool] = mapped_column(server_default=text("true"))


class PortalSetting(Base):
    """One value that a portal chose; absent means inherited from the network or built in (§5)."""

    __tablename__ = "portal_setting"
    __table_args__ = (tenancy("tenant"),)

    portal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("portal.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    changed_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class Page(Base):
    """A page of a portal in its own words, in each of its languages (§5 pages and legal texts)."""

    __tablename__ = "page"
    __table_args__ = (
        CheckConstraint("placement IN ('header', 'footer', 'none')", name="placement"),
        tenancy("tenant"),
    )

    portal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("portal.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    """The last part of its address, and of its files."""
    kind: Mapped[str]
    placement: Mapped[str]
    position: Mapped[int]
    agreement: Mapped[str | None]
    """For a page that shows an agreement: which one."""
    labels: Mapped[dict[str, str]]
    """Per language: what navigation calls it."""
    texts: Mapped[dict[str, Any]]
    """Per language: title, description, body (Markdown) and the parts of a composed page."""
    changed_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class NetworkSetting(Base):
    """One value that the network chose for itself or as the default of its portals."""

    __tablename__ = "network_setting"
    __table_args__ = (tenancy("network", "settings of the installation itself"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    changed_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
