"""A specialist's own patients over all portals (I3, N1), each read of one of them audited (U3)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlalchemy.orm import Session

from polyclinic.allocation.models import Allocation
from polyclinic.audit.services import record
from polyclinic.booking.models import Appointment
from polyclinic.identity.models import Patient
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.transactions import transactional
from polyclinic.patients.rules import Status, status_of
from polyclinic.web.api import fetch_page

_ATTENDED = ("completed",)
_AHEAD = ("confirmed", "in_progress")


@dataclass(frozen=True, slots=True)
class PatientRow:
    """A patient as the list shows them: one row per allocation, so per portal."""

    id: uuid.UUID
    portal_id: uuid.UUID
    name: str
    email: str
    status: Status
    source: str
    since: dt.datetime
    next_at: dt.datetime | None
    """UTC; the next visit that is to take place."""
    last_at: dt.datetime | None
    """UTC; the last visit that took place."""
    visits: int


@dataclass(frozen=True, slots=True)
class PatientPage:
    """Everything the patient's page shows."""

    row: PatientRow
    patient: Patient
    allocation: Allocation
    appointments: Sequence[Appointment]
    """Newest first."""


def list_patients(
    session: Session,
    actor: Actor,
    *,
    portal_id: uuid.UUID | None = None,
    status: Status | None = None,
    search: str = "",
    limit: int = 20,
    cursor: str | None = None,
) -> tuple[list[PatientRow], str | None]:
    """Return a page of the specialist's patients by name, and the cursor of the next page."""
    query, visits = _patients(now(session))
    query = query.where(Allocation.specialist_id == actor.id)
    if portal_id is not None:
        query = query.where(Allocation.portal_id == portal_id)
    if status == "ended":
        query = query.where(Allocation.state == "ended")
    elif status is not None:
        query = query.where(Allocation.state == "active", visits > 0 if status == "active" else visits == 0)
    for word in search.split():
        query = query.where(func.lower(Patient.name).contains(word.lower(), autoescape=True))
    rows, following = fetch_page(session, query, [func.lower(Patient.name), Allocation.id], limit=limit, cursor=cursor)
    return [_row(*found) for found in rows], following


@transactional
def read_patient(session: Session, actor: Actor, patient_id: uuid.UUID) -> PatientPage:
    """Return a patient of the specialist with the history between them; raises NotFound for anybody else's.

    Reading is audited, so this writes.
    """
    query, _visits = _patients(now(session))
    found = session.execute(query.where(Allocation.specialist_id == actor.id, Patient.id == patient_id)).one_or_none()
    if found is None:
        raise NotFound
    row = _row(*found)
    appointments = session.scalars(
        select(Appointment)
        .where(
            Appointment.patient_id == patient_id,
            Appointment.specialist_id == actor.id,
            Appointment.state != "pending_payment",
        )
        .order_by(Appointment.starts_at.desc())
        .limit(200)
    ).all()
    record(session, actor, "patient.read", "patient", patient_id, portal_id=row.portal_id)
    return PatientPage(row, found[0], found[1], appointments)


def count_new(session: Session, actor: Actor, since: dt.datetime) -> int:
    """Return how many allocations began after ``since``."""
    query = select(func.count()).where(Allocation.specialist_id == actor.id, Allocation.since >= since)
    return int(session.scalar(query) or 0)


def _patients(moment: dt.datetime) -> tuple[Select[Any], ColumnElement[int]]:
    """Select patient, allocation, next visit, last visit, number of visits; the visits are one aggregate a row."""
    mine = (
        select(
            func.min(case((Appointment.state.in_(_AHEAD), Appointment.starts_at)))
            .filter(Appointment.ends_at > literal(moment))
            .label("next_at"),
            func.max(Appointment.starts_at).filter(Appointment.state.in_(_ATTENDED)).label("last_at"),
            func.count().filter(Appointment.state.in_(_ATTENDED)).label("visits"),
        )
        .where(
            Appointment.portal_id == Allocation.portal_id,
            Appointment.patient_id == Allocation.patient_id,
            Appointment.specialist_id == Allocation.specialist_id,
        )
        .lateral("visits")
    )
    query = (
        select(Patient, Allocation, mine.c.next_at, mine.c.last_at, mine.c.visits)
        .join(Allocation, Allocation.patient_id == Patient.id)
        .join(mine, literal(True))
    )
    return query, mine.c.visits


def _row(
    patient: Patient,
    allocation: Allocation,
    next_at: dt.datetime | None,
    last_at: dt.datetime | None,
    visits: int,
) -> PatientRow:
    return PatientRow(
        patient.id,
        patient.portal_id,
        patient.name,
        patient.email,
        status_of(allocation.state, visits),
        allocation.source,
        allocation.since,
        next_at,
        last_at,
        visits,
    )
