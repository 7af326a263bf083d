"""I1: one scope per session, for one transaction at a time, leaving nothing behind in the pool."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from polyclinic.config import Settings
from polyclinic.directory.models import Service
from polyclinic.identity.models import Patient
from polyclinic.kernel.roles import ROLES
from polyclinic.kernel.scope import Scope, ScopeError, bind_roles, enter, open_session
from support.cast import Cast, PortalCast


def test_a_session_without_scope_sees_nothing(cast: Cast, engine: Engine) -> None:
    """I1: the login role has no grant; forgetting the scope is an error, not an open door."""
    with Session(engine) as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.scalars(select(Service)).all()


def test_a_session_keeps_its_scope(cast: Cast, engine: Engine) -> None:
    """One scope per session: a second one raises, before, inside and after a transaction."""
    alpha, beta = Scope("visitor", portal=cast.alpha.id), Scope("visitor", portal=cast.beta.id)
    with open_session(engine, alpha) as session:
        with pytest.raises(ScopeError):
            enter(session, beta)
        session.scalars(select(Service)).all()
        with pytest.raises(ScopeError):
            enter(session, beta)
        session.info["scope"] = beta
        with pytest.raises(ScopeError), session.begin_nested():
            session.scalars(select(Service)).all()


def test_a_scope_cannot_be_entered_in_a_transaction(engine: Engine) -> None:
    """What was read before the scope was known must not mix with what is read after."""
    with Session(engine) as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(ScopeError):
            enter(session, Scope("relay"))


def test_savepoints_keep_the_scope(cast: Cast, engine: Engine) -> None:
    """Rolling a savepoint back leaves the role as it was."""
    with open_session(engine, Scope("visitor", portal=cast.alpha.id)) as session:
        with pytest.raises(ProgrammingError), session.begin_nested():
            session.scalars(select(Patient)).all()
        assert session.scalar(text("SELECT current_user")) == "polyclinic_visitor"
        assert len(session.scalars(select(Service)).all()) == 1


def test_the_scope_is_applied_again_after_each_commit(cast: Cast, engine: Engine) -> None:
    """SET LOCAL ends with the transaction, so every transaction begins with it."""
    with open_session(engine, Scope("visitor", portal=cast.alpha.id)) as session:
        for _round in range(3):
            assert len(session.scalars(select(Service)).all()) == 1
            session.commit()


def test_a_connection_returns_to_the_pool_as_nobody(cast: Cast, settings: Settings) -> None:
    """Nothing of a scope outlives its transaction: the next user of the connection holds nothing."""
    engine = bind_roles(create_engine(settings.database_url, pool_size=1, max_overflow=0), settings.role_prefix)
    with open_session(engine, Scope("patient", portal=cast.alpha.id, patient=cast.alpha.patient.id)) as session:
        session.scalars(select(Patient)).all()
    with engine.connect() as connection:
        row = connection.execute(
            text("SELECT current_user, current_setting('app.portal', true), current_setting('app.patient', true)")
        ).one()
    engine.dispose()
    assert (row[0], row[1] or "", row[2] or "") == ("polyclinic_login", "", "")


def interleave(engine: Engine, portals: tuple[PortalCast, ...], requests: int = 500) -> list[str]:
    """Read every portal's services from many threads over one small pool; return what was seen of a wrong portal."""

    def read(number: int) -> list[str]:
        portal = portals[number % len(portals)]
        with open_session(engine, Scope("visitor", portal=portal.id)) as session:
            names = [service.name["en"] for service in session.scalars(select(Service))]
            if random.random() < 0.2:  # some requests end in an error and roll back
                session.rollback()
        return [name for name in names if portal.canary not in name] + ([] if names else ["nothing"])

    with ThreadPoolExecutor(8) as threads:
        return [wrong for found in threads.map(read, range(requests)) for wrong in found]


def test_500_interleaved_requests_of_three_portals_over_a_pool_of_two(cast: Cast, settings: Settings) -> None:
    """I1: no request sees another portal's rows, whichever connection it gets."""
    engine = bind_roles(create_engine(settings.database_url, pool_size=2, max_overflow=0), settings.role_prefix)
    try:
        assert interleave(engine, cast.portals) == []
    finally:
        engine.dispose()


def test_session_level_settings_would_leak_through_the_pool(cast: Cast, settings: Settings) -> None:
    """Control for the test above: what `set_config(…, false)` leaves behind, the next user of the pool has."""
    engine = bind_roles(create_engine(settings.database_url, pool_size=1, max_overflow=0), settings.role_prefix)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT set_config('role', 'polyclinic_visitor', false)"))
            connection.execute(text("SELECT set_config('app.portal', :portal, false)"), {"portal": str(cast.alpha.id)})
            connection.commit()
        with Session(engine) as session:  # a request that forgot its scope
            assert len(session.scalars(select(Service)).all()) == 1
    finally:
        engine.dispose()


def test_a_scope_survives_its_way_through_a_job(cast: Cast) -> None:
    """A job carries its scope in its payload; a made-up role is refused."""
    scope = Scope("operator", operator=cast.oskar.id, portals=frozenset({cast.alpha.id, cast.beta.id}))
    assert Scope.from_json(scope.as_json()) == scope
    with pytest.raises(Exception, match="no database role"):
        Scope.from_json({"role": "superuser"})
    assert len(ROLES) == len(set(ROLES))
