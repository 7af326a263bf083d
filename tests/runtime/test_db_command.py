"""`polyclinic db` on a server of one's own: roles, database, schema (I1, R2)."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic.script import ScriptDirectory
from click.testing import CliRunner, Result

from polyclinic.cli import main
from polyclinic.resources import shipped
from polyclinic.runtime.postgres import PostgresServer
from polyclinic.runtime.schema import heads, migrations
from polyclinic.runtime.throwaway import throwaway_servers


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with throwaway_servers() as servers:
        yield servers.postgres


def _db(*arguments: str, **environ: str) -> Result:
    nothing = dict.fromkeys(("MODE", "DATABASE_URL", "OWNER_DATABASE_URL", "ADMIN_DATABASE_URL"), "")
    return CliRunner().invoke(main, ["db", *arguments], env=nothing | {"POLYCLINIC_HOME": "/nowhere"} | environ)


def test_init_prints_addresses_that_work_and_upgrade_uses_them(server: PostgresServer) -> None:
    """R2: production stands on any PostgreSQL, with the same roles."""
    made = _db("init", "--database", "clinic", "--admin-url", server.url(), POLYCLINIC_ROLE_PREFIX="east")
    assert made.exit_code == 0, made.output
    addresses = dict(line.split("=", 1) for line in made.output.splitlines() if "_URL=" in line)
    assert set(addresses) == {"DATABASE_URL", "OWNER_DATABASE_URL"}
    with psycopg.connect(addresses["DATABASE_URL"]) as login:
        assert login.execute("SELECT current_user").fetchone() == ("east_login",)

    environ = {**addresses, "POLYCLINIC_ROLE_PREFIX": "east"}
    before = _db("check", **environ)
    assert before.exit_code == 1
    assert "The schema is at nothing, this version needs" in before.output
    assert _db("upgrade", **environ).output == "The schema is at this version now.\n"
    assert _db("upgrade", **environ).output == "The schema was current.\n"
    assert _db("check", **environ).exit_code == 0


def test_init_keeps_given_passwords_and_prints_none(server: PostgresServer) -> None:
    host = f"@/given?host={server.sockets}"
    environ = {
        "DATABASE_URL": f"postgresql://west_login:chosen-1{host}",
        "OWNER_DATABASE_URL": f"postgresql://west_owner:chosen%2D2{host}",
        "POLYCLINIC_ROLE_PREFIX": "west",
        "ADMIN_DATABASE_URL": server.url(),
    }
    for _ in range(2):
        made = _db("init", **environ)
        assert (made.exit_code, made.output) == (0, "Roles west_… and database given are ready.\n")
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL"):
        psycopg.connect(environ[name]).close()


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"DATABASE_URL": "postgresql://somebody:x@/clinic"}, "connects as 'somebody'; expected 'polyclinic_login'"),
        (
            {
                "DATABASE_URL": "postgresql://polyclinic_login:x@/a",
                "OWNER_DATABASE_URL": "postgresql://polyclinic_owner:x@/b",
            },
            "name different databases",
        ),
        ({"ADMIN_DATABASE_URL": "mysql://root@db/x"}, "ADMIN_DATABASE_URL begins with 'mysql://'"),
        ({"ADMIN_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, "does not let the administrator in"),
        ({"POLYCLINIC_ROLE_PREFIX": "Big"}, "POLYCLINIC_ROLE_PREFIX is 'Big'; expected a lower-case name"),
    ],
)
def test_wrong_input_changes_nothing_and_says_what_is_wrong(
    server: PostgresServer, environ: dict[str, str], sentence: str
) -> None:
    with server.connect() as connection:
        before = connection.execute("SELECT count(*) FROM pg_roles").fetchone()
    answer = _db("init", **{"ADMIN_DATABASE_URL": server.url(), **environ})
    assert answer.exit_code == 1
    assert sentence in answer.output
    with server.connect() as connection:
        assert connection.execute("SELECT count(*) FROM pg_roles").fetchone() == before


def test_without_an_address_it_says_which_one_is_missing() -> None:
    answer = _db("upgrade")
    assert answer.exit_code == 1
    assert "OWNER_DATABASE_URL is not set; expected an address such as postgresql://" in answer.output


def test_a_migration_never_waits_long_for_a_lock(server: PostgresServer) -> None:
    """A migration behind a long transaction gives up, rolled back, instead of stopping the whole product."""
    made = server.prepare("busy", "busy")
    environ = {
        "OWNER_DATABASE_URL": server.url("busy", made.owner.name),
        "POLYCLINIC_ROLE_PREFIX": "busy",
    }
    with server.connect("busy") as other, other.transaction():
        other.execute("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")
        answer = _db("upgrade", **environ)
        assert answer.exit_code == 1
        assert "A migration failed and was rolled back" in answer.output
        other.execute("DROP TABLE alembic_version")
    assert _db("upgrade", **environ).exit_code == 0


def test_what_is_the_newest_migration_is_read_without_alembic_as_alembic_would() -> None:
    """R1: the second start is quick because nothing of it is imported."""
    script = ScriptDirectory.from_config(migrations("postgresql://", "nobody"))
    assert heads(shipped("migrations")) == frozenset(script.get_heads())
