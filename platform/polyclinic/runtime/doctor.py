"""Look over this machine and a home without starting or changing anything (R1)."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from polyclinic.config import Launch
from polyclinic.resources import checkout
from polyclinic.runtime.binaries import POSTGRES, VALKEY, Program, try_program
from polyclinic.runtime.findings import Finding, judged, note, ok, wrong
from polyclinic.runtime.folders import folder_aside, prepare_home
from polyclinic.runtime.frontend import node_version
from polyclinic.runtime.leash import alive
from polyclinic.runtime.ports import check_free
from polyclinic.runtime.postgres import first_number, serves
from polyclinic.runtime.trouble import Trouble

ROOM = 2_000_000_000
"""Bytes that an installation with its packages wants free."""
GLIBC = (2, 28)
PARTS = ("PG_VERSION", "global/pg_control", "pg_wal", "base", "postgresql.conf", "pg_hba.conf")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def look_at_machine(launch: Launch, *, demo_runs: bool) -> Iterator[Finding]:
    """Everything that can be seen without a database."""
    yield _python()
    yield from _c_library()
    if not launch.database_url:
        yield from judged("PostgreSQL", lambda: _runs(POSTGRES))
    if not launch.redis_url:
        yield from judged("Valkey", lambda: _runs(VALKEY))
    if checkout() is not None:
        yield from judged("Node", node_version)
    yield from judged("Home", lambda: f"{prepare_home(launch.home)} can be written")
    yield _room(launch.home)
    if demo_runs:
        yield ok("Port", f"{launch.port} is served by the demonstration that runs in {launch.home}")
    else:
        yield from judged("Port", lambda: _port(launch))
    if not launch.database_url:
        yield from _cluster(launch.home)
    yield _browser()


def _python() -> Finding:
    # An older one does not get this far: requirements/install.py and the wheel refuse it.
    return ok("Python", f"{platform.python_version()} at {sys.executable}")


def _c_library() -> Iterator[Finding]:
    if sys.platform != "linux":
        return
    name, version = platform.libc_ver()
    numbers = tuple(int(part) for part in version.split(".")[:2]) if name == "glibc" else ()
    if name != "glibc":
        text = "no glibc: the embedded servers cannot run; set DATABASE_URL and REDIS_URL to servers of your own"
        yield wrong("C library", text)
    elif numbers < GLIBC:
        yield wrong("C library", f"glibc {version} is older than 2.28: use a newer system, or servers of your own")
    else:
        yield ok("C library", f"glibc {version}")


def _runs(program: Program) -> str:
    path = program.within(program.installed())
    try:
        return try_program(program, path, None)
    except PermissionError as error:
        raise Trouble(f"{path} may not be run. Is its folder mounted noexec? Move the checkout.") from error


def _room(home: Path) -> Finding:
    free = shutil.disk_usage(home if home.is_dir() else Path("/")).free
    text = f"{free / 1e9:.1f} GB free where {home} is"
    return ok("Disk", text) if free >= ROOM else wrong("Disk", f"only {text}; make room for at least 2 GB")


def _port(launch: Launch) -> str:
    check_free(launch.port, launch.bind)
    return f"{launch.port} is free"


def _cluster(home: Path) -> Iterator[Finding]:
    aside = folder_aside(home)
    places = [home / "postgres", *([aside / "postgres"] if aside else [])]
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        yield ok("Database", "none yet: the first start makes it")
        return
    if not os.access(folder, os.R_OK | os.X_OK):
        yield wrong("Database", f"{folder} belongs to another account: run as that one, or set POLYCLINIC_HOME")
        return
    for left in sorted(folder.glob("data.new*")):
        yield note("Database", f"{left} is left of an interrupted set-up; nothing needs it")
    if (folder / "data").is_dir():
        yield _data(folder / "data")


def _data(data: Path) -> Finding:
    missing = [part for part in PARTS if not (data / part).exists()]
    if missing:
        lost = ", ".join(missing)
        text = f"{data} is damaged: {lost} missing. Restore a backup, or begin anew with: mv {data} {data}.damaged"
        return wrong("Database", text)
    if data.stat().st_mode & 0o027:
        return wrong("Database", f"{data} is open to other accounts, which PostgreSQL refuses: chmod 700 {data}")
    pid = first_number(data / "postmaster.pid")
    if pid is not None and not (alive(pid) and serves(pid, data)):
        return note("Database", f"{data} was not closed in good order; the next start repairs it")
    return ok("Database", f"{data} {'is running' if pid else 'is closed in good order'}")


def _browser() -> Finding:
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found:
        return ok("Chromium", f"{found}, for make test")
    return note("Chromium", "none: `make test` needs it; on Debian install the package chromium")
