"""R1: the embedded Valkey starts whatever it finds, because it holds nothing that PostgreSQL does not know better."""

import stat
from pathlib import Path

import pytest
import redis

from polyclinic.runtime.trouble import Trouble
from polyclinic.runtime.valkey import Valkey


def test_it_keeps_its_data_over_a_restart_and_is_private(home: Path) -> None:
    server = Valkey(home).start()
    try:
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        with redis.Redis.from_url(server.url) as client:
            client.set("word", "kept")
        with redis.Redis.from_url(server.url + "?db=63") as other:
            assert other.get("word") is None
    finally:
        server.stop()
    again = Valkey(home).start()
    try:
        with redis.Redis.from_url(again.url) as client:
            assert client.get("word") == b"kept"
        with pytest.raises(Trouble, match="already runs at"):
            Valkey(home).start()
    finally:
        again.stop()


def test_a_damaged_snapshot_is_set_aside(home: Path) -> None:
    """R1: losing it loses nothing, so it must not keep the installation from starting."""
    Valkey(home).start().stop()
    (home / "valkey/dump.rdb").write_bytes(b"REDIS0011 half of a snap")
    said: list[str] = []
    server = Valkey(home, say=said.append).start()
    try:
        assert (home / "valkey/dump.rdb.damaged-1").exists()
        assert "set aside" in said[-1]
    finally:
        server.stop()
