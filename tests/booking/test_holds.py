"""Keeping a time while filling in a form: limits, expiry on read, adoption on sign-in, races (B2, C4, C5)."""

import datetime as dt
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, create_engine

from polyclinic.booking.holds import (
    adopt_holds,
    current_hold,
    find_details,
    get_hold,
    hold_slot,
    release_hold,
    save_details,
    status_of,
)
from polyclinic.booking.rules import Details
from polyclinic.config import Settings as Configuration
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict, Gone, NotFound, Refusal, TooMany
from polyclinic.kernel.scope import bind_roles, open_session
from support.bookings import HOUR, TEN, Desk, in_browser
from support.calendars import START, OpenAs, SetTime
from support.cast import Cast

MINUTE = dt.timedelta(minutes=1)
CROWD = 60


def live(desk: Desk) -> list[str]:
    """Who has an open hold."""
    rows = desk.rows(
        "SELECT coalesce(guest, patient_id::text) AS who FROM hold WHERE state = 'open' ORDER BY created_at"
    )
    return [row.who for row in rows]


def test_a_hold_keeps_time_price_and_zone(desk: Desk, scene: Cast) -> None:
    """B2: ten minutes by default; the price is the one that was shown."""
    hold = desk.hold(scene.alpha.patient, scene.ada)
    assert (hold.price_minor, hold.currency, hold.zone) == (8000, "EUR", "Europe/London")
    assert hold.ends_at - hold.starts_at == 50 * MINUTE
    assert abs(hold.expires_at - (START + 10 * MINUTE)) < MINUTE
    with pytest.raises(Conflict) as refusal:
        desk.hold(scene.alpha.other_patient, scene.ada)
    assert refusal.value.code == "time-taken"
    assert refusal.value.extra["next"][0] == "2027-03-02T10:00:00+00:00"


def test_the_same_time_again_is_the_same_hold(desk: Desk, scene: Cast) -> None:
    """B2: a second press, a reload, a second tab."""
    assert desk.hold(scene.alpha.patient, scene.ada).id == desk.hold(scene.alpha.patient, scene.ada).id


def test_a_patient_has_one_live_hold_on_a_portal(desk: Desk, scene: Cast) -> None:
    """B2: the last choice counts, and the former time is free at once."""
    first = desk.hold(scene.alpha.patient, scene.ada)
    second = desk.hold(scene.alpha.patient, scene.sam, TEN + HOUR)
    assert [row.state for row in desk.rows("SELECT state FROM hold ORDER BY created_at")] == ["released", "open"]
    assert desk.hold(scene.alpha.other_patient, scene.ada).starts_at == first.starts_at
    with open_session(desk.engine, scene.alpha.patient.scope()) as session:
        held = current_hold(session, scene.alpha.patient, desk.portal(scene.alpha))
        assert held
        assert held.id == second.id


def test_a_time_that_is_refused_leaves_the_former_hold(desk: Desk, scene: Cast) -> None:
    """B2: nothing is lost by trying."""
    desk.hold(scene.alpha.other_patient, scene.ada)
    first = desk.hold(scene.alpha.patient, scene.sam)
    with pytest.raises(Conflict):
        desk.hold(scene.alpha.patient, scene.ada)
    assert desk.rows("SELECT state FROM hold WHERE id = :id", id=first.id)[0].state == "open"
    assert len(desk.rows("SELECT 1 FROM claim")) == 2


def test_the_same_person_may_hold_on_two_portals(desk: Desk, scene: Cast) -> None:
    """P3: two patients who do not know of each other."""
    desk.hold(scene.alpha.patient, scene.sam)
    desk.hold(scene.beta.patient, scene.ben)
    assert len(live(desk)) == 2


def test_a_guest_has_one_hold_per_cookie_and_three_per_address(desk: Desk, scene: Cast) -> None:
    """B2: the fourth browser behind one address waits; a patient is not counted."""
    for number in range(3):
        desk.hold(desk.guest(scene.alpha, f"browser {number}", "one address"), scene.ada, TEN + number * HOUR)
    with pytest.raises(TooMany) as refusal:
        desk.hold(desk.guest(scene.alpha, "browser 3", "one address"), scene.ada, TEN + 3 * HOUR)
    assert refusal.value.retry_after > 0
    desk.hold(desk.guest(scene.alpha, "browser 0", "one address"), scene.sam, TEN + 3 * HOUR)
    desk.hold(desk.guest(scene.alpha, "browser 4", "another address"), scene.sam, TEN)
    desk.hold(scene.alpha.patient, scene.sam, TEN + HOUR)
    assert len(live(desk)) == 5


def test_dead_holds_count_for_nobody(desk: Desk, scene: Cast, set_time: SetTime) -> None:
    """C5: limits, the page and the next taker see an unswept dead hold as dead."""
    first = desk.hold(desk.guest(scene.alpha, "a", "one"), scene.ada)
    for number in (1, 2):
        desk.hold(desk.guest(scene.alpha, f"b{number}", "one"), scene.ada, TEN + number * HOUR)
    set_time(START + 11 * MINUTE)
    guest = desk.guest(scene.alpha, "a", "one")
    with open_session(desk.engine, guest.scope()) as session:
        portal = desk.portal(scene.alpha)
        assert current_hold(session, guest, portal) is None
        assert status_of(get_hold(session, guest, portal, first.id), now(session)) == "expired"
    assert len(desk.rows("SELECT 1 FROM claim")) == 3, "nothing has swept them"
    desk.hold(desk.guest(scene.alpha, "d", "one"), scene.ada)


def test_a_books_over_bs_dead_unswept_hold(desk: Desk, scene: Cast, set_time: SetTime) -> None:
    """C5: on another portal, in the same transaction; the job is told which holds died."""
    dead = desk.hold(scene.beta.patient, scene.sam)
    set_time(START + 11 * MINUTE)
    appointment = desk.book(scene.alpha.patient, scene.sam)
    assert appointment.state == "confirmed"
    (told,) = desk.rows("SELECT payload FROM outbox WHERE kind = 'claims.expired'")
    assert told.payload["claim_ids"] == [str(dead.id)]
    with pytest.raises(Gone) as refusal:
        desk.confirm(scene.beta.patient, dead.id)
    assert refusal.value.code == "hold-expired"
    assert refusal.value.extra["next"]


def test_giving_a_time_back_frees_it_at_once(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """B2: twice is once; nobody else can."""
    hold = desk.hold(scene.alpha.patient, scene.ada)
    nobody = Actor("visitor", portal_id=scene.alpha.id)
    for stranger in (scene.alpha.other_patient, desk.guest(scene.alpha), nobody):
        with open_as(stranger) as session, pytest.raises(NotFound):
            release_hold(session, stranger, desk.portal(scene.alpha), hold.id)
    for _ in range(2):
        with open_as(scene.alpha.patient) as session:
            release_hold(session, scene.alpha.patient, desk.portal(scene.alpha), hold.id)
    assert desk.rows("SELECT 1 FROM claim") == []
    desk.hold(scene.alpha.other_patient, scene.ada)


def test_a_guests_hold_passes_to_the_patient(desk: Desk, scene: Cast) -> None:
    """B2: on sign-in in the same browser; the patient's own hold gives way, the guest sees it no more."""
    patient = in_browser(scene.alpha.patient, "cookie")
    own = desk.hold(scene.alpha.patient, scene.sam)
    guests = desk.hold(desk.guest(scene.alpha, "cookie"), scene.ada)
    with desk.app.app_context(), open_session(desk.engine, patient.scope()) as session:
        adopted = adopt_holds(session, patient, desk.portal(scene.alpha))
        assert [one.id for one in adopted] == [guests.id]
        assert adopt_holds(session, patient, desk.portal(scene.alpha)) == []
    states = {row.id: row.state for row in desk.rows("SELECT id, state FROM hold")}
    assert states == {own.id: "released", guests.id: "open"}
    guest = desk.guest(scene.alpha, "cookie")
    with open_session(desk.engine, guest.scope()) as session, pytest.raises(NotFound):
        get_hold(session, guest, desk.portal(scene.alpha), guests.id)
    assert desk.confirm(scene.alpha.patient, guests.id).hold_id == guests.id


def test_another_browsers_hold_is_not_adopted(desk: Desk, scene: Cast) -> None:
    """B2, I2: the cookie decides, not the address and not the portal."""
    desk.hold(desk.guest(scene.alpha, "theirs", "one address"), scene.ada)
    desk.hold(desk.guest(scene.beta, "mine"), scene.ben)
    patient = in_browser(scene.alpha.patient, "mine")
    with desk.app.app_context(), open_session(desk.engine, patient.scope()) as session:
        assert adopt_holds(session, patient, desk.portal(scene.alpha)) == []


def test_an_established_patient_cannot_book_as_a_guest(desk: Desk, scene: Cast, set_time: SetTime) -> None:
    """B1: the guest's hold is let go on sign-in."""
    desk.book(scene.alpha.patient, scene.ada)
    hold = desk.hold(desk.guest(scene.alpha, "cookie"), scene.ada, TEN + HOUR)
    patient = in_browser(scene.alpha.patient, "cookie")
    with desk.app.app_context(), open_session(desk.engine, patient.scope()) as session:
        adopt_holds(session, patient, desk.portal(scene.alpha))
    assert desk.rows("SELECT state FROM hold WHERE id = :id", id=hold.id)[0].state == "released"
    assert len(desk.rows("SELECT 1 FROM claim")) == 1


def test_what_was_typed_outlives_the_hold(desk: Desk, scene: Cast, set_time: SetTime, open_as: OpenAs) -> None:
    """B2: an expired hold loses nothing; operators have no grant on it (I4)."""
    patient, portal = scene.alpha.patient, desk.portal(scene.alpha)
    hold = desk.hold(patient, scene.ada)
    typed = Details("Pat A.", "", "My knee")
    with open_as(patient) as session:
        save_details(session, patient, portal, hold.id, typed)
    set_time(START + 11 * MINUTE)
    desk.hold(patient, scene.ada, TEN + HOUR)
    with open_as(patient) as session:
        assert find_details(session, patient, portal) == typed
    with open_as(scene.alpha.other_patient) as session:
        assert find_details(session, scene.alpha.other_patient, portal) is None
    set_time(START + 25 * HOUR)
    with open_as(patient) as session:
        assert find_details(session, patient, portal) is None


def test_a_forged_time_listing_or_service_is_refused(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """B1, I2: a time that is no slot; another portal's listing or service is not found."""
    with pytest.raises(Conflict) as refusal:
        desk.hold(scene.alpha.patient, scene.ada, TEN + 7 * MINUTE)
    assert refusal.value.code == "time-not-offered"
    patient, portal = scene.alpha.patient, desk.portal(scene.alpha)
    ada, ben = scene.listing(scene.alpha, scene.ada), scene.listing(scene.beta, scene.ben)
    for listing, service in ((ben, scene.beta.service), (ada, scene.beta.service), (ben, scene.alpha.service)):
        with open_as(patient) as session, pytest.raises(NotFound):
            hold_slot(session, patient, portal, listing, service, TEN, "UTC")


@pytest.fixture
def crowd(settings: Configuration) -> Iterator[Engine]:
    """An engine with a connection for everybody in the crowd."""
    engine = create_engine(settings.database_url, pool_size=CROWD + 2, max_overflow=0)
    yield bind_roles(engine, settings.role_prefix)
    engine.dispose()


def test_of_sixty_guests_at_one_slot_exactly_one_wins(desk: Desk, scene: Cast, crowd: Engine) -> None:
    """C4: over two portals; the others hear that the time is taken, nothing else."""
    barrier = threading.Barrier(CROWD)
    crowded = Desk(desk.app, desk.cast, crowd, desk.owner)

    def one(number: int) -> str:
        portal = (scene.alpha, scene.beta)[number % 2]
        guest = desk.guest(portal, f"guest {number}")
        barrier.wait()
        try:
            crowded.hold(guest, scene.sam)
        except Refusal as refusal:
            return refusal.code
        return "held"

    with ThreadPoolExecutor(CROWD) as pool:
        heard = Counter(pool.map(one, range(CROWD)))
    assert heard == {"held": 1, "time-taken": CROWD - 1}


def test_people_who_change_their_minds_do_not_deadlock(desk: Desk, scene: Cast, crowd: Engine) -> None:
    """B2, C4: swaps between two calendars in both directions, thrice; everybody has at most one live hold."""
    crowded = Desk(desk.app, desk.cast, crowd, desk.owner)
    patients = [scene.alpha.patient, scene.alpha.other_patient]
    barrier = threading.Barrier(8)

    def one(number: int) -> Counter[str]:
        heard: Counter[str] = Counter()
        patient = patients[number % 2]
        barrier.wait()
        for turn in range(6):
            specialist = (scene.ada, scene.sam)[(number // 2 + turn) % 2]
            try:
                crowded.hold(patient, specialist, TEN + (number % 4) * HOUR)
                heard["held"] += 1
            except Conflict as refusal:
                heard[refusal.code] += 1
        return heard

    with ThreadPoolExecutor(8) as pool:
        heard = sum(pool.map(one, range(8)), Counter())
    assert set(heard) <= {"held", "time-taken"}
    assert Counter(live(desk)).most_common(1)[0][1] == 1
    assert len(desk.rows("SELECT 1 FROM claim")) == len(live(desk))


def test_nobody_else_sees_a_hold(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """I2: not another patient, browser or portal, nor somebody at the same address."""
    hold = desk.hold(desk.guest(scene.alpha, "mine", "one address"), scene.ada)
    strangers: list[Actor] = [
        desk.guest(scene.alpha, "other", "one address"),
        desk.guest(scene.beta, "mine"),
        scene.alpha.patient,
        Actor("visitor", portal_id=scene.alpha.id),
    ]
    for stranger in strangers:
        with open_as(stranger) as session, pytest.raises(NotFound):
            get_hold(session, stranger, desk.portal(stranger.portal_id), hold.id)
    with open_as(scene.alpha.patient) as session, pytest.raises(NotFound):
        get_hold(session, scene.alpha.patient, desk.portal(scene.alpha), uuid.uuid4())
