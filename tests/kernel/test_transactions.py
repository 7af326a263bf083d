"""Services own their transaction: one commit, everything undone on error, races retried as a whole."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from polyclinic.kernel.errors import Unavailable
from polyclinic.kernel.outbox import OutboxMessage, announce
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.kernel.transactions import ATTEMPTS, transactional
from support.cast import Cast


def count(owner: Engine) -> int:
    """Outbox rows as seen from outside."""
    with Session(owner) as session:
        return int(session.scalar(select(func.count()).select_from(OutboxMessage)) or 0)


@transactional
def write(session: Session, portal_id: uuid.UUID, fail: bool = False) -> None:
    """Announce something, and perhaps fail afterwards."""
    announce(session, "test", {}, portal_id=portal_id)
    if fail:
        raise LookupError("after writing")


@transactional
def write_twice(session: Session, portal_id: uuid.UUID, fail: bool) -> None:
    """Call one use case inside another."""
    write(session, portal_id)
    write(session, portal_id, fail)


def test_a_use_case_commits_once_or_not_at_all(cast: Cast, engine: Engine, owner: Engine) -> None:
    """An inner use case joins the outer one's transaction."""
    with open_session(engine, Scope("visitor", portal=cast.alpha.id)) as session:
        with pytest.raises(LookupError):
            write_twice(session, cast.alpha.id, fail=True)
        assert count(owner) == 0
        write_twice(session, cast.alpha.id, fail=False)
        assert count(owner) == 2


def test_a_lock_that_stays_taken_ends_in_a_sentence(cast: Cast, engine: Engine, owner: Engine) -> None:
    """40P01, 40001, 55P03: the whole transaction three times, then 503 with Retry-After; nothing is half done."""
    tries: list[int] = []

    @transactional
    def wait_for_lock(session: Session) -> None:
        tries.append(1)
        announce(session, "test", {}, portal_id=cast.alpha.id)
        session.execute(text("SET LOCAL lock_timeout = '50ms'"))
        session.execute(text("SELECT pg_advisory_xact_lock(42)"))

    with owner.begin() as holder:
        holder.execute(text("SELECT pg_advisory_xact_lock(42)"))
        with (
            open_session(engine, Scope("visitor", portal=cast.alpha.id)) as session,
            pytest.raises(Unavailable) as refused,
        ):
            wait_for_lock(session)
    assert len(tries) == ATTEMPTS
    assert refused.value.retry_after > 0
    assert count(owner) == 0


def test_a_deadlock_is_retried_and_both_succeed(cast: Cast, engine: Engine, owner: Engine) -> None:
    """40P01: two transactions that take two locks in opposite order both end well."""
    meet = threading.Barrier(2, timeout=10)
    outcomes: list[Any] = []

    def run(first: int, second: int) -> None:
        met: list[bool] = []

        @transactional
        def take(session: Session) -> None:
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": first})
            if not met:
                met.append(True)
                meet.wait()
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": second})
            announce(session, "test", {}, portal_id=cast.alpha.id)

        with open_session(engine, Scope("visitor", portal=cast.alpha.id)) as session:
            take(session)
        outcomes.append(True)

    threads = [threading.Thread(target=run, args=pair) for pair in ((1001, 1002), (1002, 1001))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert outcomes == [True, True]
    assert count(owner) == 2
