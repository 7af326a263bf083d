"""Opening one specialist's calendar in a transaction, and reading it whole with one statement.

The rows of a calendar belong to no portal, so no scope shows them: they exist only while the calendar is open, which is
a setting of the transaction that this module alone makes (docs/architecture.md).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from polyclinic.calendar.rules import MINUTES_OF_DAY, Calendar, DayException, WeeklyRule
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.scope import scope_of

_OPEN = text("SELECT set_config('app.calendar', :specialist, true)")
_CLOSE = text("SELECT set_config('app.calendar', '', true)")
# The target list is evaluated from left to right: nobody waits for the lock longer than the time-out.
_OPEN_AND_LOCK = text(
    "SELECT set_config('app.calendar', :specialist, true), set_config('lock_timeout', '2s', true),"
    " pg_advisory_xact_lock(hashtextextended('calendar:' || :specialist, 0))"
)
_LOCK = text(
    "SELECT set_config('lock_timeout', '2s', true),"
    " pg_advisory_xact_lock(hashtextextended('calendar:' || :specialist, 0))"
)
_OPEN_AND_TRY = text(
    "SELECT pg_try_advisory_xact_lock(hashtextextended('calendar:' || :specialist, 0)),"
    " set_config('app.calendar', :specialist, true)"
)
# Both in one statement: whoever holds the lock keeps a crowd waiting. The deleted rows are left out by their expiry.
_PURGE = text(
    """
    WITH dead AS (
        DELETE FROM claim WHERE specialist_id = :specialist AND expires_at <= (SELECT app_now()) RETURNING claim_id
    )
    SELECT (SELECT array_agg(DISTINCT claim_id::text ORDER BY claim_id::text) FROM dead),
           EXISTS (SELECT FROM claim
                    WHERE specialist_id = :specialist AND ends_at > :low AND lower(during) < :high
                      AND (expires_at IS NULL OR expires_at > (SELECT app_now())))
    """
)
Span = Range[dt.datetime]
_NO_SPAN: Span = Range(dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime(1, 1, 1, tzinfo=dt.UTC))
# Ranges leave as whole seconds, rounded outwards. Only ends_at is compared with an index: see models.py.
_LOAD = text(
    """
    SELECT (SELECT jsonb_agg(jsonb_build_array(weekday, extract(epoch FROM starts)::int / 60,
                   extract(epoch FROM ends)::int / 60, zone, valid_from, valid_until, portals, services))
              FROM availability_rule
             WHERE specialist_id = :specialist AND (valid_until IS NULL OR valid_until >= :first)),
           (SELECT jsonb_agg(jsonb_build_array(date, kind, zone, extract(epoch FROM starts)::int / 60,
                   extract(epoch FROM ends)::int / 60, portals, services))
              FROM availability_exception
             WHERE specialist_id = :specialist AND date BETWEEN :first AND :last),
           (SELECT jsonb_agg(jsonb_build_array(floor(extract(epoch FROM starts_at))::bigint,
                   ceil(extract(epoch FROM ends_at))::bigint))
              FROM time_off
             WHERE specialist_id = :specialist AND ends_at > :low AND starts_at < :high),
           (SELECT jsonb_agg(jsonb_build_array(floor(extract(epoch FROM lower(during)))::bigint,
                   ceil(extract(epoch FROM ends_at))::bigint))
              FROM claim
             WHERE specialist_id = :specialist AND ends_at > :low AND lower(during) < :high
               AND (expires_at IS NULL OR expires_at > (SELECT app_now()))),
           (SELECT floor(extract(epoch FROM min(expires_at)))::bigint
              FROM claim
             WHERE specialist_id = :specialist AND expires_at > (SELECT app_now()))
    """
)


@contextmanager
def opened(session: Session, specialist_id: uuid.UUID) -> Iterator[None]:
    """Show the rows of one specialist's calendar to this transaction, and hide them again at the end."""
    session.execute(_OPEN, {"specialist": str(specialist_id)})
    yield
    session.execute(_CLOSE)


def lock(session: Session, specialist_id: uuid.UUID) -> None:
    """Lock a calendar to the end of the transaction without opening it: whoever writes into it opens it later."""
    session.execute(_LOCK, {"specialist": str(specialist_id)})


@contextmanager
def locked(session: Session, specialist_id: uuid.UUID, span: Span | None = None) -> Iterator[bool]:
    """Open a calendar for writing: one writer at a time, and no dead hold left (C4, C5).

    The lock lasts to the end of the transaction. The statement that takes it reads no rows, so every later one sees
    what the writer before has committed. The holds that were removed, other portals' too, are told to the outbox:
    whoever made them has a checkout to end (B2). Yields whether any of ``span`` is taken.
    """
    session.execute(_OPEN_AND_LOCK, {"specialist": str(specialist_id)})
    yield purge(session, specialist_id, span)
    session.execute(_CLOSE)


def purge(session: Session, specialist_id: uuid.UUID, span: Span | None = None) -> bool:
    """Remove the dead holds of an open and locked calendar; returns whether any of ``span`` is taken."""
    asked = span or _NO_SPAN
    wanted = {"specialist": specialist_id, "low": asked.lower, "high": asked.upper}
    dead, taken = session.execute(_PURGE, wanted).one()
    if dead:
        payload = {"specialist_id": str(specialist_id), "claim_ids": dead}
        announce(session, "claims.expired", payload, portal_id=scope_of(session).portal)
    return bool(taken)


@contextmanager
def each_unlocked(session: Session, specialist_ids: Iterable[uuid.UUID]) -> Iterator[Iterator[uuid.UUID]]:
    """Give the calendars that nobody is writing into, one after the other, opened and locked; never waits.

    Locks last to the end of the transaction, so no caller may wait for anything else in it.
    """

    def those() -> Iterator[uuid.UUID]:
        for specialist_id in specialist_ids:
            if session.execute(_OPEN_AND_TRY, {"specialist": str(specialist_id)}).one()[0]:
                yield specialist_id

    yield those()
    session.execute(_CLOSE)


def load(session: Session, specialist_id: uuid.UUID, zone: str, low: dt.datetime, high: dt.datetime) -> Calendar:
    """Read everything that decides about the slots of an open calendar between two times, in one statement.

    Dead holds are left out, whether or not anything removed them (C5).
    """
    day = dt.timedelta(days=1)
    parameters = {
        "specialist": specialist_id,
        "low": low - day,
        "high": high + day,
        "first": (low - 2 * day).date(),
        "last": (high + 2 * day).date(),
    }
    rules, exceptions, off, claims, expiry = session.execute(_LOAD, parameters).one()
    return Calendar(
        zone,
        [_rule(*row) for row in rules or ()],
        [_exception(*row) for row in exceptions or ()],
        [(low, high) for low, high in [*(off or ()), *(claims or ())]],
        expiry,
    )


def _ids(found: list[str] | None) -> frozenset[uuid.UUID] | None:
    return None if found is None else frozenset(map(uuid.UUID, found))


def _date(found: str | None) -> dt.date | None:
    return None if found is None else dt.date.fromisoformat(found)


def _rule(
    weekday: int, starts: int, ends: int, zone: str, since: str | None, until: str | None, *ids: Any
) -> WeeklyRule:
    portals, services = map(_ids, ids)
    return WeeklyRule(weekday, starts, ends or MINUTES_OF_DAY, zone, _date(since), _date(until), portals, services)


def _exception(day: str, kind: Any, zone: str, starts: int | None, ends: int | None, *rest: Any) -> DayException:
    portals, services = map(_ids, rest)
    date = dt.date.fromisoformat(day)
    return DayException(date, kind, zone, starts or 0, ends or MINUTES_OF_DAY, portals, services)
