"""The table of inbound events of payment providers (E7)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from polyclinic.kernel.ids import new_id
from polyclinic.kernel.models import Base, tenancy


class WebhookEvent(Base):
    """A hint that something changed at a provider: which of its objects, and nothing of what they say.

    Names, addresses and amounts of the body are not kept: what happened is read from the provider again.
    """

    __tablename__ = "webhook_event"
    __table_args__ = (
        CheckConstraint("state IN ('received', 'handled', 'unmatched', 'ignored')", name="state"),
        UniqueConstraint("provider", "event_id"),
        Index("ix_webhook_event_received_at", "received_at"),
        Index("ix_webhook_event_portal_id", "portal_id"),
        tenancy("journal", "written by the door before anybody is known, read by its worker and by operators"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    provider: Mapped[str]
    event_id: Mapped[str]
    endpoint: Mapped[str]
    """Which door it came through ("connect")."""
    kind: Mapped[str]
    """The provider's word ("refund.updated")."""
    account: Mapped[str]
    """The provider's account whose objects are named; "" for the platform's own."""
    external_ids: Mapped[list[str]]
    named: Mapped[dict[str, str]]
    """Ids of ours that the object carries as metadata: hints, compared before they are believed."""
    state: Mapped[str]
    note: Mapped[str] = mapped_column(server_default=text("''"))
    """Why it was ignored or not matched, a word that the console knows ("unknown-ids")."""
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    portal_id: Mapped[uuid.UUID | None]
    """Whose it turned out to be."""
    received_at: Mapped[dt.datetime] = mapped_column(server_default=text("app_now()"))
    handled_at: Mapped[dt.datetime | None]
