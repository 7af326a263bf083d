"""Taking time in a specialist's calendar on the real database: nobody twice, the dead are gone, and races (C3–C5)."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from polyclinic.calendar.models import Claim
from polyclinic.calendar.opening import load, opened
from polyclinic.calendar.services import (
    Offer,
    Taken,
    claim_slot,
    claim_time,
    extend_claim,
    firm_claim,
    get_offer,
    is_live,
    offer_slots,
    release_claim,
)
from polyclinic.kernel.errors import Conflict, Gone, NotFound
from polyclinic.kernel.ids import new_id
from polyclinic.tenancy.settings import Settings
from support.calendars import START, OpenAs, SetTime
from support.cast import Cast, PortalCast

TUESDAY = dt.datetime(2027, 3, 2, tzinfo=dt.UTC)
TEN = TUESDAY.replace(hour=9)
"""Ten o'clock in Berlin."""
MINUTE = dt.timedelta(minutes=1)


def offer_on(session: Session, portal: PortalCast, cast: Cast) -> Offer:
    return get_offer(session, portal.id, Settings({}), cast.sam.id, portal.service)


def slots_on(session: Session, offer: Offer, day: dt.datetime = TUESDAY) -> list[str]:
    return [f"{slot.start:%H:%M}" for slot in offer_slots(session, offer, day, day + dt.timedelta(days=1))]


def row_of(cast: Cast, minutes: int) -> dict[str, object]:
    """Return a firm claim on Sam's time, so many minutes after ten."""
    span = _taken(minutes).core
    return {"specialist_id": cast.sam.id, "claim_id": new_id(), "during": span, "core": span}


def hold(open_as: OpenAs, cast: Cast, portal: PortalCast, start: dt.datetime = TEN, minutes: int = 10) -> uuid.UUID:
    """Take a slot as a visitor of a portal would."""
    claim_id = new_id()
    with open_as(portal) as session:
        claim_slot(session, offer_on(session, portal, cast), start, claim_id, START + minutes * MINUTE)
        session.commit()
    return claim_id


def test_a_portal_offers_the_specialists_hours_less_notice(scene: Cast, open_as: OpenAs) -> None:
    """C2: 12 hours' notice hide Monday; on Tuesday 50 minutes fit from 09:00 to 16:00 in Berlin, every half hour."""
    with open_as(scene.alpha) as session:
        offer = offer_on(session, scene.alpha, scene)
        assert slots_on(session, offer, START) == []
        found = slots_on(session, offer)
    assert (found[0], found[-1], len(found)) == ("08:00", "15:00", 15)


def test_buffers_of_the_listing_go_before_those_of_the_service(scene: Cast, open_as: OpenAs, owner: Engine) -> None:
    """C3: per service, overridable per listing."""
    with open_as(scene.alpha) as session:
        assert offer_on(session, scene.alpha, scene).terms.after == 10
    with owner.begin() as connection:
        connection.execute(text("UPDATE listing_service SET buffer_before_minutes = 5, buffer_after_minutes = 0"))
    with open_as(scene.alpha) as session:
        terms = offer_on(session, scene.alpha, scene).terms
        assert (terms.before, terms.after) == (5, 0)


def test_what_is_not_offered_is_not_found(scene: Cast, open_as: OpenAs) -> None:
    """I2: a specialist who is not on this portal, and another portal's service."""
    with open_as(scene.alpha) as session:
        with pytest.raises(NotFound):
            get_offer(session, scene.alpha.id, Settings({}), scene.ben.id, scene.alpha.service)
        with pytest.raises(NotFound):
            get_offer(session, scene.alpha.id, Settings({}), scene.sam.id, scene.beta.service)


def test_a_time_taken_on_one_portal_is_busy_on_the_other(scene: Cast, open_as: OpenAs) -> None:
    """C4, C10: the other portal hears that the time is taken, and what is free instead, and nothing else."""
    hold(open_as, scene, scene.alpha)
    with open_as(scene.beta) as session:
        offer = offer_on(session, scene.beta, scene)
        assert slots_on(session, offer)[:3] == ["08:00", "10:00", "10:30"]
        with pytest.raises(Conflict) as refusal:
            claim_slot(session, offer, TEN, new_id(), None)
    assert refusal.value.code == "time-taken"
    assert refusal.value.extra["next"][0] == "2027-03-02T10:00:00+00:00"


def test_a_booking_looks_to_the_other_portal_like_time_off(scene: Cast, open_as: OpenAs) -> None:
    """C10: A's slots with B's booking equal those with the specialist's private block over the same range."""
    claim_id = hold(open_as, scene, scene.beta)
    with open_as(scene.alpha) as session:
        with_booking = slots_on(session, offer_on(session, scene.alpha, scene))
    with open_as(scene.beta) as session:
        release_claim(session, scene.sam.id, claim_id)
        session.commit()
    with open_as(scene.sam) as session:
        session.execute(
            text(
                "INSERT INTO time_off (id, specialist_id, starts_at, ends_at, zone)"
                " VALUES (gen_random_uuid(), :sam, :start, :end, 'UTC')"
            ),
            {"sam": scene.sam.id, "start": TEN, "end": TEN + 60 * MINUTE},
        )
        session.commit()
    with open_as(scene.alpha) as session:
        assert slots_on(session, offer_on(session, scene.alpha, scene)) == with_booking


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(TEN + 10 * MINUTE, id="off the steps"),
        pytest.param(TEN.replace(hour=3), id="at night"),
        pytest.param(START + 60 * MINUTE, id="inside the minimum notice"),
        pytest.param(TEN + dt.timedelta(days=70), id="beyond the horizon"),
        pytest.param(TEN - dt.timedelta(days=7), id="in the past"),
        pytest.param(TEN + dt.timedelta(microseconds=1), id="a microsecond late"),
    ],
)
def test_a_forged_time_is_refused(scene: Cast, open_as: OpenAs, forged: dt.datetime) -> None:
    """B1, C2: the server takes only what it would have shown."""
    with open_as(scene.alpha) as session, pytest.raises(Conflict) as refusal:
        claim_slot(session, offer_on(session, scene.alpha, scene), forged, new_id(), None)
    assert refusal.value.code == "time-not-offered"


def test_the_database_refuses_what_the_rules_did_not_see(scene: Cast, open_as: OpenAs) -> None:
    """C4: overlapping claims are refused by the constraint, also where nobody asked for slots."""
    hold(open_as, scene, scene.alpha)
    taken = Taken(Range(TEN + 55 * MINUTE, TEN + 70 * MINUTE), Range(TEN + 60 * MINUTE, TEN + 70 * MINUTE))
    with open_as(scene.beta) as session, pytest.raises(Conflict):
        claim_time(session, scene.sam.id, new_id(), [taken], None)


def test_options_of_one_claim_may_overlap_each_other(scene: Cast, open_as: OpenAs) -> None:
    """C4, B3: every option of a proposal holds its time; confirmed, the appointment has an id of its own."""
    with open_as(scene.sam) as session:
        claim_time(session, scene.sam.id, new_id(), [_taken(0), _taken(20)], START + 60 * MINUTE)
        session.commit()
    with open_as(scene.sam) as session, pytest.raises(Conflict):
        claim_time(session, scene.sam.id, new_id(), [_taken(60)], None)


def _taken(minutes: int) -> Taken:
    span = Range(TEN + minutes * MINUTE, TEN + (minutes + 50) * MINUTE)
    return Taken(span, span)


@pytest.mark.parametrize(
    ("during", "core"),
    [
        pytest.param("empty", "[2027-03-02 09:00Z,2027-03-02 10:00Z)", id="empty"),
        pytest.param("[2027-03-02 09:00Z,2027-03-02 10:00Z)", "empty", id="empty core"),
        pytest.param("[2027-03-02 09:00Z,)", "[2027-03-02 09:00Z,2027-03-02 10:00Z)", id="without end"),
        pytest.param("(,2027-03-02 10:00Z)", "[2027-03-02 09:00Z,2027-03-02 10:00Z)", id="without beginning"),
        pytest.param("[2027-03-02 09:00Z,infinity)", "[2027-03-02 09:00Z,2027-03-02 10:00Z)", id="infinite"),
        pytest.param(
            "(2027-03-02 08:00Z,2027-03-02 10:00Z]", "[2027-03-02 09:00Z,2027-03-02 10:00Z)", id="wrong bounds"
        ),
        pytest.param(
            "[2027-03-02 09:00Z,2027-03-02 10:00Z)", "[2027-03-02 09:00Z,2027-03-02 11:00Z)", id="core outside"
        ),
    ],
)
def test_ranges_that_the_constraint_would_not_see_are_refused(
    scene: Cast, open_as: OpenAs, during: str, core: str
) -> None:
    """C4: the exclusion constraint ignores empty ranges; a CHECK does not let them in."""
    refused = pytest.raises(IntegrityError, match=r"ck_claim|ends_at")
    with open_as(scene.sam) as session, refused, opened(session, scene.sam.id):
        session.execute(
            text(
                "INSERT INTO claim (id, specialist_id, claim_id, during, core)"
                " VALUES (:id, :sam, :id, CAST(:during AS tstzrange), CAST(:core AS tstzrange))"
            ),
            {"id": new_id(), "sam": scene.sam.id, "during": during, "core": core},
        )


def test_without_an_open_calendar_there_are_no_claims(scene: Cast, open_as: OpenAs) -> None:
    """I1, C10: claims exist for nobody until the calendar service opens that one calendar."""
    hold(open_as, scene, scene.alpha)
    for who in (scene.alpha, scene.alpha.patient, scene.sam, scene.oskar, scene.olga):
        with open_as(who) as session:
            assert session.execute(text("SELECT count(*) FROM claim")).scalar_one() == 0
            with opened(session, scene.ada.id):
                assert session.execute(text("SELECT count(*) FROM claim")).scalar_one() == 0
            with opened(session, scene.sam.id):
                assert session.execute(text("SELECT count(*) FROM claim")).scalar_one() == 1
            assert session.execute(text("SELECT count(*) FROM claim")).scalar_one() == 0
    refused = pytest.raises(DBAPIError, match="row-level")
    with open_as(scene.alpha) as session, refused, opened(session, scene.ada.id):
        session.execute(insert(Claim), row_of(scene, 300))


def test_an_expired_hold_is_expired_everywhere_with_no_worker_running(
    scene: Cast, open_as: OpenAs, set_time: SetTime, owner: Engine
) -> None:
    """C5: nothing swept it, the row is still there, and yet the time is free for every reader."""
    claim_id = hold(open_as, scene, scene.alpha)
    set_time(START + 11 * MINUTE)
    with owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM claim")).scalar_one() == 1
    for portal in (scene.alpha, scene.beta):
        with open_as(portal) as session:
            assert "09:00" in slots_on(session, offer_on(session, portal, scene))
            assert not is_live(session, scene.sam.id, claim_id)
    with open_as(scene.alpha) as session:
        with pytest.raises(Gone):
            extend_claim(session, scene.sam.id, claim_id, START + 60 * MINUTE)
        session.rollback()
        with pytest.raises(Gone):
            firm_claim(session, scene.sam.id, claim_id, new_id())


def test_beta_books_over_alphas_dead_hold_that_nobody_swept(
    scene: Cast, open_as: OpenAs, set_time: SetTime, owner: Engine
) -> None:
    """C5: whoever wants the time removes the dead hold in the same transaction, and the outbox hears which."""
    dead = hold(open_as, scene, scene.alpha)
    set_time(START + 11 * MINUTE)
    hold(open_as, scene, scene.beta, minutes=30)
    with owner.connect() as connection:
        rows = connection.execute(text("SELECT kind, portal_id, payload FROM outbox")).all()
    expected = {"specialist_id": str(scene.sam.id), "claim_ids": [str(dead)]}
    assert [tuple(row) for row in rows] == [("claims.expired", scene.beta.id, expected)]


def test_without_the_purge_a_dead_hold_would_block_for_ever(scene: Cast, open_as: OpenAs, set_time: SetTime) -> None:
    """C5, the counter-proof: the same insert without removing the dead first is refused by the constraint."""
    hold(open_as, scene, scene.alpha)
    set_time(START + 11 * MINUTE)
    refused = pytest.raises(IntegrityError, match="ex_claim")
    with open_as(scene.beta) as session, refused, opened(session, scene.sam.id):
        session.execute(insert(Claim), row_of(scene, 0))


def test_a_hold_is_extended_made_firm_and_released(scene: Cast, open_as: OpenAs, set_time: SetTime) -> None:
    """B2, C4: extended it outlives its first end; firm it has the appointment's id and no end; released it is free."""
    claim_id, appointment_id = hold(open_as, scene, scene.alpha), new_id()
    with open_as(scene.alpha) as session:
        extend_claim(session, scene.sam.id, claim_id, START + 25 * MINUTE)
        session.commit()
    set_time(START + 20 * MINUTE)
    with open_as(scene.alpha) as session:
        assert is_live(session, scene.sam.id, claim_id)
        firm_claim(session, scene.sam.id, claim_id, appointment_id)
        session.commit()
    set_time(START + 60 * MINUTE)
    with open_as(scene.beta) as session:
        assert is_live(session, scene.sam.id, appointment_id)
        assert not is_live(session, scene.sam.id, claim_id)
        assert "09:00" not in slots_on(session, offer_on(session, scene.beta, scene))
    with open_as(scene.alpha) as session:
        release_claim(session, scene.sam.id, appointment_id)
        session.commit()
    with open_as(scene.beta) as session:
        assert "09:00" in slots_on(session, offer_on(session, scene.beta, scene))


def test_siblings_of_one_claim_cannot_both_become_firm_where_they_overlap(scene: Cast, open_as: OpenAs) -> None:
    """C4: re-keying overlapping rows to different appointments is refused."""
    claim_id = new_id()
    with open_as(scene.sam) as session:
        claim_time(session, scene.sam.id, claim_id, [_taken(0), _taken(20)], None)
        session.commit()
    refused = pytest.raises(IntegrityError, match="ex_claim")
    with open_as(scene.sam) as session, refused, opened(session, scene.sam.id):
        session.execute(text("UPDATE claim SET claim_id = id"))


def test_loading_a_calendar_takes_one_statement(scene: Cast, open_as: OpenAs, engine: Engine) -> None:
    """C2: opening aside, one statement reads rules, exceptions, time off and claims."""
    with open_as(scene.alpha) as session, opened(session, scene.sam.id):
        calendar = load(session, scene.sam.id, "Europe/Berlin", START, START + dt.timedelta(days=30))
    assert len(calendar.rules) == 5
    assert calendar.rules[0].starts == 540


def test_nine_stays_nine_across_daylight_saving_through_the_service(
    scene: Cast, open_as: OpenAs, set_time: SetTime
) -> None:
    """C1: Friday before and Monday after Berlin's change of 28 March 2027."""
    set_time(dt.datetime(2027, 3, 25, tzinfo=dt.UTC))
    with open_as(scene.alpha) as session:
        offer = offer_on(session, scene.alpha, scene)
        assert slots_on(session, offer, dt.datetime(2027, 3, 26, tzinfo=dt.UTC))[0] == "08:00"
        assert slots_on(session, offer, dt.datetime(2027, 3, 29, tzinfo=dt.UTC))[0] == "07:00"
