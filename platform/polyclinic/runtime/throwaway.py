"""Servers in a folder that goes when they stop: for tests and measurements."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from polyclinic.runtime.postgres import Postgres, PostgresServer
from polyclinic.runtime.valkey import Valkey, ValkeyServer


@dataclass(frozen=True)
class Servers:
    """A PostgreSQL and a Valkey that run together."""

    home: Path
    postgres: PostgresServer
    valkey: ValkeyServer


@contextmanager
def throwaway_servers() -> Iterator[Servers]:
    """Start both, fast rather than safe, in a temporary home; stop them and delete it at the end."""
    with throwaway_home() as home:
        postgres = Postgres(home, fast=True).start()
        try:
            valkey = Valkey(home, fast=True).start()
            try:
                yield Servers(home, postgres, valkey)
            finally:
                valkey.stop()
        finally:
            postgres.stop()


@contextmanager
def throwaway_home() -> Iterator[Path]:
    """A temporary home that the servers' account can reach."""
    with tempfile.TemporaryDirectory(prefix="polyclinic-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        yield home
