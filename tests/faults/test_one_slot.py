"""R1: sixty people on three portals want one time of one specialist, over HTTP (C4, C5).

The counter-proofs run the same requests against a scratch database that lacks what holds the line: there the tests'
expectation does not come true.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from polyclinic.calendar.services import claim_slot, get_offer
from polyclinic.config import Settings as Configuration
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.tenancy.settings import Settings
from support.bookings import TEN
from support.calendars import START
from support.cast import PASSWORD, Cast, PortalCast, add_listing, make_cast
from support.live import Live, Person, refused_by_database, serving

pytestmark = pytest.mark.slow

CLIENTS = 60
MINUTE = dt.timedelta(minutes=1)

#: The lock of a calendar, shadowed by functions that do not lock but let everybody see the time free.
WITHOUT_LOCK = (
    "CREATE SCHEMA shadow",
    "GRANT USAGE ON SCHEMA shadow TO PUBLIC",
    "CREATE FUNCTION shadow.pg_advisory_xact_lock(bigint) RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(0.05)'",
    "CREATE FUNCTION shadow.pg_try_advisory_xact_lock(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
)
WITHOUT_CONSTRAINT = ("ALTER TABLE claim DROP CONSTRAINT ex_claim_during",)
WITHOUT_PURGE = (
    "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TRIGGER keep BEFORE DELETE ON claim FOR EACH ROW EXECUTE FUNCTION keep()",
)


#: How often the counter-proof is tried before it counts as failed.
RUSHES = 6


@dataclass
class Contest:
    """A running network with Sam listed on all three portals."""

    live: Live
    cast: Cast
    owner: Engine
    listings: dict[str, uuid.UUID]

    def wish(self, portal: PortalCast, starts_at: dt.datetime = TEN) -> dict[str, str]:
        """The body that asks for a time with Sam on a portal."""
        return {
            "specialist_id": str(self.listings[portal.slug]),
            "service_id": str(portal.service),
            "starts_at": starts_at.isoformat(),
        }

    def clients(self) -> list[tuple[PortalCast, Person]]:
        """Everybody with a page of their portal open: two patients of each portal signed in, the others guests."""
        found = []
        for number in range(CLIENTS):
            portal = self.cast.portals[number % 3]
            found.append((portal, self.live.person(portal.host, f"127.0.0.{10 + number}")))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda one: one[1][1].get("/sign-in"), enumerate(found)))
        for portal, patient in [(p, who) for p in self.cast.portals for who in (p.patient, p.other_patient)]:
            person = next(person for place, person in found if place is portal and not getattr(person, "name", None))
            person.name = patient.name
            answer = person.post("/sign-in", {"email": patient.email, "password": PASSWORD}, allow_redirects=False)
            assert answer.status_code == 303
            person.get("/account")
        return found

    def rush(self, meanwhile: Callable[[], None] = lambda: None) -> Counter[int]:
        """Let all of them press at the same moment; ``meanwhile`` runs at that moment too. Returns the answers."""
        clients = self.clients()
        gate = threading.Barrier(CLIENTS + 1)

        def press(one: tuple[PortalCast, Person]) -> int:
            portal, person = one
            gate.wait()
            answer = person.send("POST", "/api/v1/holds", self.wish(portal))
            person.leave()
            return answer.status_code

        with ThreadPoolExecutor(CLIENTS) as pool:
            heard = [pool.submit(press, one) for one in clients]
            gate.wait()
            meanwhile()
            return Counter(one.result() for one in heard)

    def count(self, query: str) -> int:
        """A number from outside every policy."""
        with self.owner.connect() as connection:
            return int(connection.execute(text(query)).scalar_one())

    def set_time(self, moment: dt.datetime) -> None:
        """Make it a certain time for the application."""
        with self.owner.begin() as connection:
            connection.execute(
                text('UPDATE app_clock SET "offset" = :moment - statement_timestamp()'), {"moment": moment}
            )

    def clear(self) -> None:
        """Forget every hold and every guest's place in the limits, for another rush at the same slot."""
        with self.owner.begin() as connection:
            connection.execute(text("TRUNCATE claim, hold CASCADE"))

    @property
    def overlaps(self) -> int:
        """Pairs of live claims of one specialist at one time."""
        return self.count(
            "SELECT count(*) FROM claim a JOIN claim b ON a.id < b.id AND a.specialist_id = b.specialist_id"
            " AND a.claim_id <> b.claim_id AND a.during && b.during"
        )


def contest_of(live: Live, cast: Cast, owner: Engine) -> Contest:
    """List Sam on Gamma too, on the Monday morning of the calendar tests."""
    listings = {portal.slug: cast.listings.get((portal.slug, "sam")) for portal in cast.portals}
    listings["gamma"] = add_listing(owner, cast.gamma, cast.sam)
    found = Contest(live, cast, owner, {slug: listing for slug, listing in listings.items() if listing})
    found.set_time(START)
    return found


@pytest.fixture
def contest(live: Live, live_cast: Cast, owner: Engine) -> Contest:
    return contest_of(live, live_cast, owner)


@pytest.fixture
def lacking(servers: Any, settings: Configuration) -> Iterator[Callable[..., Any]]:
    """Return a context manager: a running network on a scratch database changed by statements."""

    @contextmanager
    def scratch(*statements: str) -> Iterator[Contest]:
        name = f"scratch_{uuid.uuid4().hex[:8]}"
        admin = create_engine(servers.of("postgres").superuser_url, isolation_level="AUTOCOMMIT")
        ground = servers.of(name)
        owner = create_engine(ground.superuser_url)
        with admin.connect() as connection:
            with (servers.home / "template.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template OWNER polyclinic_owner'))
            connection.execute(text(f'ALTER DATABASE "{name}" SET search_path = shadow, pg_catalog, public'))
        try:
            with owner.begin() as connection:
                for statement in statements:
                    connection.execute(text(statement))
            cast = make_cast(owner)
            with serving(replace(settings, database_url=ground.login_url), "scratch") as live:
                yield contest_of(live, cast, owner)
        finally:
            owner.dispose()
            with admin.connect() as connection:
                connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
            admin.dispose()

    yield scratch


def test_of_sixty_on_three_portals_exactly_one_wins(contest: Contest, servers: Any, settings: Configuration) -> None:
    """C4: one 201, 59 times 409, nothing else, and the database had no deadlock to break."""
    before = refused_by_database(servers, settings, "40P01")
    assert contest.rush() == {201: 1, 409: CLIENTS - 1}
    assert contest.count("SELECT count(*) FROM claim") == 1
    assert contest.count("SELECT count(*) FROM hold") == 1
    assert refused_by_database(servers, settings, "40P01") == before
    assert "Traceback" not in contest.live.said()


def test_when_the_holder_rolls_back_exactly_one_of_the_others_wins(
    contest: Contest, engine: Engine, servers: Any, settings: Configuration
) -> None:
    """C4: sixty wait behind a transaction that comes to nothing; one gets the time, nobody deadlocks."""
    before = refused_by_database(servers, settings, "40P01")
    cast = contest.cast
    with open_session(engine, Scope("visitor", portal=cast.alpha.id)) as session:
        offer = get_offer(session, cast.alpha.id, Settings({}), cast.sam.id, cast.alpha.service)
        claim_slot(session, offer, TEN, new_id(), None)

        def give_up() -> None:
            time.sleep(0.5)
            session.rollback()

        heard = contest.rush(give_up)
    assert heard == {201: 1, 409: CLIENTS - 1}
    assert contest.count("SELECT count(*) FROM claim") == 1
    assert refused_by_database(servers, settings, "40P01") == before


def test_a_time_given_back_during_the_rush_goes_to_one_at_most(contest: Contest) -> None:
    """C4: whoever comes after the release has it; nobody has it twice."""
    holder = contest.live.person(contest.cast.beta.host, "127.0.0.9")
    holder.get("/sign-in")
    held = holder.send("POST", "/api/v1/holds", contest.wish(contest.cast.beta))
    assert held.status_code == 201
    released: list[int] = []

    def give_back() -> None:
        released.append(holder.send("DELETE", f"/api/v1/holds/{held.json()['id']}").status_code)

    heard = contest.rush(give_back)
    assert released == [204]
    assert set(heard) <= {201, 409}
    assert heard[201] <= 1
    assert contest.count("SELECT count(*) FROM claim") == heard[201]


def test_without_lock_and_constraint_the_same_rush_books_twice(lacking: Callable[..., Any]) -> None:
    """R1, the counter-proof: without what holds the line, these sixty requests double-book."""
    with lacking(*WITHOUT_LOCK, *WITHOUT_CONSTRAINT) as contest:
        for _round in range(RUSHES):  # whether two of them meet is chance; that they never do would be proof
            heard = contest.rush()
            if heard[201] > 1:
                break
            contest.clear()
        assert heard[201] > 1
        assert contest.overlaps > 0


def test_a_dead_hold_of_another_portal_is_in_nobodys_way(contest: Contest) -> None:
    """C5: booked on Alpha over Beta's expired hold, which nobody has swept."""
    assert book_over_a_dead_hold(contest) == 201
    assert contest.count("SELECT count(*) FROM claim") == 1


def test_without_the_purge_a_dead_hold_stays_in_the_way(lacking: Callable[..., Any]) -> None:
    """C5, the counter-proof: where dead holds cannot be removed, the same booking fails."""
    with lacking("CREATE SCHEMA shadow", *WITHOUT_PURGE) as contest:
        assert book_over_a_dead_hold(contest) == 409


def book_over_a_dead_hold(contest: Contest) -> int:
    """Hold on Beta, let it expire, hold the same time on Alpha; returns what Alpha answers."""
    first, second = (contest.live.person(portal.host) for portal in (contest.cast.beta, contest.cast.alpha))
    for person in (first, second):
        person.get("/sign-in")
    assert first.send("POST", "/api/v1/holds", contest.wish(contest.cast.beta)).status_code == 201
    assert second.send("POST", "/api/v1/holds", contest.wish(contest.cast.alpha)).status_code == 409
    contest.set_time(START + 11 * MINUTE)
    return second.send("POST", "/api/v1/holds", contest.wish(contest.cast.alpha)).status_code


def test_an_expired_hold_is_expired_everywhere_though_nobody_swept(contest: Contest) -> None:
    """C5: no worker and no scheduler runs; page, API, directory and the Specialist Portal know by themselves."""
    alpha, sam = contest.cast.alpha, contest.cast.sam
    nine = TEN - 60 * MINUTE  # the first slot there is
    guest = contest.live.person(alpha.host)
    specialist = contest.live.person(contest.cast.specialists_host)
    for person in (guest, specialist):
        person.get("/sign-in")
    specialist.post("/sign-in", {"email": sam.email, "password": PASSWORD}, allow_redirects=False)

    def seen() -> dict[str, Any]:
        window = {"service": str(alpha.service), "from": "2027-03-02", "to": "2027-03-03"}
        slots = guest.get(f"/api/v1/specialists/{contest.listings['alpha']}/slots", params=window).json()["items"]
        listed = guest.get("/api/v1/specialists", params={"q": "Sam"}).json()["items"]
        events = specialist.get("/calendar/events?from=2027-03-01&to=2027-03-07").json()["events"]
        return {
            "API": guest.get(f"/api/v1/holds/{hold['id']}").json()["status"],
            "page": guest.get(f"/book/{hold['id']}").status_code,
            "slot": any(dt.datetime.fromisoformat(one["start"]) == nine for one in slots),
            "directory": dt.datetime.fromisoformat(listed[0]["next_free"]) == nine,
            "calendar": sum(event["kind"] == "hold" for event in events),
            "dashboard": specialist.get("/dashboard").status_code,
        }

    hold = guest.send("POST", "/api/v1/holds", contest.wish(alpha, nine)).json()
    held = {"API": "live", "page": 200, "slot": False, "directory": False, "calendar": 1, "dashboard": 200}
    assert seen() == held
    contest.set_time(START + 11 * MINUTE)
    expired = {"API": "expired", "page": 410, "slot": True, "directory": True, "calendar": 0, "dashboard": 200}
    assert seen() == expired
    assert contest.count("SELECT count(*) FROM claim") == 1, "somebody swept, and this test showed nothing"
