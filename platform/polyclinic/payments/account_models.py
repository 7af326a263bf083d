"""Tables of specialists' accounts at payment providers (E3, E4)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy


class ProviderAccount(Base):
    """A specialist's account of one kind at one provider, begun before the provider hears of it."""

    __tablename__ = "provider_account"
    __table_args__ = (
        CheckConstraint("kind IN ('merchant', 'recipient')", name="kind"),
        UniqueConstraint("specialist_id", "provider", "kind"),
        tenancy("own"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    specialist_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("specialist.id"))
    provider: Mapped[str]
    kind: Mapped[str]
    country: Mapped[str]
    currency: Mapped[str]
    external_id: Mapped[str | None]
    """None until the provider has answered."""
    ready: Mapped[bool] = mapped_column(server_default=text("false"))
    requirements: Mapped[list[str]] = mapped_column(server_default=text("'[]'::jsonb"))
    deadline: Mapped[dt.datetime | None]
    dashboard_url: Mapped[str | None]
    checked_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))


class AccountReadiness(Base):
    """What a portal may know of the accounts of the specialists it lists: whether they can charge, and as whom."""

    __tablename__ = "account_readiness"
    __table_args__ = (tenancy("own"),)

    specialist_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("specialist.id"), primary_key=True)
    provider: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str]
    ready: Mapped[bool]
