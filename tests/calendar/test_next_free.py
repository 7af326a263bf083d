"""Stored next free times are what the slots say, whatever happened to the calendar meanwhile (C2, C5)."""

import datetime as dt
import random
import uuid

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from polyclinic.calendar.models import NextFree
from polyclinic.calendar.next_free import StoredNextFree, refresh_next_free, stale_specialists
from polyclinic.calendar.opening import locked
from polyclinic.calendar.services import claim_slot, get_offer, offer_slots, release_claim
from polyclinic.kernel.ids import new_id
from polyclinic.tenancy.settings import Settings
from support.calendars import START, OpenAs, SetTime
from support.cast import Cast, PortalCast

BUILT_IN = Settings({})
MINUTE = dt.timedelta(minutes=1)


def stored(session: Session, portal: PortalCast, cast: Cast) -> dt.datetime | None:
    """Refresh as a reader does, and return what is stored for Sam."""
    refresh_next_free(session, portal.id, BUILT_IN)
    assert stale_specialists(session, portal.id, BUILT_IN) == []
    earliest = StoredNextFree().earliest(portal.id)
    found = select(earliest.c.next_free_at).where(earliest.c.specialist_id == cast.sam.id)
    at: dt.datetime | None = session.execute(found).scalar_one()
    return at


def first_slot(session: Session, portal: PortalCast, cast: Cast) -> dt.datetime | None:
    offer = get_offer(session, portal.id, BUILT_IN, cast.sam.id, portal.service)
    slots = offer_slots(session, offer, START, START + dt.timedelta(days=100))
    return slots[0].start if slots else None


def test_a_visitor_finds_everybodys_next_free_time(scene: Cast, open_as: OpenAs) -> None:
    """C2: Tuesday at nine in Berlin, for each specialist of the portal and nobody else."""
    with open_as(scene.alpha) as session:
        assert refresh_next_free(session, scene.alpha.id, BUILT_IN) == 3
        assert refresh_next_free(session, scene.alpha.id, BUILT_IN) == 0
        rows = session.scalars(select(NextFree)).all()
    assert {row.specialist_id for row in rows} == {scene.ada.id, scene.sam.id, scene.lea.id}
    assert {row.next_free_at for row in rows} == {dt.datetime(2027, 3, 2, 8, tzinfo=dt.UTC)}


def test_a_booking_on_one_portal_makes_the_others_answer_stale(scene: Cast, open_as: OpenAs) -> None:
    """C5, C10: Beta's visitor takes nine o'clock; Alpha's next reader says ten."""
    claim_id = new_id()
    with open_as(scene.alpha) as session:
        before = stored(session, scene.alpha, scene)
        assert before is not None
    with open_as(scene.beta) as session:
        offer = get_offer(session, scene.beta.id, BUILT_IN, scene.sam.id, scene.beta.service)
        claim_slot(session, offer, before, claim_id, START + 10 * MINUTE)
        session.commit()
    with open_as(scene.alpha) as session:
        assert stored(session, scene.alpha, scene) == before + 60 * MINUTE
    with open_as(scene.beta) as session:
        release_claim(session, offer.specialist_id, claim_id)
        session.commit()
    with open_as(scene.alpha) as session:
        assert stored(session, scene.alpha, scene) == before


def test_a_dead_hold_makes_it_stale_with_no_worker_running(scene: Cast, open_as: OpenAs, set_time: SetTime) -> None:
    """C5: at the moment of the hold's end the earlier time is back."""
    with open_as(scene.alpha) as session:
        free = stored(session, scene.alpha, scene)
        assert free is not None
        offer = get_offer(session, scene.alpha.id, BUILT_IN, scene.sam.id, scene.alpha.service)
        claim_slot(session, offer, free, new_id(), START + 10 * MINUTE)
        session.commit()
        assert stored(session, scene.alpha, scene) == free + 60 * MINUTE
    set_time(START + 10 * MINUTE)
    with open_as(scene.alpha) as session:
        assert stored(session, scene.alpha, scene) == free


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE service SET duration_minutes = 55",
        "UPDATE listing_service SET buffer_before_minutes = 10",
        "UPDATE service SET buffer_after_minutes = 0",
    ],
)
def test_other_terms_make_it_stale_without_being_told(scene: Cast, open_as: OpenAs, owner: Engine, change: str) -> None:
    """C3: whoever changes a service need not know who stored what."""
    with open_as(scene.alpha) as session:
        stored(session, scene.alpha, scene)
    with owner.begin() as connection:
        connection.execute(text(change))
    with open_as(scene.alpha) as session:
        assert len(stale_specialists(session, scene.alpha.id, BUILT_IN)) == 3
        stored(session, scene.alpha, scene)


def test_a_service_that_is_no_longer_offered_leaves_no_time_behind(scene: Cast, open_as: OpenAs, owner: Engine) -> None:
    """C2: the row of a switched-off service goes with the next reader."""
    with open_as(scene.alpha) as session:
        stored(session, scene.alpha, scene)
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE listing_service SET active = false WHERE specialist_id = :sam"), {"sam": scene.sam.id}
        )
    with open_as(scene.alpha) as session:
        assert refresh_next_free(session, scene.alpha.id, BUILT_IN) == 1
        assert refresh_next_free(session, scene.alpha.id, BUILT_IN) == 0
        rows = session.scalars(select(NextFree.specialist_id)).all()
    assert set(rows) == {scene.ada.id, scene.lea.id}


def test_of_several_services_the_earliest_counts(scene: Cast, open_as: OpenAs, owner: Engine) -> None:
    """C2: a short visit fits into the gap that a long one does not."""
    short = new_id()
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO service (id, portal_id, slug, name, summary, duration_minutes)"
                " VALUES (:id, :portal, 'short', '{}', '{}', 20)"
            ),
            {"id": short, "portal": scene.alpha.id},
        )
        connection.execute(
            text("INSERT INTO listing_service (portal_id, specialist_id, service_id) VALUES (:portal, :sam, :id)"),
            {"id": short, "portal": scene.alpha.id, "sam": scene.sam.id},
        )
    ten = dt.datetime(2027, 3, 2, 9, tzinfo=dt.UTC)
    with open_as(scene.beta) as session:
        offer = get_offer(session, scene.beta.id, BUILT_IN, _id(scene), scene.beta.service)
        claim_slot(session, offer, ten - 30 * MINUTE, new_id(), None)
        session.commit()
    with open_as(scene.alpha) as session:
        assert stored(session, scene.alpha, scene) == ten - 60 * MINUTE
        for service, expected in ((short, ten - 60 * MINUTE), (scene.alpha.service, ten + 30 * MINUTE)):
            one = StoredNextFree().earliest(scene.alpha.id, service)
            query = select(one.c.next_free_at).where(one.c.specialist_id == scene.sam.id)
            assert session.execute(query).scalar_one() == expected


def test_other_rules_of_the_portal_make_it_stale(scene: Cast, open_as: OpenAs) -> None:
    """C2: minimum notice, horizon and step belong to the answer."""
    with open_as(scene.alpha) as session:
        stored(session, scene.alpha, scene)
        for key, value in (("minimum_notice", 3600), ("horizon", 86400), ("slot_step", 3600)):
            other = Settings({f"booking.{key}": value})
            assert len(stale_specialists(session, scene.alpha.id, other)) == 3, key


def test_a_reader_never_waits_for_a_writer(scene: Cast, open_as: OpenAs) -> None:
    """C4: while somebody writes into a calendar its row stays as it is, and the page is not held up."""
    with open_as(scene.beta) as writer, locked(writer, _id(scene)), open_as(scene.alpha) as reader:
        assert refresh_next_free(reader, scene.alpha.id, BUILT_IN) == 2
        writer.rollback()
        assert refresh_next_free(reader, scene.alpha.id, BUILT_IN) == 1


def _id(cast: Cast) -> uuid.UUID:
    assert cast.sam.id is not None
    return cast.sam.id


def test_through_a_busy_week_the_stored_answer_is_always_the_first_slot(
    scene: Cast, open_as: OpenAs, set_time: SetTime
) -> None:
    """C2, C5: random holds, releases and hours passing, on two portals, compared after each step."""
    dice, moment, held = random.Random(7), START, []
    for _ in range(40):
        portal = dice.choice([scene.alpha, scene.beta])
        with open_as(portal) as session:
            offer = get_offer(session, portal.id, BUILT_IN, _id(scene), portal.service)
            if held and dice.random() < 0.3:
                release_claim(session, _id(scene), held.pop(dice.randrange(len(held))))
            else:
                slots = offer_slots(session, offer, moment, moment + dt.timedelta(days=7))
                held.append(new_id())
                claim_slot(
                    session, offer, dice.choice(slots[:4]).start, held[-1], moment + dice.randint(1, 600) * MINUTE
                )
            session.commit()
        moment += dice.randint(0, 300) * MINUTE
        set_time(moment)
        for reader in (scene.alpha, scene.beta):
            with open_as(reader) as session:
                assert stored(session, reader, scene) == first_slot(session, reader, scene)
