"""Sessions per role and a clock that tests set, for the calendar on the real database."""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import Scope, open_session
from support.cast import Cast, PortalCast

#: A Monday, 09:00 in Berlin; the next days are ordinary.
START = dt.datetime(2027, 3, 1, 8, tzinfo=dt.UTC)

SetTime = Callable[[dt.datetime], None]
OpenAs = Callable[[Actor | PortalCast], AbstractContextManager[Session]]


@pytest.fixture
def set_time(clean: None, owner: Engine) -> SetTime:
    """Return a callable that makes it a certain time for the application."""

    def move(moment: dt.datetime) -> None:
        with owner.begin() as connection:
            connection.execute(
                text('UPDATE app_clock SET "offset" = :moment - statement_timestamp()'), {"moment": moment}
            )

    return move


@pytest.fixture
def scene(cast: Cast, set_time: SetTime) -> Cast:
    """The cast on the Monday morning of ``START``; specialists work Monday to Friday, 09:00 to 17:00 in Berlin."""
    set_time(START)
    return cast


@pytest.fixture
def open_as(engine: Engine) -> OpenAs:
    """Return a callable that opens a session for a person, or for a visitor of a portal."""

    def open_for(who: Actor | PortalCast) -> AbstractContextManager[Session]:
        scope = who.scope() if isinstance(who, Actor) else Scope("visitor", portal=who.id)
        return open_session(engine, scope)

    return open_for
