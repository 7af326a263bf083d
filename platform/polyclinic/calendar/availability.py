"""The specialist's own hand on their time: availability rules, exceptions, time off (C1).

Nothing of this fails because of an appointment: each change is made, and says which appointments it leaves outside the
availability (C9). Changes take the specialist's lock, so that nobody books by what was true a moment ago.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.calendar.entries import (
    Absence,
    exception_of,
    refuse,
    span_of,
    write_exception,
    write_rule,
    wrong_places,
)
from polyclinic.calendar.intervals import Span
from polyclinic.calendar.models import AvailabilityException, AvailabilityRule, Claim, TimeOff
from polyclinic.calendar.opening import load, locked
from polyclinic.calendar.rules import (
    Calendar,
    DayException,
    WeeklyRule,
    at_risk,
    lost_spans,
    wrong_exception,
    wrong_rule,
)
from polyclinic.calendar.services import mark_stale
from polyclinic.calendar.walltime import seconds
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Defect, NotFound
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.transactions import transactional

Row = TypeVar("Row", AvailabilityRule, AvailabilityException, TimeOff)
#: How far ahead a change looks for appointments that it leaves outside the availability.
LOOK_AHEAD = dt.timedelta(days=400)


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A firm claim that a change leaves outside the availability; ``claim_id`` is the appointment's id."""

    claim_id: uuid.UUID
    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class Changed(Generic[Row]):
    """What was written, and which appointments it concerns."""

    row: Row
    concerned: list[AtRisk]


@transactional
def create_rule(session: Session, actor: Actor, rule: WeeklyRule) -> Changed[AvailabilityRule]:
    """Add weekly hours; raises Invalid field by field."""
    return _save_rule(session, actor, _new(actor, AvailabilityRule), rule, "availability_rule.created")


@transactional
def create_hours(session: Session, actor: Actor, rules: Sequence[WeeklyRule]) -> list[Changed[AvailabilityRule]]:
    """Add weekly hours on several days, all or none; raises Invalid field by field."""
    return [create_rule(session, actor, rule) for rule in rules]


@transactional
def update_rule(session: Session, actor: Actor, rule_id: uuid.UUID, rule: WeeklyRule) -> Changed[AvailabilityRule]:
    """Replace weekly hours; raises NotFound where they are not the actor's."""
    row = get_own(session, actor, AvailabilityRule, rule_id)
    return _save_rule(session, actor, row, rule, "availability_rule.changed")


@transactional
def create_exception(session: Session, actor: Actor, exception: DayException) -> Changed[AvailabilityException]:
    """Open or close time on one date; raises Invalid, also for extra time that is closed anyway."""
    row = _new(actor, AvailabilityException)
    return _save_exception(session, actor, row, exception, "availability_exception.created")


@transactional
def update_exception(
    session: Session, actor: Actor, exception_id: uuid.UUID, exception: DayException
) -> Changed[AvailabilityException]:
    """Replace an exception; raises NotFound where it is not the actor's."""
    row = get_own(session, actor, AvailabilityException, exception_id)
    return _save_exception(session, actor, row, exception, "availability_exception.changed")


@transactional
def create_time_off(session: Session, actor: Actor, absence: Absence) -> Changed[TimeOff]:
    """Take time off, on every portal; raises Invalid, never because of an appointment (C9)."""
    return _save_time_off(session, actor, _new(actor, TimeOff), absence, "time_off.created")


@transactional
def update_time_off(session: Session, actor: Actor, time_off_id: uuid.UUID, absence: Absence) -> Changed[TimeOff]:
    """Change time off; raises NotFound where it is not the actor's."""
    return _save_time_off(session, actor, get_own(session, actor, TimeOff, time_off_id), absence, "time_off.changed")


@transactional
def delete_entry(session: Session, actor: Actor, model: type[Row], entry_id: uuid.UUID) -> Changed[Row]:
    """Remove a rule, an exception or time off; raises NotFound where it is not the actor's."""
    row = get_own(session, actor, model, entry_id)

    def write() -> None:
        session.delete(row)

    return _changing(session, actor, row, write, f"{model.__tablename__}.deleted")


def get_own(session: Session, actor: Actor, model: type[Row], entry_id: uuid.UUID) -> Row:
    """Return an entry of the acting specialist; raises NotFound for any other."""
    row = session.scalars(select(model).where(model.id == entry_id, model.specialist_id == _me(actor))).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _new(actor: Actor, model: type[Row]) -> Row:
    return model(id=new_id(), specialist_id=_me(actor))


def _me(actor: Actor) -> uuid.UUID:
    if actor.kind != "specialist" or actor.id is None:
        raise Defect("only specialists write into their calendar")
    return actor.id


def _save_rule(
    session: Session, actor: Actor, row: AvailabilityRule, rule: WeeklyRule, action: str
) -> Changed[AvailabilityRule]:
    refuse(wrong_rule(rule) | wrong_places(session, row.specialist_id, rule))

    def write() -> None:
        write_rule(row, rule)
        session.add(row)

    return _changing(session, actor, row, write, action)


def _save_exception(
    session: Session, actor: Actor, row: AvailabilityException, exception: DayException, action: str
) -> Changed[AvailabilityException]:
    others = session.scalars(
        select(AvailabilityException).where(
            AvailabilityException.specialist_id == row.specialist_id,
            AvailabilityException.date == exception.day,
            AvailabilityException.id != row.id,
        )
    )
    refuse(
        wrong_exception(exception, [exception_of(other) for other in others])
        | wrong_places(session, row.specialist_id, exception)
    )

    def write() -> None:
        write_exception(row, exception)
        session.add(row)

    return _changing(session, actor, row, write, action)


def _save_time_off(session: Session, actor: Actor, row: TimeOff, absence: Absence, action: str) -> Changed[TimeOff]:
    start, end = span_of(absence, now(session))

    def write() -> None:
        row.starts_at, row.ends_at = start, end
        row.zone, row.label = absence.zone, absence.label
        session.add(row)

    return _changing(session, actor, row, write, action, [(seconds(start), seconds(end))])


def _changing(
    session: Session, actor: Actor, row: Row, write: Callable[[], None], action: str, taken: Sequence[Span] = ()
) -> Changed[Row]:
    """Write under the specialist's lock; find the appointments that lose their availability or fall into ``taken``."""
    specialist_id = row.specialist_id
    begin = now(session)
    end = begin + LOOK_AHEAD
    with locked(session, specialist_id):
        before = load(session, specialist_id, "UTC", begin, end)
        write()
        session.flush()
        after = load(session, specialist_id, "UTC", begin, end)
        concerned = _concerned(session, specialist_id, before, after, begin, end, taken)
        mark_stale(session, specialist_id)
    record(session, actor, action, row.__tablename__, row.id)
    return Changed(row, concerned)


def _concerned(
    session: Session,
    specialist_id: uuid.UUID,
    before: Calendar,
    after: Calendar,
    begin: dt.datetime,
    end: dt.datetime,
    taken: Sequence[Span],
) -> list[AtRisk]:
    """Return the firm claims of an open calendar that a change touches, in order."""
    lost = [*lost_spans(before, after, seconds(begin), seconds(end)), *taken]
    if not lost:
        return []
    firm = session.execute(
        select(Claim.claim_id, func.lower(Claim.core), func.upper(Claim.core))
        .where(Claim.specialist_id == specialist_id, Claim.ends_at > begin, Claim.expires_at.is_(None))
        .order_by(Claim.ends_at)
    ).all()
    found = [AtRisk(*one) for one in firm]
    return [found[place] for place in at_risk([(seconds(one.start), seconds(one.end)) for one in found], lost)]
