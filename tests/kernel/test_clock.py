"""The one clock: Python and SQL read the same time, and tests and demonstrations can move it (R3)."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from polyclinic.kernel.clock import now
from polyclinic.kernel.roles import ROLES
from polyclinic.kernel.scope import Scope, open_session
from support.cast import Cast


def test_python_and_sql_read_one_clock(cast: Cast, engine: Engine, owner: Engine) -> None:
    """Moved by ten days, both are ten days ahead; within a transaction it goes on."""
    with owner.begin() as connection:
        connection.execute(text("UPDATE app_clock SET \"offset\" = '10 days'"))
    with open_session(engine, Scope("visitor", portal=cast.alpha.id)) as session:
        python = now(session)
        sql: dt.datetime = session.execute(text("SELECT app_now()")).scalar_one()
        real: dt.datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert abs(sql - python) < dt.timedelta(seconds=5)
    assert dt.timedelta(days=9) < sql - real < dt.timedelta(days=11)


def test_the_clock_is_not_frozen_at_the_beginning_of_a_transaction(cast: Cast, engine: Engine) -> None:
    """A transaction that waited for a lock must not decide by the time it began (notes of the design: purge)."""
    with open_session(engine, Scope("visitor", portal=cast.alpha.id)) as session:
        first = now(session)
        session.execute(text("SELECT pg_sleep(0.05)"))
        assert now(session) - first >= dt.timedelta(milliseconds=50)
        began: dt.datetime = session.execute(text("SELECT transaction_timestamp()")).scalar_one()
        later: dt.datetime = session.execute(text("SELECT app_now()")).scalar_one()
        assert later > began


@pytest.mark.parametrize("role", ROLES)
def test_no_role_of_the_application_moves_the_clock(engine: Engine, role: str) -> None:
    """R3: only the owner does, and only where a demonstration or a test asks for it."""
    with (
        open_session(engine, Scope(role)) as session,  # type: ignore[arg-type]  # parametrized over the literals
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        session.execute(text("UPDATE app_clock SET \"offset\" = '1 day'"))
