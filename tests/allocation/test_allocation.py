"""Who belongs together: one allocation per portal, patient and specialist, reopened, never doubled (A3)."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from polyclinic.allocation.models import SOURCES
from polyclinic.allocation.rules import DECIDED_SOURCES, Relationship, is_established
from polyclinic.allocation.services import (
    allocations_of,
    end_allocation,
    find_allocation,
    get_allocation,
    open_allocation,
    set_standing_permission,
)
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Conflict, Forbidden, NotFound
from polyclinic.kernel.scope import open_session
from support.calendars import OpenAs
from support.cast import Cast


def allocate(open_as: OpenAs, cast: Cast, patient: Actor, specialist: Actor, source: str = "browse") -> uuid.UUID:
    assert patient.portal_id
    assert patient.id
    assert specialist.id
    with open_as(patient) as session:
        return open_allocation(session, patient, patient.portal_id, patient.id, specialist.id, source).id


def active(owner: Engine, cast: Cast, specialist: Actor) -> int:
    query = text("SELECT active_allocations FROM listing WHERE specialist_id = :one AND portal_id = :portal")
    with owner.connect() as connection:
        return int(connection.execute(query, {"one": specialist.id, "portal": cast.alpha.id}).scalar_one())


def test_an_allocation_is_opened_once_and_reopened(cast: Cast, open_as: OpenAs, owner: Engine) -> None:
    """A3: the same row again, with the new source; the listing counts one."""
    first = allocate(open_as, cast, cast.alpha.patient, cast.ada)
    assert allocate(open_as, cast, cast.alpha.patient, cast.ada, "request") == first
    assert active(owner, cast, cast.ada) == 1
    with open_as(cast.ada) as session:
        assert end_allocation(session, cast.ada, first).state == "ended"
        assert end_allocation(session, cast.ada, first).state == "ended"
    assert active(owner, cast, cast.ada) == 0
    assert allocate(open_as, cast, cast.alpha.patient, cast.ada, "request") == first
    assert active(owner, cast, cast.ada) == 1
    with open_as(cast.alpha.patient) as session:
        (found,) = allocations_of(session, cast.alpha.patient)
    assert (found.state, found.source, found.ended_at) == ("active", "request", None)


def test_twenty_at_once_open_one_allocation(cast: Cast, engine: Engine, owner: Engine) -> None:
    """A3: never doubled, and counted once, whoever is first."""
    patient, barrier = cast.alpha.patient, threading.Barrier(10)
    assert patient.id
    assert cast.ada.id

    def one(_number: int) -> uuid.UUID:
        barrier.wait()
        with open_session(engine, patient.scope()) as session:
            return open_allocation(session, patient, cast.alpha.id, patient.id, cast.ada.id, "browse").id  # type: ignore[arg-type]  # asserted above

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(one, range(10)))) == 1
    assert active(owner, cast, cast.ada) == 1


def test_strangers_find_no_allocation(cast: Cast, open_as: OpenAs) -> None:
    """I2: not found for another patient, another specialist, another portal's operator; found for their own."""
    allocation_id = allocate(open_as, cast, cast.beta.patient, cast.ben)
    for stranger in (cast.beta.other_patient, cast.alpha.patient, cast.sam, cast.oskar):
        with open_as(stranger) as session, pytest.raises(NotFound):
            get_allocation(session, stranger, allocation_id)
    for own in (cast.beta.patient, cast.ben, cast.olga):
        with open_as(own) as session:
            assert get_allocation(session, own, allocation_id).id == allocation_id


def test_patients_cannot_end_or_permit(cast: Cast, open_as: OpenAs) -> None:
    """B1: only the specialist grants standing permission, while the allocation is active."""
    allocation_id = allocate(open_as, cast, cast.alpha.patient, cast.ada)
    with open_as(cast.alpha.patient) as session:
        with pytest.raises(Forbidden):
            end_allocation(session, cast.alpha.patient, allocation_id)
        with pytest.raises(Forbidden):
            set_standing_permission(session, cast.alpha.patient, allocation_id, True)
    with open_as(cast.ada) as session:
        assert set_standing_permission(session, cast.ada, allocation_id, True).standing_permission
        end_allocation(session, cast.ada, allocation_id)
        with pytest.raises(Conflict):
            set_standing_permission(session, cast.ada, allocation_id, True)
    with open_as(cast.alpha.patient) as session:
        found = find_allocation(session, cast.alpha.id, cast.alpha.patient.id, cast.ada.id)  # type: ignore[arg-type]  # the cast has ids
        assert found is not None
        assert not found.standing_permission


def test_every_change_is_audited(cast: Cast, open_as: OpenAs, owner: Engine) -> None:
    """U3: opened, permission, ended, reopened, each once."""
    allocation_id = allocate(open_as, cast, cast.alpha.patient, cast.ada)
    with open_as(cast.ada) as session:
        set_standing_permission(session, cast.ada, allocation_id, True)
        set_standing_permission(session, cast.ada, allocation_id, True)
        end_allocation(session, cast.ada, allocation_id)
    allocate(open_as, cast, cast.alpha.patient, cast.ada)
    with owner.connect() as connection:
        rows = connection.execute(text("SELECT action, actor_kind, portal_id FROM audit_event ORDER BY id")).all()
    assert [(row.action.partition(".")[2], row.actor_kind) for row in rows] == [
        ("opened", "patient"),
        ("permission_granted", "specialist"),
        ("ended", "specialist"),
        ("reopened", "patient"),
    ]
    assert {row.portal_id for row in rows} == {cast.alpha.id}


@given(
    active=st.booleans(),
    source=st.sampled_from(SOURCES),
    permission=st.booleans(),
    visits=st.integers(0, 3),
    undecided=st.integers(0, 2),
)
def test_established_means_active_and_visited_or_decided(
    active: bool, source: str, permission: bool, visits: int, undecided: int
) -> None:
    """B1: an allocation with a visit that counts, or one that somebody decided; permission changes nothing of it."""
    found = is_established(Relationship(active, source, permission, visits, undecided))
    assert found == (active and (visits > 0 or source in DECIDED_SOURCES))
