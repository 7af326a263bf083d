"""Slots and claims: what a portal offers of a specialist's time, and taking it (C2, C4, C5).

Claims name no portal, patient or cause. The functions that take, keep or free time join the caller's transaction,
because a claim is written together with what it is for; they lock the specialist, so they come before any other lock
(specialist → appointment → charge → ledger → numbering).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, exists, insert, select, text, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from polyclinic.calendar.models import Claim
from polyclinic.calendar.opening import load, locked, opened
from polyclinic.calendar.policy import HORIZON, MINIMUM_NOTICE, SLOT_STEP
from polyclinic.calendar.rules import Calendar, Slot, SlotTerms, free_slots, is_offered
from polyclinic.calendar.walltime import days_in, wall_time
from polyclinic.calendar.walltime import moment as moment_of
from polyclinic.directory.models import ListingService, PublishedProfile, Service
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict, Gone, NotFound
from polyclinic.kernel.transactions import sqlstate
from polyclinic.tenancy.settings import Settings

_MINUTE = dt.timedelta(minutes=1)
_STALE = text(
    "UPDATE next_free SET stale_at = (SELECT app_now())"
    " WHERE specialist_id = :specialist AND stale_at > (SELECT app_now())"
)


@dataclass(frozen=True, slots=True)
class Offer:
    """One service of one listing as its times are offered: whose calendar, in which zone, on which terms."""

    specialist_id: uuid.UUID
    zone: str
    terms: SlotTerms

    def during(self, start: dt.datetime) -> Range[dt.datetime]:
        """Return the time a session from ``start`` takes, with its buffers (C3)."""
        before, after = self.terms.before * _MINUTE, self.terms.after * _MINUTE
        return Range(start - before, start + self.terms.duration * _MINUTE + after)

    def core(self, start: dt.datetime) -> Range[dt.datetime]:
        """Return the session itself."""
        return Range(start, start + self.terms.duration * _MINUTE)


@dataclass(frozen=True, slots=True)
class Taken:
    """A time to claim: ``during`` with buffers, ``core`` without."""

    during: Range[dt.datetime]
    core: Range[dt.datetime]


def offers_of(
    session: Session,
    portal_id: uuid.UUID,
    settings: Settings,
    *,
    specialist_ids: Sequence[uuid.UUID] | None = None,
    service_id: uuid.UUID | None = None,
) -> list[Offer]:
    """Return what a portal's visible listings offer, all or of some specialists, all or one service.

    Buffers are the listing's where it has its own (C3), else the service's. Who may see slots at all is booking's
    question (B1), not this one's.
    """
    query = (
        select(Service, ListingService, PublishedProfile.zone)
        .join(
            ListingService, (ListingService.portal_id == Service.portal_id) & (ListingService.service_id == Service.id)
        )
        .join(
            PublishedProfile,
            (PublishedProfile.portal_id == ListingService.portal_id)
            & (PublishedProfile.specialist_id == ListingService.specialist_id),
        )
        .where(Service.portal_id == portal_id, Service.active, ListingService.active)
        .order_by(Service.position, Service.id)
    )
    if specialist_ids is not None:
        query = query.where(ListingService.specialist_id.in_(specialist_ids))
    if service_id is not None:
        query = query.where(Service.id == service_id)
    return [
        Offer(offered.specialist_id, zone, terms_of(settings, service, offered))
        for service, offered, zone in session.execute(query).all()
    ]


def terms_of(settings: Settings, service: Service, offered: ListingService) -> SlotTerms:
    """Return the terms a listing's service is offered on."""
    before, after = offered.buffer_before_minutes, offered.buffer_after_minutes
    return SlotTerms(
        portal=service.portal_id,
        service=service.id,
        duration=service.duration_minutes,
        before=service.buffer_before_minutes if before is None else before,
        after=service.buffer_after_minutes if after is None else after,
        step=settings.get(SLOT_STEP) // _MINUTE,
        notice=settings.get(MINIMUM_NOTICE),
        horizon=settings.get(HORIZON),
    )


def get_offer(
    session: Session, portal_id: uuid.UUID, settings: Settings, specialist_id: uuid.UUID, service_id: uuid.UUID
) -> Offer:
    """Return one offer; raises NotFound where this listing does not offer that service, or is not visible."""
    found = offers_of(session, portal_id, settings, specialist_ids=[specialist_id], service_id=service_id)
    if not found:
        raise NotFound()
    return found[0]


def offer_slots(session: Session, offer: Offer, start: dt.datetime, end: dt.datetime) -> list[Slot]:
    """Return the slots of an offer that begin from ``start`` until before ``end`` (C2)."""
    moment = now(session)
    low, high = max(start, moment), min(end, moment + offer.terms.horizon + _MINUTE)
    if low >= high:
        return []
    with opened(session, offer.specialist_id):
        calendar = load(session, offer.specialist_id, offer.zone, low, high)
    return free_slots(calendar, offer.terms, low, high, moment)


def offer_days(session: Session, offer: Offer, first_day: dt.date, days: int, zone: str) -> dict[dt.date, list[Slot]]:
    """Return the slots of some days on the wall calendar of ``zone``, by the day they begin on, empty days included."""
    every = [first_day + dt.timedelta(days=number) for number in range(days)]
    found: dict[dt.date, list[Slot]] = {day: [] for day in every}
    today = wall_time(zone, now(session)).day
    near = [day for day in every if today <= day <= today + offer.terms.horizon + dt.timedelta(days=1)]
    span = days_in(zone, near[0], near[-1]) if near else None
    if span is not None:
        for slot in offer_slots(session, offer, moment_of(span[0]), moment_of(span[1])):
            found[wall_time(zone, slot.start).day].append(slot)
    return found


def claim_slot(
    session: Session, offer: Offer, start: dt.datetime, claim_id: uuid.UUID, expires_at: dt.datetime | None
) -> Slot:
    """Take a slot that is offered right now, until ``expires_at`` or for good.

    Raises Conflict "time-taken" where somebody was faster and "time-not-offered" where the time is no slot (forged, too
    near, too far); both name the next times in ``extra["next"]``.
    """
    during = offer.during(start)
    with locked(session, offer.specialist_id, during) as taken:
        if taken:
            raise _refused_at_once(session, offer, start)
        moment = now(session)
        calendar = load(session, offer.specialist_id, offer.zone, start, start + dt.timedelta(days=8))
        if not is_offered(calendar, offer.terms, start, moment):
            raise _not_free(calendar, offer, start, moment)
        _insert(session, offer.specialist_id, claim_id, [Taken(during, offer.core(start))], expires_at)
    return Slot(start, start + offer.terms.duration * _MINUTE)


def _refused_at_once(session: Session, offer: Offer, start: dt.datetime) -> Conflict:
    """Give the lock back before saying what is free instead: of sixty people, 59 are told without being waited for.

    Nothing of the transaction would have stayed anyway.
    """
    session.rollback()
    moment = now(session)
    with opened(session, offer.specialist_id):
        calendar = load(session, offer.specialist_id, offer.zone, start, start + dt.timedelta(days=8))
    return _not_free(calendar, offer, start, moment)


def _not_free(calendar: Calendar, offer: Offer, start: dt.datetime, moment: dt.datetime) -> Conflict:
    """Say why a time is not free, no more than the portal may know, and what is free instead."""
    later = free_slots(calendar, offer.terms, start, start + dt.timedelta(days=7), moment)[:3]
    extra = {"next": [slot.start.isoformat() for slot in later]}
    without = Calendar(calendar.zone, calendar.rules, calendar.exceptions)
    if is_offered(without, offer.terms, start, moment):
        return Conflict("time-taken", _l("That time has just been taken. Please choose another one."), extra=extra)
    return Conflict(
        "time-not-offered", _l("That time is not offered, or no longer. Please choose one from the list."), extra=extra
    )


def claim_time(
    session: Session,
    specialist_id: uuid.UUID,
    claim_id: uuid.UUID,
    times: Sequence[Taken],
    expires_at: dt.datetime | None,
) -> None:
    """Take times under one claim id, until ``expires_at`` or for good, without asking whether they are offered.

    Times of one claim may overlap each other, as options of a proposal do. Raises Conflict where one is taken.
    """
    with locked(session, specialist_id):
        _insert(session, specialist_id, claim_id, times, expires_at)


def _insert(
    session: Session,
    specialist_id: uuid.UUID,
    claim_id: uuid.UUID,
    times: Sequence[Taken],
    expires_at: dt.datetime | None,
) -> None:
    rows = [
        {
            "specialist_id": specialist_id,
            "claim_id": claim_id,
            "during": one.during,
            "core": one.core,
            "expires_at": expires_at,
        }
        for one in times
    ]
    try:
        session.execute(insert(Claim).values(rows))  # one statement: executemany would open a pipeline
    except IntegrityError as error:
        raise taken_or(error) from error
    mark_stale(session, specialist_id)


def taken_or(error: IntegrityError) -> Exception:
    """Return Conflict where the database refused a time that is taken (C4), else the error itself."""
    if sqlstate(error) == "23P01":
        return Conflict("time-taken", _l("That time has just been taken. Please choose another one."))
    return error


def extend_claim(session: Session, specialist_id: uuid.UUID, claim_id: uuid.UUID, expires_at: dt.datetime) -> None:
    """Let a live hold last until ``expires_at``; raises Gone where it has died (C5)."""
    with locked(session, specialist_id):
        _change(session, specialist_id, claim_id, {"expires_at": expires_at})


def firm_claim(session: Session, specialist_id: uuid.UUID, claim_id: uuid.UUID, appointment_id: uuid.UUID) -> None:
    """Make a live hold the firm time of an appointment, whose id it takes; raises Gone where it has died (C5).

    With an id of its own an appointment can overlap no sibling of its series.
    """
    with locked(session, specialist_id):
        _change(session, specialist_id, claim_id, {"claim_id": appointment_id, "expires_at": None})


def _change(session: Session, specialist_id: uuid.UUID, claim_id: uuid.UUID, values: dict[str, object]) -> None:
    """Change the rows of a claim; the dead are gone already, since the calendar is locked."""
    mine = (Claim.specialist_id == specialist_id) & (Claim.claim_id == claim_id)
    try:
        changed = session.execute(
            update(Claim).where(mine).values(values).returning(Claim.id).execution_options(synchronize_session=False)
        ).all()
    except IntegrityError as error:
        raise taken_or(error) from error
    if not changed:
        raise Gone("hold-expired", _l("Your time was kept for a while and is free again. Please choose one once more."))
    mark_stale(session, specialist_id)


def release_claim(session: Session, specialist_id: uuid.UUID, claim_id: uuid.UUID) -> None:
    """Free the times of a claim at once, firm or not; nothing happens where it is gone already."""
    with locked(session, specialist_id):
        session.execute(
            delete(Claim)
            .where(Claim.specialist_id == specialist_id, Claim.claim_id == claim_id)
            .execution_options(synchronize_session=False)
        )
        mark_stale(session, specialist_id)


def is_live(session: Session, specialist_id: uuid.UUID, claim_id: uuid.UUID) -> bool:
    """Tell whether a claim still takes its time: firm, or not yet expired, whoever may have swept it (C5)."""
    alive = Claim.expires_at.is_(None) | (Claim.expires_at > text("(SELECT app_now())"))
    with opened(session, specialist_id):
        return bool(
            session.execute(
                select(exists().where(Claim.specialist_id == specialist_id, Claim.claim_id == claim_id, alive))
            ).scalar_one()
        )


def mark_stale(session: Session, specialist_id: uuid.UUID) -> None:
    """Have the stored next free times of an open calendar computed again by whoever reads them, on every portal."""
    session.execute(_STALE, {"specialist": specialist_id})
