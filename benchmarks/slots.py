"""Slots of one specialist over 30 days with 200 visits, against one SQL statement that computes the same slots."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from benchmarks.ground import Ground, fill, portal_id, service_id, specialist_id
from benchmarks.measuring import Row, at_most, interleaved
from polyclinic.calendar.opening import opened
from polyclinic.calendar.services import Offer, get_offer, offer_slots
from polyclinic.kernel.clock import now
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.tenancy.settings import Settings

DAYS = 30
# The specialists of the network work in UTC, so that plain SQL, which may not know zones, has the same answer.
ONE_STATEMENT = text(
    """
    WITH available AS (
        SELECT range_agg(tstzrange(day + starts, day + ends)) AS spans
          FROM generate_series(date_trunc('day', CAST(:low AS timestamptz)), :high, interval '1 day') AS day
          JOIN availability_rule ON weekday = extract(isodow FROM day) - 1 AND specialist_id = :specialist
    ), busy AS (
        SELECT coalesce(range_agg(during), '{}') AS spans FROM claim
         WHERE specialist_id = :specialist AND ends_at > :low AND lower(during) < :high
           AND (expires_at IS NULL OR expires_at > (SELECT app_now()))
    ), off AS (
        SELECT coalesce(range_agg(tstzrange(starts_at, ends_at)), '{}') AS spans FROM time_off
         WHERE specialist_id = :specialist AND ends_at > :low AND starts_at < :high
    )
    SELECT start FROM available, busy, off, unnest(available.spans) AS open,
           generate_series(lower(open), upper(open) - interval '50 min', interval '30 min') AS start
     WHERE start >= :low AND start < :high
       AND NOT busy.spans && tstzrange(start, start + interval '60 min')
       AND NOT off.spans && tstzrange(start, start + interval '60 min')
     ORDER BY start
    """
)


def rows(ground: Ground) -> Iterator[Row]:
    """Measure with a hundred specialists in the network."""
    with ground.owner.begin() as connection:
        fill(connection, portals=1, specialists=100, claims=200)
    product, statement, count = measure(ground.login, 0, 7)
    note = f"{count} slots"
    yield at_most("slots of one specialist, 30 days", "one SQL multirange statement", product, statement, 3, note)


def measure(engine: Engine, portal: int, specialist: int) -> tuple[float, float, int]:
    """Return the product's time, the statement's, and how many slots both found; they must agree."""
    with open_session(engine, Scope("visitor", portal=portal_id(portal))) as session:
        offer = get_offer(session, portal_id(portal), Settings({}), specialist_id(specialist), service_id(portal))
        low = now(session) + offer.terms.notice + dt.timedelta(minutes=1)
        window = low, low + dt.timedelta(days=DAYS)
        found = [slot.start for slot in offer_slots(session, offer, *window)]
        with opened(session, offer.specialist_id):
            expected = _by_statement(session, offer, *window)
            if found != expected:
                raise AssertionError(f"{len(found)} slots against {len(expected)}: not the same question")
            (statement,) = interleaved(lambda: _by_statement(session, offer, *window))
        (product,) = interleaved(lambda: offer_slots(session, offer, *window))
    return product, statement, len(found)


def _by_statement(session: Session, offer: Offer, low: dt.datetime, high: dt.datetime) -> list[dt.datetime]:
    parameters = {"specialist": offer.specialist_id, "low": low, "high": high}
    return list(session.scalars(ONE_STATEMENT, parameters))
