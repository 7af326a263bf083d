"""R1: one command starts an installation, a second start keeps the data, Ctrl-C leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from polyclinic.runtime.demofile import Addresses, publish, remember
from polyclinic.runtime.joining import joined_environment, keep_environment
from polyclinic.runtime.leash import alive, wait_until
from polyclinic.runtime.ports import free_port
from polyclinic.runtime.schema import plain
from support.source import ROOT

pytestmark = pytest.mark.slow
# The whole demonstration but for the sample network, which takes long and has tests of its own.
CODE = """
import sys
from polyclinic.cli import has_command
from polyclinic.cli.demo import Crew
from polyclinic.config import read_launch
from polyclinic.runtime.demo import Demo
from polyclinic.runtime.output import Console
from polyclinic.runtime.trouble import Trouble
try:
    Demo(read_launch(), Console(), lambda name: name != "sample" and has_command(name), Crew()).run(
        afresh="afresh" in sys.argv
    )
except Trouble as trouble:
    sys.exit(str(trouble))
"""


class Running:
    """A demonstration in a process of its own."""

    def __init__(self, home: Path, port: int, *arguments: str) -> None:
        self.home, self.port, self.began = home, port, time.monotonic()
        environ = {
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")},
            "POLYCLINIC_HOME": str(home),
            "PORT": str(port),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE, *arguments],
            env=environ,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def ready(self) -> dict[str, Any]:
        """Wait until it is ready; what demo.json says."""
        there = self.home / "demo.json"
        assert wait_until(lambda: there.exists() or self.process.poll() is not None, 90, every=0.05)
        assert self.process.poll() is None, self.said()
        return dict(json.loads(there.read_text()))

    def said(self) -> str:
        """Everything it said, once it has ended."""
        return self.process.communicate(timeout=60)[0]

    def family(self) -> list[int]:
        """The processes it started, servers included."""
        found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        return [int(pid) for pid, parent in map(str.split, found.splitlines()) if int(parent) == self.process.pid]

    def database(self) -> str:
        """Of the owner, by the environment that commands join."""
        return plain(joined_environment({"POLYCLINIC_HOME": str(self.home)})["OWNER_DATABASE_URL"])


@pytest.fixture
def run(home: Path) -> "Iterator[Any]":
    """Start a demonstration: `run(port)`; it is killed at the end if it still runs."""
    with ExitStack() as finally_:

        def start(port: int, *arguments: str) -> Running:
            running = Running(home, port, *arguments)
            finally_.callback(running.process.communicate)
            finally_.callback(running.process.kill)
            return running

        yield start


def _status(port: int, host: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": f"{host}:{port}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_it_starts_keeps_its_data_and_leaves_nothing_behind(home: Path, run: Any) -> None:
    """R1: both starts, Ctrl-C, and what demo.json says."""
    port = free_port()
    first = run(port)
    about = first.ready()
    assert about["port"] == port
    assert about["internal"].startswith("http://127.0.0.1:")
    assert about["dev"] == f"http://dev.localhost:{port}/"
    assert _status(port, "nobody.example") == 404
    with psycopg.connect(first.database()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'word' AS word")
    family = first.family()
    assert len(family) >= 3
    first.process.send_signal(signal.SIGINT)
    assert "Everything stopped" in first.said()
    assert first.process.returncode == 0
    assert not [pid for pid in family if alive(pid)]
    assert not (home / "demo.json").exists()

    second = run(port)
    second.ready()
    assert time.monotonic() - second.began < 15  # R1 says 5 s on a quiet machine
    with psycopg.connect(second.database()) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("word",)]
    family = second.family()
    second.process.kill()
    assert wait_until(lambda: not [pid for pid in family if alive(pid)], 15), "orphans after kill -9"


def test_a_second_one_in_the_same_home_is_refused(home: Path, run: Any) -> None:
    """R1: two demonstrations do not collide; neither does a reset meet a running one."""
    first = run(free_port())
    first.ready()
    for arguments in ([], ["afresh"]):
        second = run(free_port(), *arguments)
        assert f"already runs in {home} (process {first.process.pid})" in second.said()
        assert second.process.returncode == 1
    assert (home / "postgres/data").is_dir()
    assert first.process.poll() is None


def test_a_killed_database_comes_back(home: Path, run: Any) -> None:
    """The supervisor looks after the servers too."""
    running = run(free_port())
    running.ready()
    note = home / "postgres/data/postmaster.pid"
    before = int(note.read_text().split()[0])
    os.kill(before, signal.SIGKILL)

    def is_back() -> bool:
        try:
            with psycopg.connect(running.database(), connect_timeout=2) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    assert wait_until(lambda: not alive(before), 10)
    assert wait_until(is_back, 30, every=0.2)
    assert running.process.poll() is None
    running.process.terminate()
    assert "PostgreSQL ended unexpectedly (signal SIGKILL); it starts again." in running.said()


def test_a_reset_begins_with_nothing(home: Path, run: Any) -> None:
    """R1: asks for nothing, deletes only what is ours."""
    port = free_port()
    first = run(port)
    first.ready()
    with psycopg.connect(first.database()) as connection:
        connection.execute("CREATE TABLE gone AS SELECT 1")
    first.process.terminate()
    first.said()
    (home / "somebody's.txt").write_text("mine")
    again = run(port, "afresh")
    again.ready()
    with psycopg.connect(again.database()) as connection:
        assert connection.execute("SELECT to_regclass('gone')").fetchone() == (None,)
    assert (home / "somebody's.txt").read_text() == "mine"
    again.process.terminate()
    again.said()


def test_a_taken_port_is_refused_before_anything_is_made(home: Path, run: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        running = run(taken.getsockname()[1])
        assert "is taken by another program" in running.said()
    assert running.process.returncode == 1
    assert not (home / "postgres").exists()


def test_sigterm_while_starting_leaves_nothing_behind(home: Path, run: Any) -> None:
    running = run(free_port())
    assert wait_until((home / "postgres/data/postmaster.pid").exists, 30)
    running.process.terminate()
    running.said()
    assert running.process.returncode != 0
    assert wait_until(lambda: not (home / "postgres/data/postmaster.pid").exists(), 10)


def test_demo_json_gives_each_entry_its_address(home: Path) -> None:
    person = {"name": "Ada", "email": "ada@example.org", "password": "long enough", "path": "/sign-in"}
    portal = {"slug": "mind", "name": "Mind", "locale": "de", "currency": "EUR", "patients": [person]}
    remember(home, portals=[portal], specialists=[person], operators=[person])
    about = publish(home, Addresses(8123, 9000, "smtp://127.0.0.1:2525"))
    assert json.loads((home / "demo.json").read_text()) == about
    assert about["portals"][0]["url"] == "http://mind.localhost:8123/"
    assert about["portals"][0]["patients"][0]["url"] == "http://mind.localhost:8123/sign-in"
    assert about["specialists"][0]["url"] == "http://specialists.localhost:8123/sign-in"
    assert about["operators"][0]["url"] == "http://admin.localhost:8123/sign-in"


def test_demo_json_says_where_the_simulated_stripe_is(home: Path) -> None:
    """Or that there is none."""
    assert publish(home, Addresses(8123, 9000))["stripe"] is None
    control = "http://dev.localhost:8123/stripe/control"
    told = publish(home, Addresses(8123, 9000, stripe_port=9001))["stripe"]
    assert told == {"api": "http://127.0.0.1:9001", "control": control}


def test_commands_join_a_running_demonstration_only(home: Path) -> None:
    """An environment that names a mode or a database stands for itself; one that ended is not joined."""
    kept = {"MODE": "demo", "DATABASE_URL": "postgresql://x@/y", "PORT": "8123"}
    own = {"POLYCLINIC_HOME": str(home)}
    assert joined_environment(own) == own
    keep_environment(home, os.getpid(), kept)
    assert joined_environment(own) == {**kept, **own}
    for name in ("MODE", "DATABASE_URL"):
        assert joined_environment({**own, name: "mine"}) == {**own, name: "mine"}
    ended = subprocess.Popen(["true"])
    ended.wait()
    keep_environment(home, ended.pid, kept)
    assert joined_environment(own) == own
