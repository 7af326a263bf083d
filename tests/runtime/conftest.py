"""Homes and servers for the tests of the runtime itself, which start and break their own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from polyclinic.config import Settings
from polyclinic.runtime.folders import ASIDE_ROOTS
from polyclinic.runtime.ports import free_port
from polyclinic.runtime.postgres import Postgres, PostgresServer
from polyclinic.runtime.throwaway import throwaway_home
from support.source import ROOT


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that the servers' account can reach."""
    with throwaway_home() as folder:
        yield folder


@pytest.fixture(scope="session")
def pattern() -> Iterator[Path]:
    """A home whose database cluster was made once, to be copied: faster than making it again."""
    with throwaway_home() as folder:
        Postgres(folder, fast=True).start().stop()
        yield folder


@pytest.fixture
def made(home: Path, pattern: Path) -> Path:
    """A home with a database cluster that was stopped in good order."""
    subprocess.run(["cp", "-a", f"{pattern}/.", str(home)], check=True)
    return home


class Starter:
    """Starts PostgreSQL in homes and stops what still runs at the end; keeps what was said."""

    def __init__(self, finally_: ExitStack) -> None:
        self.finally_ = finally_
        self.said: list[str] = []

    def __call__(self, home: Path, aside: Path | None = None, *, fast: bool = True) -> PostgresServer:
        roots = (aside,) if aside else ASIDE_ROOTS
        server = Postgres(home, fast=fast, say=self.said.append, aside_roots=roots).start()
        self.finally_.callback(server.stop)
        return server


@pytest.fixture
def start() -> Iterator[Starter]:
    """Start PostgreSQL in a home: `start(home)`."""
    with ExitStack() as finally_:
        yield Starter(finally_)


@pytest.fixture
def environ(settings: Settings) -> dict[str, str]:
    """What a web process of its own gets."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        "MODE": "test",
        "POLYCLINIC_HOME": str(settings.home),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "ASYNC_MODE": "eventlet",
        "PORT": str(free_port()),
        "INTERNAL_PORT": str(free_port()),
        "PYTHONPATH": str(ROOT),
    }
