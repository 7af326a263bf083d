"""Holds: a slot kept for somebody for some minutes (B2).

Everything about the holds of one holder happens one after the other: each use case first locks the holder, then the
specialists in order of their ids, then rows. A dead hold is dead when it is read, swept or not (C5).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.booking.models import Appointment, Hold, HoldDetails
from polyclinic.booking.offers import Offering, get_offering, next_times, refuse_slots
from polyclinic.booking.policy import BOOKING_HOLD, HOLDS_PER_ADDRESS
from polyclinic.booking.rules import Details, HoldStatus, hold_status, refuse_hold_of_address
from polyclinic.calendar.opening import lock
from polyclinic.calendar.policy import HORIZON
from polyclinic.calendar.services import claim_slot, release_claim
from polyclinic.directory.models import Listing
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict, Defect, Forbidden, Gone, NotFound, Unauthenticated
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.transactions import transactional
from polyclinic.kernel.zones import is_zone
from polyclinic.tenancy.places import PortalView

_DAY = dt.timedelta(days=1)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('holder:' || :holder, 0))")


@transactional
def hold_slot(
    session: Session,
    actor: Actor,
    portal: PortalView,
    listing_id: uuid.UUID,
    service_id: uuid.UUID,
    starts_at: dt.datetime,
    zone: str,
) -> Hold:
    """Keep a slot for a patient, or for a guest's browser; ``zone`` is the one it was shown in.

    A patient has one live hold per portal and a guest one per cookie: another time takes the place of the former.
    The same time again is the same hold. Raises NotFound for what the portal does not offer, Conflict where the time
    is taken or not offered or this viewer is shown no slots (B1), TooMany for guests of one address.
    """
    if starts_at.tzinfo is None:
        raise Defect("a slot begins at an instant, with its zone")
    lock_holder(session, actor, portal)
    offering = get_offering(session, portal, listing_id, service_id)
    if (refusal := refuse_slots(session, actor, portal, offering)) is not None:
        raise refusal
    _refuse_distance(session, portal, starts_at)
    _refuse_beside_payment(session, actor, portal)
    own = _live_holds(session, actor, portal)
    wanted = (offering.listing.specialist_id, service_id, starts_at)
    for one in own:
        if (one.specialist_id, one.service_id, one.starts_at) == wanted:
            return one
    _refuse_address(session, actor, portal, own)
    if own:  # else claim_slot locks the one calendar itself, and a crowd waits no longer than it must
        lock_specialists(session, {offering.listing.specialist_id, *(one.specialist_id for one in own)})
    for one in own:
        _let_go(session, actor, one)
    hold = _new_hold(session, actor, portal, offering, starts_at, zone)
    slot = claim_slot(session, offering.offer, starts_at, hold.id, hold.expires_at)
    hold.ends_at = slot.end
    session.add(hold)
    session.flush()
    record(session, actor, "hold.made", "hold", hold.id, portal_id=portal.id)
    return hold


def _refuse_beside_payment(session: Session, actor: Actor, portal: PortalView) -> None:
    """Refuse another time to a patient whose last one waits for its payment: one time is kept at once (B2)."""
    if actor.kind != "patient":
        return
    waiting = session.scalar(
        select(Appointment.id)
        .where(
            Appointment.portal_id == portal.id,
            Appointment.patient_id == actor.id,
            Appointment.state == "pending_payment",
            Appointment.pay_until > now(session),
        )
        .limit(1)
    )
    if waiting is not None:
        raise Conflict(
            "payment-open",
            _l("A time is kept for you until you have paid it. Pay it, or give it up under “My appointments”."),
            extra={"appointment_id": str(waiting)},
        )


def _refuse_distance(session: Session, portal: PortalView, starts_at: dt.datetime) -> None:
    """Refuse times that no calendar can be asked about: years before the horizon begins or after it ends."""
    moment = now(session)
    if not moment - _DAY <= starts_at <= moment + portal.settings.get(HORIZON) + _DAY:
        raise Conflict(
            "time-not-offered", _l("That time is not offered, or no longer. Please choose one from the list.")
        )


def _new_hold(
    session: Session, actor: Actor, portal: PortalView, offering: Offering, starts_at: dt.datetime, zone: str
) -> Hold:
    moment = now(session)
    guest = actor.kind == "visitor"
    return Hold(
        id=new_id(),
        portal_id=portal.id,
        specialist_id=offering.listing.specialist_id,
        service_id=offering.service.id,
        patient_id=None if guest else actor.id,
        guest=actor.guest if guest else None,
        address=actor.address if guest else None,
        starts_at=starts_at,
        zone=zone if is_zone(zone) else offering.profile.zone,
        price_minor=offering.price.minor,
        currency=offering.price.currency,
        state="open",
        expires_at=moment + portal.settings.get(BOOKING_HOLD),
        created_at=moment,
    )


@transactional
def release_hold(session: Session, actor: Actor, portal: PortalView, hold_id: uuid.UUID) -> Hold:
    """Give a time back before its hold runs out; nothing happens where it is over already.

    Raises NotFound for anybody else's hold.
    """
    get_hold(session, actor, portal, hold_id)
    lock_holder(session, actor, portal)
    hold = get_hold(session, actor, portal, hold_id)
    if hold.state == "open":
        _let_go(session, actor, hold)
    return hold


@transactional
def adopt_holds(session: Session, actor: Actor, portal: PortalView) -> list[Hold]:
    """Pass a guest's holds to the patient who has just signed in in the same browser (B2).

    The patient's own live hold gives way: the last choice counts. A hold that this patient could not have made (B1)
    is let go.
    """
    if actor.kind != "patient" or actor.guest is None:
        return []
    lock_holder(session, actor, portal)
    found = session.scalars(
        select(Hold).where(
            Hold.portal_id == portal.id, Hold.patient_id.is_(None), Hold.guest == actor.guest, Hold.state == "open"
        )
    ).all()
    if not found:
        return []
    moment = now(session)
    alive = [one for one in found if status_of(one, moment) == "live"]
    former = _live_holds(session, actor, portal) if alive else []
    lock_specialists(session, {one.specialist_id for one in (*alive, *former)})
    for one in former:
        _let_go(session, actor, one)
    for one in found:
        one.patient_id, one.guest, one.address = actor.id, None, None
    session.flush()
    for one in alive:
        if _is_refused(session, actor, portal, one):
            _let_go(session, actor, one)
        else:
            record(session, actor, "hold.adopted", "hold", one.id, portal_id=portal.id)
    return list(found)


def _is_refused(session: Session, actor: Actor, portal: PortalView, hold: Hold) -> bool:
    try:
        offering = offering_of(session, portal, hold)
    except (NotFound, Conflict):
        return True
    return refuse_slots(session, actor, portal, offering) is not None


def get_hold(session: Session, actor: Actor, portal: PortalView, hold_id: uuid.UUID) -> Hold:
    """Return a hold of the actor, dead or alive; raises NotFound for anybody else's (I2)."""
    query = select(Hold).where(Hold.portal_id == portal.id, Hold.id == hold_id)
    if actor.kind == "patient":
        query = query.where(Hold.patient_id == actor.id)
    elif actor.kind == "visitor" and actor.guest is not None:
        query = query.where(Hold.patient_id.is_(None), Hold.guest == actor.guest)
    else:
        raise NotFound()
    found = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def current_hold(session: Session, actor: Actor, portal: PortalView) -> Hold | None:
    """Return the actor's live hold on a portal, or None."""
    if actor.kind not in ("patient", "visitor") or (actor.kind == "visitor" and actor.guest is None):
        return None
    return next(iter(_live_holds(session, actor, portal)), None)


def status_of(hold: Hold, moment: dt.datetime) -> HoldStatus:
    """Return what a hold is worth at a moment (C5)."""
    return hold_status(hold.state, hold.expires_at, moment)


def require_live(session: Session, actor: Actor, portal: PortalView, hold: Hold) -> None:
    """Raise Gone where a hold keeps nothing any more, naming the next times if they may be told (B1, C5)."""
    status = status_of(hold, now(session))
    if status == "live":
        return
    if status == "released":
        message = _l("You gave this time back or chose another one. Please choose a time once more.")
        raise Gone("hold-released", message, extra={"next": times_instead(session, actor, portal, hold)})
    message = _l("The time was kept for you for a while and is free again. Please choose a time once more.")
    raise Gone("hold-expired", message, extra={"next": times_instead(session, actor, portal, hold)})


def times_instead(session: Session, actor: Actor, portal: PortalView, hold: Hold) -> list[str]:
    """Return the next times of what a hold was for, ISO 8601; none where they may not be told."""
    try:
        offering = offering_of(session, portal, hold)
    except (NotFound, Conflict):
        return []
    return [time.isoformat() for time in next_times(session, actor, portal, offering)]


def offering_of(session: Session, portal: PortalView, hold: Hold) -> Offering:
    """Return what a hold is for; raises NotFound where it is no longer offered."""
    listing_id = session.scalar(
        select(Listing.id).where(Listing.portal_id == portal.id, Listing.specialist_id == hold.specialist_id)
    )
    if listing_id is None:
        raise NotFound()
    return get_offering(session, portal, listing_id, hold.service_id)


@transactional
def save_details(session: Session, actor: Actor, portal: PortalView, hold_id: uuid.UUID, details: Details) -> None:
    """Keep what the patient typed with their hold, live or dead: choosing another time loses nothing (B2).

    Only the latest is kept, and shown again for a day.
    """
    if actor.kind != "patient":
        raise Unauthenticated("sign-in-required", _l("Please confirm your e-mail address first."))
    hold = get_hold(session, actor, portal, hold_id)
    forget_details(session, actor, portal)
    values = {"name": details.name, "phone": details.phone, "message": details.message, "written_at": now(session)}
    keys = {"hold_id": hold.id, "portal_id": portal.id, "patient_id": actor.id}
    session.execute(
        insert(HoldDetails).values(**keys, **values).on_conflict_do_update(index_elements=["hold_id"], set_=values)
    )


def find_details(session: Session, actor: Actor, portal: PortalView) -> Details | None:
    """Return what the patient typed last, with whichever hold, or None."""
    if actor.kind != "patient":
        return None
    row = session.scalars(
        select(HoldDetails)
        .where(
            HoldDetails.portal_id == portal.id,
            HoldDetails.patient_id == actor.id,
            HoldDetails.written_at > now(session) - _DAY,
        )
        .order_by(HoldDetails.written_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Details(row.name, row.phone, row.message)


def forget_details(session: Session, actor: Actor, portal: PortalView) -> None:
    """Delete what a patient typed for holds: it is with the appointment now."""
    session.execute(
        delete(HoldDetails)
        .where(HoldDetails.portal_id == portal.id, HoldDetails.patient_id == actor.id)
        .execution_options(synchronize_session=False)
    )


def lock_holder(session: Session, actor: Actor, portal: PortalView) -> None:
    """Let one thing happen at a time to the holds of a patient, of a browser, of a guest's address.

    Raises Forbidden for people who hold nothing.
    """
    keys = {f"{portal.id}:{kind}:{value}" for kind, value in _holder_keys(actor)}
    for key in sorted(keys):
        session.execute(_LOCK, {"holder": key})


def _holder_keys(actor: Actor) -> list[tuple[str, str]]:
    guest = [("guest", actor.guest)] if actor.guest else []
    if actor.kind == "patient":
        return [("patient", str(actor.id)), *guest]
    if actor.kind == "visitor" and actor.guest:
        return [*guest, *([("address", actor.address)] if actor.address else [])]
    raise Forbidden("patients-only", _l("Only patients can keep a time."))


def lock_specialists(session: Session, specialist_ids: Collection[uuid.UUID]) -> None:
    """Lock several calendars in one order for everybody, so that two people who change their minds do not deadlock."""
    for specialist_id in sorted(specialist_ids):
        lock(session, specialist_id)


def _live_holds(session: Session, actor: Actor, portal: PortalView) -> Sequence[Hold]:
    query = select(Hold).where(Hold.portal_id == portal.id, Hold.state == "open", Hold.expires_at > now(session))
    if actor.kind == "patient":
        query = query.where(Hold.patient_id == actor.id)
    else:
        query = query.where(Hold.patient_id.is_(None), Hold.guest == actor.guest)
    return session.scalars(query.order_by(Hold.created_at.desc())).all()


def _refuse_address(session: Session, actor: Actor, portal: PortalView, own: Sequence[Hold]) -> None:
    if actor.kind != "visitor" or actor.address is None:
        return
    live = session.scalar(
        select(func.count())
        .select_from(Hold)
        .where(
            Hold.portal_id == portal.id,
            Hold.address == actor.address,
            Hold.state == "open",
            Hold.expires_at > now(session),
            Hold.id.not_in([one.id for one in own]),
        )
    )
    refusal = refuse_hold_of_address(live or 0, portal.settings.get(HOLDS_PER_ADDRESS))
    if refusal is not None:
        raise refusal


def _let_go(session: Session, actor: Actor, hold: Hold) -> None:
    release_claim(session, hold.specialist_id, hold.id)
    hold.state = "released"
    session.flush()
    record(session, actor, "hold.released", "hold", hold.id, portal_id=hold.portal_id)
