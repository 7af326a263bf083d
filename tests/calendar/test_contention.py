"""Sixty people and one slot: one wins, the others hear that it is taken, and nobody deadlocks (C4).

The counter-proofs write as one would without the lock, or without the constraint, and show what those are for.
"""

import datetime as dt
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, ExceptionContext, create_engine, event, insert, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from polyclinic.calendar.models import Claim
from polyclinic.calendar.opening import locked, opened
from polyclinic.calendar.services import Taken, claim_slot, claim_time, get_offer
from polyclinic.config import Settings as Configuration
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.scope import Scope, bind_roles, open_session
from polyclinic.kernel.transactions import sqlstate, transactional
from polyclinic.tenancy.settings import Settings
from support.calendars import START
from support.cast import Cast, PortalCast

CLIENTS = 60
TEN = dt.datetime(2027, 3, 2, 9, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
Attempt = Callable[[int], str]


@pytest.fixture
def crowd(settings: Configuration) -> Iterator[Engine]:
    """An engine with a connection for everybody in the crowd."""
    engine = create_engine(settings.database_url, pool_size=CLIENTS + 2, max_overflow=0)
    yield bind_roles(engine, settings.role_prefix)
    engine.dispose()


@pytest.fixture
def refusals(crowd: Engine) -> Counter[str]:
    """What the database refused, by its five-letter codes, retried or not."""
    codes: Counter[str] = Counter()

    @event.listens_for(crowd, "handle_error")
    def _count(context: ExceptionContext) -> None:
        codes[getattr(context.original_exception, "sqlstate", None) or ""] += 1

    return codes


def rush(attempt: Attempt, clients: int = CLIENTS) -> tuple[Counter[str], float]:
    """Let everybody try at the same moment; return what they heard and how long the slowest waited."""
    barrier = threading.Barrier(clients)
    waits: list[float] = []

    def one(number: int) -> str:
        barrier.wait()
        began = time.monotonic()
        heard = attempt(number)
        waits.append(time.monotonic() - began)
        return heard

    with ThreadPoolExecutor(clients) as pool:
        heard = Counter(pool.map(one, range(clients)))
    return heard, max(waits)


@transactional
def book(session: Session, portal: PortalCast, cast: Cast, start: dt.datetime) -> None:
    offer = get_offer(session, portal.id, Settings({}), cast.sam.id, portal.service)
    claim_slot(session, offer, start, new_id(), None)


def booking(engine: Engine, cast: Cast) -> Attempt:
    """Return an attempt to book ten o'clock, as a visitor of Alpha or Beta in turn."""

    def attempt(number: int) -> str:
        portal = (cast.alpha, cast.beta)[number % 2]
        with open_session(engine, Scope("visitor", portal=portal.id)) as session:
            try:
                book(session, portal, cast, TEN)
            except Conflict as refusal:
                return refusal.code
            return "booked"

    return attempt


def claims(owner: Engine) -> int:
    with owner.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM claim")).scalar_one())


def overlaps(owner: Engine) -> int:
    pairs = (
        "SELECT count(*) FROM claim a JOIN claim b ON a.id < b.id AND a.specialist_id = b.specialist_id"
        " AND a.claim_id <> b.claim_id AND a.during && b.during"
    )
    with owner.connect() as connection:
        return int(connection.execute(text(pairs)).scalar_one())


def test_of_sixty_at_one_slot_exactly_one_wins(
    scene: Cast, crowd: Engine, owner: Engine, refusals: Counter[str]
) -> None:
    """C4: all at once, over two portals; under the lock the constraint has nothing left to refuse."""
    heard, _ = rush(booking(crowd, scene))
    assert heard == {"booked": 1, "time-taken": CLIENTS - 1}
    assert claims(owner) == 1
    assert refusals == {}


def test_a_dead_hold_in_the_way_changes_nothing(scene: Cast, crowd: Engine, owner: Engine) -> None:
    """C4, C5: the winner removes it, and only once."""
    with owner.begin() as connection:
        span = Range(TEN - 30 * MINUTE, TEN + 30 * MINUTE)
        row = {"specialist_id": scene.sam.id, "claim_id": new_id(), "during": span, "core": span}
        connection.execute(insert(Claim), [row | {"expires_at": START - MINUTE}])
    heard, _ = rush(booking(crowd, scene))
    assert heard == {"booked": 1, "time-taken": CLIENTS - 1}
    with owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM outbox WHERE kind = 'claims.expired'")).scalar_one() == 1


def test_when_the_holder_rolls_back_one_of_the_others_wins(
    scene: Cast, crowd: Engine, owner: Engine, refusals: Counter[str]
) -> None:
    """C4: everybody waits for the holder, nobody deadlocks, and one gets the time."""
    holding = threading.Event()

    def hold_and_give_up() -> None:
        with open_session(crowd, Scope("visitor", portal=scene.alpha.id)) as session:
            offer = get_offer(session, scene.alpha.id, Settings({}), scene.sam.id, scene.alpha.service)
            claim_slot(session, offer, TEN, new_id(), None)
            holding.set()
            time.sleep(0.5)
            session.rollback()

    holder = threading.Thread(target=hold_and_give_up)
    holder.start()
    assert holding.wait(10)
    heard, slowest = rush(booking(crowd, scene))
    holder.join()
    assert heard == {"booked": 1, "time-taken": CLIENTS - 1}
    assert claims(owner) == 1
    assert refusals == {}
    assert slowest < 10


def test_three_options_at_a_time_in_any_order_never_deadlock(
    scene: Cast, crowd: Engine, owner: Engine, refusals: Counter[str]
) -> None:
    """C4, B3: proposals of three options that cross each other: one wins, the database never breaks a deadlock."""

    def propose(number: int) -> str:
        places = [(0, 60, 120), (120, 0, 60), (60, 120, 0)][number % 3]
        times = [_taken(minutes) for minutes in places]
        with open_session(crowd, Scope("specialist", specialist=scene.sam.id)) as session:
            try:
                claim_time(session, _sam(scene), new_id(), times, START + 60 * MINUTE)
                session.commit()
            except Conflict as refusal:
                return refusal.code
            return "sent"

    heard, _ = rush(propose)
    assert heard == {"sent": 1, "time-taken": CLIENTS - 1}
    assert (claims(owner), overlaps(owner)) == (3, 0)
    assert refusals == {"23P01": CLIENTS - 1}


def _sam(cast: Cast) -> uuid.UUID:
    assert cast.sam.id is not None
    return cast.sam.id


def _taken(minutes: int) -> Taken:
    span = Range(TEN + minutes * MINUTE, TEN + (minutes + 50) * MINUTE)
    return Taken(span, span)


def _row(cast: Cast, minutes: int = 0) -> dict[str, object]:
    span = _taken(minutes).core
    return {"specialist_id": cast.sam.id, "claim_id": new_id(), "during": span, "core": span}


def test_without_the_lock_the_same_crowd_deadlocks(scene: Cast, crowd: Engine, owner: Engine) -> None:
    """C4, the counter-proof: the constraint alone never books twice, but PostgreSQL has to break deadlocks.

    Two writers take two times in opposite order, each waiting between them for the other.
    """
    meet = threading.Barrier(2)

    def careless(number: int) -> str:
        with open_session(crowd, Scope("specialist", specialist=scene.sam.id)) as session:
            try:
                with opened(session, _sam(scene)):
                    session.execute(text("SELECT set_config('lock_timeout', '0', true)"))
                    first, second = ((0, 60), (60, 0))[number]
                    session.execute(insert(Claim), [_row(scene, first)])
                    meet.wait(10)
                    session.execute(insert(Claim), [_row(scene, second)])
                session.commit()
            except DBAPIError as error:
                return sqlstate(error)
            return "booked"

    heard, _ = rush(careless, clients=2)
    assert heard["40P01"] == 1
    assert overlaps(owner) == 0


@pytest.fixture
def without_constraint(owner: Engine) -> Iterator[None]:
    """Drop the exclusion constraint for one test."""
    with owner.begin() as connection:
        definition = connection.execute(
            text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'ex_claim_during'")
        ).scalar_one()
        connection.execute(text("ALTER TABLE claim DROP CONSTRAINT ex_claim_during"))
    yield
    with owner.begin() as connection:
        connection.execute(text("TRUNCATE claim"))
        connection.execute(text(f"ALTER TABLE claim ADD CONSTRAINT ex_claim_during {definition}"))


def test_without_lock_and_constraint_the_crowd_books_twice(
    scene: Cast, crowd: Engine, owner: Engine, without_constraint: None
) -> None:
    """C4, the counter-proof: the race is real; looking before writing is not enough."""
    meet = threading.Barrier(CLIENTS)

    def careless(number: int) -> str:
        with open_session(crowd, Scope("specialist", specialist=scene.sam.id)) as session, opened(session, _sam(scene)):
            taken = session.execute(text("SELECT count(*) FROM claim")).scalar_one()
            meet.wait(30)
            if not taken:
                session.execute(insert(Claim), [_row(scene)])
                session.commit()
            return "taken" if taken else "booked"

    heard, _ = rush(careless)
    assert heard["booked"] > 1
    assert overlaps(owner) > 0


def test_the_lock_alone_would_do_where_everybody_keeps_it(
    scene: Cast, crowd: Engine, owner: Engine, without_constraint: None
) -> None:
    """C4: with the constraint gone, the lock and the slot check still let one win."""
    heard, _ = rush(booking(crowd, scene))
    assert heard == {"booked": 1, "time-taken": CLIENTS - 1}


def test_a_writer_who_is_kept_waiting_too_long_gives_up(scene: Cast, crowd: Engine) -> None:
    """C4: lock_timeout ends the wait with 55P03, which use cases retry and then answer 503."""
    with open_session(crowd, Scope("specialist", specialist=scene.sam.id)) as session, locked(session, _sam(scene)):
        with (
            open_session(crowd, Scope("visitor", portal=scene.alpha.id)) as other,
            pytest.raises(DBAPIError) as error,
            locked(other, _sam(scene)),
        ):
            raise AssertionError("two writers at once")
        assert sqlstate(error.value) == "55P03"
