"""I1: the roles of an installation, and what the login cannot do."""

from collections.abc import Iterator

import psycopg
import pytest

from polyclinic.kernel.roles import ROLES
from polyclinic.runtime.postgres import PostgresServer
from polyclinic.runtime.throwaway import throwaway_servers


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with throwaway_servers() as servers:
        servers.postgres.prepare("clinic", "north")
        yield servers.postgres


def _connect(server: PostgresServer, user: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(server.url("clinic", user).replace("+psycopg", ""))


def test_the_login_is_neither_owner_nor_superuser_and_bypasses_nothing(server: PostgresServer) -> None:
    """I1: the application's login role owns nothing and cannot bypass policies."""
    with server.connect("clinic") as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit FROM pg_roles"
            " WHERE rolname IN ('north_login', 'north_owner')"
        ).fetchall()
        assert rights == [(False,) * 5] * 2
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'clinic'"
        assert connection.execute(owner).fetchone() == ("north_owner",)


def test_the_login_becomes_a_working_role_only_for_a_transaction(server: PostgresServer) -> None:
    """I1: it sees no row until the transaction says who it acts for."""
    with server.connect("clinic") as admin:
        admin.execute("GRANT USAGE ON SCHEMA public TO north_patient")
        admin.execute("CREATE TABLE IF NOT EXISTS thing AS SELECT 1 AS id")
        admin.execute("GRANT SELECT ON thing TO north_patient")
    with _connect(server, "north_login") as login:
        with pytest.raises(psycopg.Error):
            login.execute("SELECT * FROM thing")
        login.rollback()
        for role in ROLES:
            login.execute("SELECT set_config('role', %s, true)", [f"north_{role}"])
            assert login.execute("SELECT current_user").fetchone() == (f"north_{role}",)
        login.execute("SET LOCAL ROLE north_patient")
        assert login.execute("SELECT id FROM thing").fetchall() == [(1,)]
        login.rollback()
        assert login.execute("SELECT current_user").fetchone() == ("north_login",)


def test_preparing_twice_repairs_what_was_changed(server: PostgresServer) -> None:
    with server.connect() as admin:
        admin.execute("ALTER ROLE north_login SUPERUSER BYPASSRLS PASSWORD 'guessed'")
        admin.execute("REVOKE north_job FROM north_login")
    server.prepare("clinic", "north")
    with _connect(server, "north_login") as login:
        login.execute("SET LOCAL ROLE north_job")
    with server.connect() as admin:
        found = admin.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'north_login'").fetchone()
        assert found == (False, False)


def test_two_installations_share_a_server_without_meeting(server: PostgresServer) -> None:
    server.prepare("other", "south")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(server.url("other", "north_login").replace("+psycopg", ""))


def test_the_server_speaks_utf8_and_utc_and_has_the_extension(server: PostgresServer) -> None:
    with _connect(server, "north_owner") as owner:
        assert owner.execute("SHOW timezone").fetchone() == ("UTC",)
        assert owner.execute("SELECT upper('ä') || lower('É')").fetchone() == ("Äé",)
        found = owner.execute("SELECT extname FROM pg_extension WHERE extname = 'btree_gist'").fetchone()
        assert found == ("btree_gist",)
