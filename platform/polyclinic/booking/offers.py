"""What can be booked by whom: an offering on a portal, the viewer's relationship, and the slots that follow (B1)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from polyclinic.allocation.policy import MODES
from polyclinic.allocation.rules import STRANGERS, Relationship
from polyclinic.allocation.services import find_allocation
from polyclinic.booking.models import Appointment
from polyclinic.booking.refusals import refusals_of
from polyclinic.booking.rules import VISITED, Bookable, may_see_slots
from polyclinic.calendar.policy import HORIZON
from polyclinic.calendar.services import Offer, offer_slots, terms_of
from polyclinic.directory.models import Listing, ListingService, PublishedProfile, Service
from polyclinic.directory.offers import OfferedDay, OfferedDays, OfferedSlot
from polyclinic.directory.policy import pricing_of
from polyclinic.directory.rules import price_of
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict, NotFound, Refusal
from polyclinic.kernel.money import Money
from polyclinic.kernel.zones import zone
from polyclinic.payments.accounts import unready_specialists
from polyclinic.tenancy.places import PortalView
from polyclinic.web.plugins import current_hooks

_DAY = dt.timedelta(days=1)
#: Days further away than this from the horizon are mistyped, and calendars end somewhere.
_FARTHEST_YEARS = 100


@dataclass(frozen=True, slots=True)
class Offering:
    """One service of one visible listing, as it can be booked on a portal right now."""

    listing: Listing
    profile: PublishedProfile
    service: Service
    price: Money
    offer: Offer
    """The same for the calendar: buffers, step, notice, horizon."""

    @property
    def duration(self) -> dt.timedelta:
        """How long the visit lasts."""
        return dt.timedelta(minutes=self.service.duration_minutes)


def get_offering(session: Session, portal: PortalView, listing_id: uuid.UUID, service_id: uuid.UUID) -> Offering:
    """Return an offering of a portal.

    Raises NotFound for a listing that is not visible or a service it does not offer, of another portal included (I2),
    and Conflict where it has no price in the portal's currency (E2).
    """
    row = session.execute(
        select(Listing, PublishedProfile, Service, ListingService)
        .join(
            PublishedProfile,
            (PublishedProfile.portal_id == Listing.portal_id)
            & (PublishedProfile.specialist_id == Listing.specialist_id),
        )
        .join(
            ListingService,
            (ListingService.portal_id == Listing.portal_id) & (ListingService.specialist_id == Listing.specialist_id),
        )
        .join(Service, (Service.portal_id == ListingService.portal_id) & (Service.id == ListingService.service_id))
        .where(
            Listing.portal_id == portal.id,
            Listing.id == listing_id,
            Service.id == service_id,
            Service.active,
            ListingService.active,
        )
    ).one_or_none()
    if row is None:
        raise NotFound()
    listing, profile, service, offered = row
    price = price_of(pricing_of(portal.settings), service.price_minor, offered.price_minor)
    if price is None:
        raise Conflict("no-price", _l("This cannot be booked yet: it has no price here."))
    offer = Offer(listing.specialist_id, profile.zone, terms_of(portal.settings, service, offered))
    return Offering(listing, profile, service, price, offer)


def relationship_of(
    session: Session, portal_id: uuid.UUID, patient_id: uuid.UUID | None, specialist_id: uuid.UUID
) -> Relationship:
    """Return what connects a patient (None: a guest) with a specialist on a portal (B1)."""
    if patient_id is None:
        return STRANGERS
    allocation = find_allocation(session, portal_id, patient_id, specialist_id)
    visits, undecided = session.execute(
        select(
            func.count().filter(Appointment.state.in_(VISITED)),
            func.count().filter(Appointment.state == "pending_payment", Appointment.pay_until > now(session)),
        ).where(
            Appointment.portal_id == portal_id,
            Appointment.patient_id == patient_id,
            Appointment.specialist_id == specialist_id,
        )
    ).one()
    if allocation is None or allocation.state != "active":
        return Relationship(undecided=undecided)
    return Relationship(True, allocation.source, allocation.standing_permission, visits, undecided)


def refuse_slots(session: Session, actor: Actor, portal: PortalView, offering: Offering) -> Refusal | None:
    """Say why this viewer is shown no slots of an offering, or None (B1, E3)."""
    listing = offering.listing
    modes = portal.settings.get(MODES)
    patient_id = actor.id if actor.kind == "patient" else None
    return may_see_slots(
        Bookable(
            modes,
            offering.profile.name,
            listing.accepts_booking,
            listing.capacity,
            listing.active_allocations,
            not offering.price or not unready_specialists(session, current_hooks(), portal, [listing.specialist_id]),
        ),
        relationship_of(session, portal.id, patient_id, listing.specialist_id),
    )


def next_times(
    session: Session, actor: Actor, portal: PortalView, offering: Offering, count: int = 5
) -> list[dt.datetime]:
    """Return the next times of an offering that this viewer may choose, perhaps none (B1)."""
    if refuse_slots(session, actor, portal, offering) is not None:
        return []
    begin, horizon = now(session), portal.settings.get(HORIZON)
    for days in (7, 60, 366):
        slots = offer_slots(session, offering.offer, begin, begin + min(days * _DAY, horizon))
        if len(slots) >= count or days * _DAY >= horizon:
            break
    return [slot.start for slot in slots[:count]]


class BookingOffers:
    """Tells the directory's pages which slots a viewer is offered."""

    hold_endpoint = "portal_booking.hold"

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
        """Return the slots of some days of a zone's calendar, or why there are none for this viewer (B1)."""
        try:
            offering = get_offering(session, portal, listing_id, service_id)
        except Conflict as unpriced:
            return unpriced
        if (refusal := refuse_slots(session, actor, portal, offering)) is not None:
            return refusal
        return offered_days(session, portal, offering, first_day, days, zone)

    def refusals(
        self, session: Session, actor: Actor, portal: PortalView, listing_ids: Sequence[uuid.UUID]
    ) -> dict[uuid.UUID, Refusal]:
        """Return why this viewer is shown no slots, for each of some listings where that is so (B1)."""
        return refusals_of(session, actor, portal, listing_ids)


def offered_days(
    session: Session, portal: PortalView, offering: Offering, first_day: dt.date, days: int, zone_name: str
) -> OfferedDays:
    """Return the slots of an offering by day of a zone's wall calendar."""
    where = zone(zone_name)
    last = (now(session) + portal.settings.get(HORIZON)).astimezone(where).date()
    if abs(first_day.year - last.year) > _FARTHEST_YEARS:  # days that calendars cannot count from
        first_day = min(first_day, dt.date.max - days * _DAY)
        return OfferedDays(tuple(OfferedDay(first_day + number * _DAY) for number in range(days)), last)
    begin = dt.datetime.combine(first_day, dt.time(), where)
    end = dt.datetime.combine(first_day + days * _DAY, dt.time(), where)
    found: dict[dt.date, list[OfferedSlot]] = {first_day + number * _DAY: [] for number in range(days)}
    for slot in offer_slots(session, offering.offer, begin.astimezone(dt.UTC), end.astimezone(dt.UTC)):
        found[slot.start.astimezone(where).date()].append(OfferedSlot(slot.start, slot.end))
    return OfferedDays(tuple(OfferedDay(day, tuple(slots)) for day, slots in found.items()), last)
