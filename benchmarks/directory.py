"""A directory of 1,000 listings sorted by next free time against the same sorted by name, and both at scale."""

from __future__ import annotations

import statistics
import uuid
from collections.abc import Iterator

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from benchmarks import slots
from benchmarks.ground import Ground, fill, portal_id
from benchmarks.measuring import Row, at_most, interleaved
from polyclinic.calendar.next_free import StoredNextFree, refresh_next_free, stale_specialists
from polyclinic.directory.models import PublishedProfile
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.tenancy.settings import Settings

BUILT_IN = Settings({})
LISTINGS, PAGE, TURNS = 1000, 20, 7


def rows(ground: Ground) -> Iterator[Row]:
    """Measure one portal of 1,000 listings."""
    with ground.owner.begin() as connection:
        fill(connection, portals=1, specialists=LISTINGS, claims=20)
    free, name = measure(ground.login, LISTINGS)
    yield at_most("directory by next free, 1,000 listings", "the same by name", free, name, 1.3)


def measure(engine: Engine, listings: int, number: int = 0) -> tuple[float, float]:
    """Return the times of a first page of a portal, sorted by next free time and by name."""
    portal = portal_id(number)
    with open_session(engine, Scope("visitor", portal=portal)) as session:
        if refresh_next_free(session, portal, BUILT_IN, listings) not in (0, listings):
            raise AssertionError(f"portal {number} does not have {listings} listings")
    with open_session(engine, Scope("visitor", portal=portal)) as session:
        free, name = interleaved(lambda: _page(session, portal), lambda: _page(session, portal, by_name=True))
    return free, name


def _page(session: Session, portal: uuid.UUID, *, by_name: bool = False) -> None:
    if stale_specialists(session, portal, BUILT_IN):
        raise AssertionError("the stored times went stale while they were measured")
    earliest = StoredNextFree().earliest(portal)
    order = [PublishedProfile.sort_name] if by_name else [earliest.c.next_free_at.nulls_last()]
    session.execute(
        select(PublishedProfile, earliest.c.next_free_at)
        .outerjoin(earliest, earliest.c.specialist_id == PublishedProfile.specialist_id)
        .where(PublishedProfile.portal_id == portal)
        .order_by(*order, PublishedProfile.specialist_id)
        .limit(PAGE)
    ).all()


def rows_at_scale(small: Ground, large: Ground) -> Iterator[Row]:
    """Measure the same at one portal and at 10,000 with a million claims; the measured ones have 20 listings each."""
    with small.owner.begin() as connection:
        fill(connection, portals=1, specialists=20, claims=200)
    with large.owner.begin() as connection:
        fill(connection, portals=10_000, specialists=5_000, claims=200, listed_on=20)
    # In turn, several times: two minutes later a busy machine is another machine.
    pairs = [(slots.measure(large.login, 7, 7)[0], slots.measure(small.login, 0, 7)[0]) for _ in range(TURNS)]
    many, one = (statistics.median(times) for times in zip(*pairs, strict=True))
    yield at_most("slots at 10,000 portals, 1,000,000 claims", "at one portal", many, one, 1.3)
    pairs = [(measure(large.login, 20, 300)[0], measure(small.login, 20)[0]) for _ in range(TURNS)]
    many, one = (statistics.median(times) for times in zip(*pairs, strict=True))
    yield at_most("directory at 10,000 portals, 1,000,000 claims", "at one portal", many, one, 1.3)
