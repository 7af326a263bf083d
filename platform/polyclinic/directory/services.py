"""Use cases of listings and approvals: who comes to be seen where (S2, S3).

The network approves the person, a portal approves the listing; both together publish. Every door goes through
``get_listing`` or ``get_specialist``, which know no row outside the actor's scope.
"""

from __future__ import annotations

import uuid

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.directory.models import Listing, SpecialistProfile
from polyclinic.directory.policy import ADMISSION
from polyclinic.directory.publishing import approve, publish, publish_everywhere
from polyclinic.directory.rules import refuse_listing_move, refuse_specialist_move
from polyclinic.identity.models import Specialist
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.transactions import transactional
from polyclinic.tenancy.places import PortalView


def get_specialist(session: Session, specialist_id: uuid.UUID) -> Specialist:
    """Return a specialist that this scope may see; raises NotFound."""
    found = session.scalars(select(Specialist).where(Specialist.id == specialist_id)).one_or_none()
    if found is None:
        raise NotFound
    return found


def get_listing(session: Session, portal_id: uuid.UUID, listing_id: uuid.UUID) -> Listing:
    """Return a listing of a portal by its public id; raises NotFound for another portal's and outside the scope."""
    found = session.scalars(
        select(Listing).where(Listing.portal_id == portal_id, Listing.id == listing_id)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def find_listing(session: Session, portal_id: uuid.UUID, specialist_id: uuid.UUID) -> Listing | None:
    """Return the listing of a specialist on a portal, None where there never was one."""
    return session.scalars(
        select(Listing).where(Listing.portal_id == portal_id, Listing.specialist_id == specialist_id)
    ).one_or_none()


# the person: approved by the network


@transactional
def move_specialist(
    session: Session, actor: Actor, specialist_id: uuid.UUID, wanted: str, reason: str | None = None
) -> Specialist:
    """Submit, approve, reject, suspend or reinstate a person, or ask for changes (S2); raises Conflict, Forbidden.

    Only operators of the whole network decide. Suspension takes the person off every portal at once, reinstatement
    brings the listings that are still listed back.
    """
    _require_network(actor)
    person = get_specialist(session, specialist_id)
    before = person.state
    refusal = refuse_specialist_move(before, wanted)
    if refusal is not None:
        raise refusal
    if wanted in ("changes_requested", "rejected", "suspended") and not reason:
        raise _reason_missing()
    person.state, person.state_reason = wanted, reason
    session.flush()
    portals = publish_everywhere(session, specialist_id) if _has_profile(session, specialist_id) else []
    detail = {"from": before, "to": wanted, "portals": [str(portal) for portal in portals]}
    record(session, actor, f"specialist.{wanted}", "specialist", specialist_id, detail=detail)
    announce(session, f"specialist.{wanted}", {"specialist_id": str(specialist_id)})
    return person


def approve_specialist(session: Session, actor: Actor, specialist_id: uuid.UUID) -> Specialist:
    """Approve a submitted person; from now on their listed listings are visible."""
    return move_specialist(session, actor, specialist_id, "approved")


def suspend_specialist(session: Session, actor: Actor, specialist_id: uuid.UUID, reason: str) -> Specialist:
    """Take a person off every portal at once, for a reason."""
    return move_specialist(session, actor, specialist_id, "suspended", reason)


def _require_network(actor: Actor) -> None:
    if actor.kind == "system" or (actor.kind == "operator" and actor.portals is None):
        return
    raise Forbidden("network-only", _l("Only operators of the whole network decide about a person."))


def _reason_missing() -> Invalid:
    message = _l("Please say why; the person will read it.")
    return Invalid("reason-missing", message, fields={"reason": message})


def _has_profile(session: Session, specialist_id: uuid.UUID) -> bool:
    found = select(SpecialistProfile.specialist_id).where(SpecialistProfile.specialist_id == specialist_id)
    return session.scalar(found) is not None


# the listing: approved by the portal


@transactional
def apply_for_listing(session: Session, actor: Actor, portal: PortalView) -> Listing:
    """Ask, as a specialist, to be listed on a portal (S2); on ``all`` portals an approved person is listed at once.

    Raises Forbidden where the portal lists by invitation, Conflict where there is a listing already.
    """
    if actor.kind != "specialist" or actor.id is None:
        raise Forbidden("specialists-only", _l("Only a specialist applies for a listing."))
    admission = portal.settings.get(ADMISSION)
    if admission == "invitation":
        raise Forbidden("by-invitation", _l("This portal lists specialists by invitation. Please write to it."))
    person = get_specialist(session, actor.id)
    wanted = "listed" if admission == "all" and person.state == "approved" else "applied"
    listing = _opened(session, portal.id, actor.id, wanted)
    _announce_listing(session, actor, listing, "listing.applied" if wanted == "applied" else "listing.listed")
    if wanted == "listed" and _has_profile(session, actor.id):
        approve(session, listing)
    return listing


@transactional
def list_specialist(
    session: Session,
    actor: Actor,
    portal: PortalView,
    specialist_id: uuid.UUID,
    *,
    team_id: uuid.UUID | None = None,
    team_role: str | None = None,
) -> Listing:
    """List a person on a portal as its operator: invited, applied or ended before; alone or in a team (I5)."""
    require_operator(actor, portal.id)
    get_specialist(session, specialist_id)
    listing = _opened(session, portal.id, specialist_id, "listed")
    listing.team_id, listing.team_role = team_id, (team_role or "member") if team_id else None
    session.flush()
    _announce_listing(session, actor, listing, "listing.listed")
    if _has_profile(session, specialist_id):
        approve(session, listing)
    return listing


@transactional
def move_listing(
    session: Session,
    actor: Actor,
    portal_id: uuid.UUID,
    listing_id: uuid.UUID,
    wanted: str,
    reason: str | None = None,
) -> Listing:
    """Approve, reject, pause, resume or end a listing; raises NotFound, Conflict, Forbidden.

    Operators do all of it, and say why when they reject, pause or end. Specialists pause, resume and end their own,
    but do not resume what the portal paused.
    """
    listing = get_listing(session, portal_id, listing_id)
    operator = actor.kind in ("operator", "system")
    refusal = refuse_listing_move(listing.state, wanted)
    if refusal is not None:
        raise refusal
    if operator and wanted in ("rejected", "paused", "ended") and not reason:
        raise _reason_missing()
    if not operator:
        _refuse_specialist(actor, listing, wanted)
    listing.state, listing.state_reason = wanted, reason if operator else None
    session.flush()
    if _has_profile(session, listing.specialist_id):
        (approve if operator and wanted == "listed" else publish)(session, listing)
    _announce_listing(session, actor, listing, f"listing.{wanted}")
    return listing


@transactional
def publish_listing(session: Session, actor: Actor, portal_id: uuid.UUID, listing_id: uuid.UUID) -> Listing:
    """Approve what waits in a listed person's profile: the public sees it from now on (S3)."""
    require_operator(actor, portal_id)
    listing = get_listing(session, portal_id, listing_id)
    if not _has_profile(session, listing.specialist_id) or not approve(session, listing):
        raise Conflict("not-visible", _l("This specialist is not visible on the portal: there is nothing to publish."))
    record(session, actor, "listing.published", "listing", listing.id, portal_id=portal_id)
    return listing


@transactional
def set_listing_limits(
    session: Session,
    actor: Actor,
    portal_id: uuid.UUID,
    listing_id: uuid.UUID,
    *,
    accepts_booking: bool,
    capacity: int | None,
) -> Listing:
    """Set whether a listing takes direct bookings and how many active allocations it may have (S6)."""
    if capacity is not None and not 0 <= capacity <= 10_000:
        message = _l("Expected a number of patients from 0 to 10,000, or nothing for no limit.")
        raise Invalid("capacity", message, fields={"capacity": message})
    listing = get_listing(session, portal_id, listing_id)
    listing.accepts_booking, listing.capacity = accepts_booking, capacity
    session.flush()
    detail = {"accepts_booking": accepts_booking, "capacity": capacity}
    record(session, actor, "listing.limits", "listing", listing.id, portal_id=portal_id, detail=detail)
    return listing


def _opened(session: Session, portal_id: uuid.UUID, specialist_id: uuid.UUID, wanted: str) -> Listing:
    """Make a listing, or begin an ended one anew: there is one per portal and person."""
    listing = find_listing(session, portal_id, specialist_id)
    if listing is None:
        listing = Listing(portal_id=portal_id, specialist_id=specialist_id, state=wanted)
        session.add(listing)
    else:
        refusal = refuse_listing_move(listing.state, wanted)
        if refusal is not None:
            raise refusal
        listing.state, listing.state_reason = wanted, None
    session.flush()
    return listing


def _refuse_specialist(actor: Actor, listing: Listing, wanted: str) -> None:
    if actor.kind != "specialist" or wanted not in ("listed", "paused", "ended"):
        raise Forbidden("portal-decides", _l("The portal decides about that."))
    if wanted == "listed" and (listing.state != "paused" or listing.state_reason is not None):
        raise Forbidden("portal-decides", _l("The portal has to approve this listing before patients see it."))


def require_operator(actor: Actor, portal_id: uuid.UUID) -> None:
    """Let only operators of the portal through; one of another portal hears that it is not there (I2)."""
    if actor.kind == "system":
        return
    if actor.kind != "operator":
        raise Forbidden("operators-only", _l("Only operators of the portal decide about its listings."))
    if actor.portals is not None and portal_id not in actor.portals:
        raise NotFound


def _announce_listing(session: Session, actor: Actor, listing: Listing, action: str) -> None:
    detail = {"state": listing.state, "specialist_id": str(listing.specialist_id)}
    record(session, actor, action, "listing", listing.id, portal_id=listing.portal_id, detail=detail)
    payload = {"listing_id": str(listing.id), "specialist_id": str(listing.specialist_id)}
    announce(session, action, payload, portal_id=listing.portal_id)
