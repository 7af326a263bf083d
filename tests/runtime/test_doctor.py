"""`polyclinic doctor` notices what is wrong and says what to do; what is well stays quiet (R1, I1)."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from polyclinic.cli import main
from polyclinic.config import Launch, Settings
from polyclinic.kernel.models import Base
from polyclinic.runtime.doctor import look_at_machine
from polyclinic.runtime.doctor_database import look_at_database
from polyclinic.runtime.findings import Finding
from polyclinic.runtime.ports import free_port


def _launch(home: Path) -> Launch:
    return Launch(home=home, port=free_port(), bind="127.0.0.1", role_prefix="polyclinic", async_mode="eventlet")


def _wrong(findings: "Iterator[Finding] | Sequence[Finding]") -> dict[str, str]:
    return {finding.title: finding.text for finding in findings if finding.state == "wrong"}


def _about_database(settings: Settings) -> dict[str, str]:
    classes = {name: str(table.info["tenancy"]) for name, table in Base.metadata.tables.items()}
    return _wrong(look_at_database(settings, classes))


def test_a_healthy_machine_and_home_have_nothing_wrong(made: Path) -> None:
    found = list(look_at_machine(_launch(made), demo_runs=False))
    assert _wrong(found) == {}
    assert {"Python", "PostgreSQL", "Valkey", "Home", "Disk", "Port", "Database"} <= {f.title for f in found}


def test_a_taken_port_is_noticed(home: Path) -> None:
    launch = _launch(home)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", launch.port))
        taken.listen()
        found = _wrong(look_at_machine(launch, demo_runs=False))
    assert found == {
        "Port": f"Port {launch.port} is taken by another program. Stop it or choose another, "
        f"for example with PORT={launch.port + 1}."
    }


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda data: (data / "global/pg_control").unlink(), "global/pg_control missing. Restore a backup"),
        (lambda data: data.chmod(0o755), "chmod 700"),
    ],
)
def test_a_damaged_database_is_noticed(made: Path, damage: object, sentence: str) -> None:
    assert callable(damage)
    damage(made / "postgres/data")
    assert sentence in _wrong(look_at_machine(_launch(made), demo_runs=False))["Database"]


def test_what_a_power_cut_left_is_mentioned(made: Path) -> None:
    (made / "postgres/data.new").mkdir()
    (made / "postgres/data/postmaster.pid").write_text("999999999\n")
    notes = [f.text for f in look_at_machine(_launch(made), demo_runs=False) if f.state == "note"]
    assert any("interrupted set-up" in text for text in notes)
    assert any("not closed in good order" in text for text in notes)


def test_the_installation_of_the_tests_is_healthy(settings: Settings) -> None:
    """I1: tests use the production roles."""
    assert _about_database(settings) == {}


@contextmanager
def _changed(owner: Engine, change: str, back: str) -> Iterator[None]:
    with owner.begin() as connection:
        connection.execute(text(change))
    try:
        yield
    finally:
        with owner.begin() as connection:
            connection.execute(text(back))


def test_a_table_without_forced_policies_is_noticed(settings: Settings, owner: Engine) -> None:
    """I1: row-level security is enabled and forced."""
    change = "ALTER TABLE patient NO FORCE ROW LEVEL SECURITY"
    with _changed(owner, change, "ALTER TABLE patient FORCE ROW LEVEL SECURITY"):
        assert "not forced on patient" in _about_database(settings)["Policies"]


def test_a_login_above_the_policies_is_noticed(settings: Settings, ground: object) -> None:
    """I1: the login role is neither owner nor superuser."""
    superuser = replace(settings, database_url=str(getattr(ground, "superuser_url", "")))
    found = _about_database(superuser)
    assert "is a superuser, bypasses policies" in found["Login"]
    assert "granted wrongly" in found["Roles"]


def test_a_moved_clock_is_wrong_in_production_only(settings: Settings, owner: Engine) -> None:
    """R3: in production the offset is always 0."""
    moved = "UPDATE app_clock SET \"offset\" = '3 days'"
    with _changed(owner, moved, "UPDATE app_clock SET \"offset\" = '0'"):
        assert _about_database(settings) == {}
        assert "3 days" in _about_database(replace(settings, mode="production"))["Clock"]


def test_servers_that_do_not_answer_are_noticed(settings: Settings, tmp_path: Path) -> None:
    nowhere = replace(
        settings,
        database_url=f"postgresql+psycopg://polyclinic_login:x@/polyclinic?host={tmp_path}",
        redis_url=f"unix://{tmp_path}/nobody.sock",
    )
    found = _about_database(nowhere)
    assert set(found) == {"Login", "Redis"}
    assert all("Is it running?" in sentence for sentence in found.values())


def test_the_command_prints_a_line_each_and_fails_where_something_is_wrong(home: Path) -> None:
    environ = {"POLYCLINIC_HOME": str(home), "PORT": str(free_port()), "MODE": "", "DATABASE_URL": ""}
    answer = CliRunner().invoke(main, ["doctor"], env=environ)
    assert answer.exit_code == 0, answer.output
    assert "✓ Python" in answer.output
    answer = CliRunner().invoke(main, ["doctor"], env=environ | {"PORT": "zero"})
    assert answer.exit_code == 1
    assert "✗ Setting    PORT is 'zero'; expected a whole number" in answer.output
