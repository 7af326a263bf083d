"""What the directory's pages show of time, told by the features above it.

The directory knows neither calendar nor booking. The calendar registers where the next free times are stored; booking
registers which slots a viewer is offered and where a chosen one is posted. Both are Protocols, installed once while
the application is put together.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from flask import Flask, current_app
from sqlalchemy import ScalarSelect, Subquery
from sqlalchemy.orm import Session

from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Refusal
from polyclinic.tenancy.places import PortalView

_NEXT_FREE, _SLOTS = "polyclinic.next_free", "polyclinic.slot_offers"


@dataclass(frozen=True, slots=True)
class OfferedSlot:
    """A time that the viewer may choose: the core of the session, UTC."""

    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class OfferedDay:
    """A day on the wall calendar of the viewer's zone, with the slots that begin on it (perhaps none)."""

    day: dt.date
    slots: tuple[OfferedSlot, ...] = ()


@dataclass(frozen=True, slots=True)
class OfferedDays:
    """Consecutive days; ``last_day`` is the last one that the portal's horizon reaches, in the same zone."""

    days: tuple[OfferedDay, ...]
    last_day: dt.date

    @property
    def empty(self) -> bool:
        """Whether none of the days has a slot."""
        return not any(day.slots for day in self.days)


class NextFreeSource(Protocol):
    """Where the next free times are stored; the calendar implements it."""

    def refresh(self, session: Session, portal: PortalView) -> None:
        """Bring the stale rows of a portal up to date; one statement when none is stale."""

    def version(self) -> ScalarSelect[Any]:
        """Return a scalar subquery that changes whenever one of the stored times of ``:portal`` does."""

    def earliest(self, portal_id: uuid.UUID, service_id: uuid.UUID | None = None) -> Subquery:
        """Return a subquery of ``specialist_id, next_free_at``: the earliest of all services, or of one."""


class SlotOffers(Protocol):
    """Which slots a viewer is offered (B1); booking implements it."""

    hold_endpoint: str
    """Where a chosen slot is posted: form fields ``listing``, ``service``, ``starts`` (UTC, ISO 8601)."""

    def slots(
        self,
        session: Session,
        actor: Actor,
        portal: PortalView,
        listing_id: uuid.UUID,
        service_id: uuid.UUID,
        first_day: dt.date,
        days: int,
        zone: str,
    ) -> OfferedDays | Refusal:
        """Return the slots of ``days`` days from ``first_day``, both on the wall calendar of ``zone``.

        A Refusal is returned, not raised, where this viewer is shown none; its message says how it goes on ("Ada Berg
        proposes the next time"). Raises NotFound for a listing or service that is not on the portal.
        """

    def refusals(
        self, session: Session, actor: Actor, portal: PortalView, listing_ids: Sequence[uuid.UUID]
    ) -> Mapping[uuid.UUID, Refusal]:
        """Return why this viewer is shown no slots, for each of some listings where that is so; one statement."""


def set_next_free_source(app: Flask, source: NextFreeSource) -> None:
    """Install the source of next free times; called once by the calendar."""
    app.extensions[_NEXT_FREE] = source


def set_slot_offers(app: Flask, offers: SlotOffers) -> None:
    """Install what offers slots; called once by booking."""
    app.extensions[_SLOTS] = offers


def next_free_source() -> NextFreeSource | None:
    """Return the application's source of next free times, None where no calendar is installed."""
    return cast("NextFreeSource | None", current_app.extensions.get(_NEXT_FREE))


def slot_offers() -> SlotOffers | None:
    """Return what offers slots in this application, None where nothing can be booked."""
    return cast("SlotOffers | None", current_app.extensions.get(_SLOTS))
