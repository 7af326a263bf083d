"""Sixty clients at one slot: all at once, behind a holder who commits or rolls back, and with three options each."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from benchmarks.ground import Ground, fill, portal_id, service_id, specialist_id
from benchmarks.measuring import Row
from polyclinic.calendar.services import Offer, Taken, claim_slot, claim_time, get_offer, offer_slots
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.kernel.transactions import sqlstate
from polyclinic.tenancy.settings import Settings

CLIENTS, PORTALS, ROUNDS = 60, 3, 100
HOLDS_FOR = 0.2
"""Seconds that the holder keeps everybody waiting."""
Book = Callable[[Session, Offer, dt.datetime], None]


def rows(ground: Ground) -> Iterator[Row]:
    """Measure each scenario ``ROUNDS`` times; a round is a slot of its own, freed afterwards."""
    with ground.owner.begin() as connection:
        fill(connection, portals=PORTALS, specialists=1, claims=0, listed_on=PORTALS)
    scenarios: dict[str, tuple[Book, bool | None]] = {
        "all at once": (_slot, None),
        "holder commits": (_slot, True),
        "holder rolls back": (_slot, False),
        "three options": (_options, None),
    }
    for name, (book, holder) in scenarios.items():
        heard: Counter[str] = Counter()
        worst, wrong = 0.0, 0
        for _ in range(ROUNDS):
            answers, waited = _round(ground.login, book, holder)
            wrong += answers["won"] != (0 if holder else 1)
            worst = max(worst, waited)
            heard += answers
            with ground.owner.begin() as connection:
                connection.execute(text("TRUNCATE claim"))
        held = 0.0 if holder is None else HOLDS_FOR
        kept = not wrong and not heard["40P01"] and worst <= held + 0.3
        note = f"{ROUNDS} rounds, {wrong} without exactly one winner, {heard['40P01']} deadlocks"
        yield Row(f"60 clients, one slot: {name}", "holder", worst, held, "s", "≤ holder + 0.3 s", kept, note)


def _slot(session: Session, offer: Offer, start: dt.datetime) -> None:
    claim_slot(session, offer, start, new_id(), None)


def _options(session: Session, offer: Offer, start: dt.datetime) -> None:
    hour = dt.timedelta(hours=1)
    times = [Taken(Range(at, at + hour), Range(at, at + hour)) for at in (start + 2 * hour, start, start + hour)]
    claim_time(session, offer.specialist_id, new_id(), times, None)


def _offer(session: Session, number: int) -> Offer:
    portal = number % PORTALS
    return get_offer(session, portal_id(portal), Settings({}), specialist_id(0), service_id(portal))


def _round(engine: Engine, book: Book, holder: bool | None) -> tuple[Counter[str], float]:
    """Let everybody try the next free slot; return what they heard and the longest wait."""
    with open_session(engine, Scope("visitor", portal=portal_id(0))) as session:
        moment = now(session)
        start = offer_slots(session, _offer(session, 0), moment, moment + dt.timedelta(days=7))[0].start
    ready, gate, waits = threading.Barrier(CLIENTS), threading.Event(), []

    def client(number: int) -> str:
        with open_session(engine, Scope("visitor", portal=portal_id(number % PORTALS))) as session:
            offer = _offer(session, number)
            ready.wait()
            gate.wait()
            began = time.monotonic()
            try:
                book(session, offer, start)
                session.commit()
                return "won"
            except Conflict as refusal:
                return refusal.code
            except DBAPIError as error:
                return sqlstate(error)
            finally:
                waits.append(time.monotonic() - began)

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [pool.submit(client, number) for number in range(CLIENTS)]
        if holder is None:
            gate.set()
        else:
            _hold(engine, book, start, gate, commit=holder)
        return Counter(answer.result() for answer in answers), max(waits)


def _hold(engine: Engine, book: Book, start: dt.datetime, gate: threading.Event, *, commit: bool) -> None:
    with open_session(engine, Scope("visitor", portal=portal_id(0))) as session:
        book(session, _offer(session, 0), start)
        gate.set()
        time.sleep(HOLDS_FOR)
        if commit:
            session.commit()
        else:
            session.rollback()
