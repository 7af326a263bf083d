"""Opening, ending and reading allocations; the listing's count of active ones follows in the same transaction."""

from __future__ import annotations

import uuid

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from polyclinic.allocation.models import SOURCES, Allocation
from polyclinic.audit.services import record
from polyclinic.directory.models import Listing
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict, Defect, Forbidden, NotFound
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.transactions import transactional


@transactional
def open_allocation(
    session: Session, actor: Actor, portal_id: uuid.UUID, patient_id: uuid.UUID, specialist_id: uuid.UUID, source: str
) -> Allocation:
    """Have patient and specialist belong together from now on: opened, reopened, or left as it is (A3).

    An active allocation keeps its source; a reopened one gets the new source and date.
    """
    if source not in SOURCES:
        raise Defect(f"no allocation has the source {source!r}")
    opened = session.execute(
        insert(Allocation)
        .values(id=new_id(), portal_id=portal_id, patient_id=patient_id, specialist_id=specialist_id, source=source)
        .on_conflict_do_nothing()
        .returning(Allocation.id)
    ).scalar_one_or_none()
    allocation = session.scalars(_between(portal_id, patient_id, specialist_id).with_for_update()).one()
    if opened is None:
        if allocation.state == "active":
            return allocation
        allocation.state, allocation.source = "active", source
        allocation.since, allocation.ended_at = now(session), None
    _count(session, allocation, +1)
    action = "allocation.opened" if opened else "allocation.reopened"
    record(session, actor, action, "allocation", allocation.id, portal_id=portal_id, detail={"source": source})
    return allocation


@transactional
def end_allocation(session: Session, actor: Actor, allocation_id: uuid.UUID) -> Allocation:
    """End an allocation, by its specialist or an operator; nothing happens where it has ended.

    Raises NotFound outside the actor's scope and Forbidden to patients. Appointments stay as they are.
    """
    allocation = get_allocation(session, actor, allocation_id, lock=True)
    if actor.kind not in ("specialist", "operator"):
        raise Forbidden("not-yours-to-end", _l("Only your specialist or the support team can end this."))
    if allocation.state == "ended":
        return allocation
    allocation.state, allocation.ended_at = "ended", now(session)
    allocation.standing_permission = False
    _count(session, allocation, -1)
    record(session, actor, "allocation.ended", "allocation", allocation.id, portal_id=allocation.portal_id)
    return allocation


@transactional
def set_standing_permission(session: Session, actor: Actor, allocation_id: uuid.UUID, allowed: bool) -> Allocation:
    """Let a patient book directly although they are established, or no longer; the specialist alone decides (B1)."""
    allocation = get_allocation(session, actor, allocation_id, lock=True)
    if actor.kind != "specialist":
        raise Forbidden("specialist-decides", _l("Only the specialist can decide this."))
    if allocation.state != "active":
        raise Conflict("allocation-ended", _l("This patient is no longer with you."))
    if allocation.standing_permission != allowed:
        allocation.standing_permission = allowed
        action = "allocation.permission_granted" if allowed else "allocation.permission_withdrawn"
        record(session, actor, action, "allocation", allocation.id, portal_id=allocation.portal_id)
    return allocation


def get_allocation(session: Session, actor: Actor, allocation_id: uuid.UUID, *, lock: bool = False) -> Allocation:
    """Return an allocation in the actor's scope; raises NotFound for any other (I2)."""
    query = _visible(actor).where(Allocation.id == allocation_id)
    found = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound()
    return found


def find_allocation(
    session: Session, portal_id: uuid.UUID, patient_id: uuid.UUID, specialist_id: uuid.UUID
) -> Allocation | None:
    """Return the one allocation of a patient and a specialist on a portal, active or ended, or None."""
    return session.scalars(_between(portal_id, patient_id, specialist_id)).one_or_none()


def allocations_of(session: Session, actor: Actor) -> list[Allocation]:
    """Return the allocations in the actor's scope, the latest first: of a patient, or of a specialist everywhere."""
    return list(session.scalars(_visible(actor).order_by(Allocation.since.desc(), Allocation.id)))


def _visible(actor: Actor) -> Select[Allocation]:
    query = select(Allocation)
    if actor.kind == "patient":
        return query.where(Allocation.portal_id == actor.portal_id, Allocation.patient_id == actor.id)
    if actor.kind == "specialist":
        return query.where(Allocation.specialist_id == actor.id)
    if actor.kind == "operator":
        return query if actor.portals is None else query.where(Allocation.portal_id.in_(actor.portals))
    raise NotFound()


def _between(portal_id: uuid.UUID, patient_id: uuid.UUID, specialist_id: uuid.UUID) -> Select[Allocation]:
    return select(Allocation).where(
        Allocation.portal_id == portal_id,
        Allocation.patient_id == patient_id,
        Allocation.specialist_id == specialist_id,
    )


def _count(session: Session, allocation: Allocation, change: int) -> None:
    """Keep the number that visitors' capacity is judged by: they may not see allocations themselves."""
    session.execute(
        update(Listing)
        .where(Listing.portal_id == allocation.portal_id, Listing.specialist_id == allocation.specialist_id)
        .values(active_allocations=Listing.active_allocations + change)
        .execution_options(synchronize_session=False)
    )
