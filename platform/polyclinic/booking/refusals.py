"""Of which listings of a directory a viewer is shown no slots, asked about many at once (B1)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from polyclinic.allocation.models import Allocation
from polyclinic.allocation.policy import MODES
from polyclinic.allocation.rules import STRANGERS, Relationship
from polyclinic.booking.models import Appointment
from polyclinic.booking.rules import VISITED, Bookable, may_see_slots
from polyclinic.directory.models import Listing, PublishedProfile
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Refusal
from polyclinic.payments.accounts import unready_specialists
from polyclinic.tenancy.places import PortalView
from polyclinic.web.plugins import current_hooks


def refusals_of(
    session: Session, actor: Actor, portal: PortalView, listing_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, Refusal]:
    """Return why this viewer is shown no slots, for each of some visible listings where that is so.

    One statement, and one more where specialists' accounts charge (E3).

    A visitor is nobody's patient: for them the portal's modes and the listing decide.
    """
    modes = portal.settings.get(MODES)
    found: dict[uuid.UUID, Refusal] = {}
    rows = _relationships(session, actor, portal.id, listing_ids)
    unready = unready_specialists(session, current_hooks(), portal, [listing.specialist_id for listing, *_ in rows])
    for listing, name, relationship in rows:
        payable = listing.specialist_id not in unready
        facts = Bookable(modes, name, listing.accepts_booking, listing.capacity, listing.active_allocations, payable)
        refusal = may_see_slots(facts, relationship)
        if refusal is not None:
            found[listing.id] = refusal
    return found


def _relationships(
    session: Session, actor: Actor, portal_id: uuid.UUID, listing_ids: Sequence[uuid.UUID]
) -> list[tuple[Listing, str, Relationship]]:
    shown = (PublishedProfile.portal_id == Listing.portal_id) & (
        PublishedProfile.specialist_id == Listing.specialist_id
    )
    listings = select(Listing, PublishedProfile.name).join(PublishedProfile, shown)
    listings = listings.where(Listing.portal_id == portal_id, Listing.id.in_(listing_ids))
    if actor.kind != "patient":
        return [(listing, name, STRANGERS) for listing, name in session.execute(listings)]
    mine = (
        (Appointment.portal_id == Listing.portal_id)
        & (Appointment.specialist_id == Listing.specialist_id)
        & (Appointment.patient_id == actor.id)
    )
    moment = now(session)
    counts = select(func.count()).select_from(Appointment).where(mine).correlate(Listing)
    together = (
        (Allocation.portal_id == Listing.portal_id)
        & (Allocation.specialist_id == Listing.specialist_id)
        & (Allocation.patient_id == actor.id)
        & (Allocation.state == "active")
    )
    query = listings.outerjoin(Allocation, together).add_columns(
        Allocation,
        counts.where(Appointment.state.in_(VISITED)).scalar_subquery(),
        counts.where(Appointment.state == "pending_payment", Appointment.pay_until > moment).scalar_subquery(),
    )
    return [
        (listing, name, _relationship(allocation, visits, undecided))
        for listing, name, allocation, visits, undecided in session.execute(query)
    ]


def _relationship(allocation: Allocation | None, visits: int, undecided: int) -> Relationship:
    if allocation is None:
        return Relationship(undecided=undecided)
    return Relationship(True, allocation.source, allocation.standing_permission, visits, undecided)
