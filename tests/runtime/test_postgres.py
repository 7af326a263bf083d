"""R1: the embedded PostgreSQL survives what machines do to it, and destroys nothing."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from polyclinic.runtime.leash import alive, wait_until
from polyclinic.runtime.postgres import PostgresServer
from polyclinic.runtime.trouble import Trouble
from runtime.conftest import Starter

pytestmark = pytest.mark.slow


def _write(server: PostgresServer, word: str) -> None:
    with server.connect() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [word])


def _words(server: PostgresServer) -> list[object]:
    with server.connect() as connection:
        return [word for (word,) in connection.execute("SELECT word FROM kept ORDER BY word")]


def test_a_second_start_keeps_the_data_and_the_passwords(made: Path, start: Starter) -> None:
    """R1: the second start keeps the data."""
    first = start(made)
    _write(first, "a")
    url, identifier = first.url(), first.identifier()
    first.stop()
    second = start(made)
    assert _words(second) == ["a"]
    assert (second.url(), second.identifier()) == (url, identifier)


def test_it_is_private_to_its_owner(made: Path, start: Starter) -> None:
    """Reached by a socket in a private folder, with a password; never by the network."""
    server = start(made)
    assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE((made / "passwords.json").stat().st_mode) == 0o600
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", 5432))
    program = Path(os.readlink(f"/proc/{server.process.pid}/exe")).with_name("psql")
    asked = [str(program), "-w", "-h", str(server.sockets), "-U", "postgres", "-c", "SELECT 1"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert "no password supplied" in answer.stderr
    if os.geteuid() == 0:
        assert (made / "postgres").stat().st_uid != 0


def test_a_killed_server_starts_again_with_its_data(made: Path, start: Starter) -> None:
    """R1: a stale lock after kill -9 is no obstacle, and what was committed is there."""
    server = start(made, fast=False)
    _write(server, "before")
    server.process.kill()
    server.process.wait()
    assert (made / "postgres/data/postmaster.pid").exists()
    assert _words(start(made, fast=False)) == ["before"]


def test_a_stale_lock_with_somebody_elses_number_is_set_aside(made: Path, start: Starter) -> None:
    """After a power cut the number in the lock may belong to any program."""
    server = start(made)
    _write(server, "before")
    note = made / "postgres/data/postmaster.pid"
    kept = note.read_text()
    server.stop()
    other = subprocess.Popen(["sleep", "60"])
    try:
        note.write_text(kept.replace(str(server.process.pid), str(other.pid), 1))
        assert _words(start(made)) == ["before"]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_second_server_in_the_same_home_is_refused(made: Path, start: Starter) -> None:
    server = start(made)
    with pytest.raises(Trouble, match=rf"already running \(process {server.process.pid}\)"):
        start(made)
    assert alive(server.process.pid)


def test_an_interrupted_set_up_is_set_aside_and_begun_again(made: Path, start: Starter) -> None:
    """R1: a half-written data folder after a power cut is never used and never deleted."""
    (made / "postgres/data").rename(made / "postgres/data.new")
    (made / "postgres/data.new/PG_VERSION").unlink()
    start(made)
    assert (made / "postgres/data.new.interrupted-1/base").is_dir()
    assert "set aside as data.new.interrupted-1" in start.said[-1]


@pytest.mark.parametrize("damage", ["global/pg_control", "PG_VERSION", "global", "pg_wal", "postgresql.conf"])
def test_a_damaged_data_folder_is_reported_and_left_alone(made: Path, start: Starter, damage: str) -> None:
    """R1: a sentence that says what to do; nothing is destroyed."""
    data = made / "postgres/data"
    (data / damage).rename(made / "postgres/lost")
    before = sorted(path.relative_to(data) for path in data.rglob("*"))
    with pytest.raises(Trouble, match=r"damaged or incomplete .* Nothing was changed.*mv "):
        start(made)
    after = sorted(path.relative_to(data) for path in data.rglob("*") if path.name != "postmaster.pid")
    assert after == [path for path in before if path.name != "postmaster.pid"]


def test_a_truncated_control_file_is_reported(made: Path, start: Starter) -> None:
    os.truncate(made / "postgres/data/global/pg_control", 100)
    with pytest.raises(Trouble, match="damaged or incomplete"):
        start(made)


def test_data_of_another_version_is_reported(made: Path, start: Starter) -> None:
    (made / "postgres/data/PG_VERSION").write_text("14\n")
    with pytest.raises(Trouble, match="made by another version of PostgreSQL"):
        start(made)


def test_a_data_folder_opened_to_others_says_how_to_close_it(made: Path, start: Starter) -> None:
    (made / "postgres/data").chmod(0o755)
    with pytest.raises(Trouble, match=f"chmod 700 {made}/postgres/data"):
        start(made)


def test_lost_passwords_are_reported(made: Path, start: Starter) -> None:
    (made / "passwords.json").unlink()
    with pytest.raises(Trouble, match=r"lost its passwords: .*passwords.json is missing"):
        start(made)


def test_a_very_long_home_works(home: Path, start: Starter) -> None:
    """A socket's path is limited to about a hundred bytes; a checkout's is not."""
    deep = home / ("a-long-folder-name-" * 4) / ("and-another-one-" * 4)
    server = start(deep)
    _write(server, "deep")
    assert len(os.fsencode(server.sockets)) < 100
    assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    server.stop()
    assert not server.sockets.exists()
    assert start(deep).sockets == server.sockets


def test_a_home_below_a_private_folder_works_without_changing_its_mode(home: Path, start: Starter) -> None:
    """R1: as root the servers' account cannot reach a checkout below /root; as anybody else it is our own."""
    private, aside = home / "private", home / "aside"
    private.mkdir(mode=0o700)
    aside.mkdir(mode=0o755)
    server = start(private / "var", aside)
    _write(server, "kept")
    server.stop()
    assert _words(start(private / "var", aside)) == ["kept"]
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    if os.geteuid() == 0:
        assert "cannot reach" in start.said[0]
        assert [path.name for path in next(aside.iterdir()).iterdir() if path.is_dir()] == ["postgres"]


def test_nothing_outlives_whoever_started_it(home: Path) -> None:
    """R1: no orphan, even when the supervisor is killed with -9."""
    code = (
        "import sys, time; from pathlib import Path; from polyclinic.runtime.postgres import Postgres\n"
        "server = Postgres(Path(sys.argv[1]), fast=True).start(); print(server.process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, home], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        postgres = int(starter.stdout.readline())
        starter.kill()
    assert wait_until(lambda: not alive(postgres), 10)
