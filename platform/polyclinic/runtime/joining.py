"""Let commands join a running demonstration: its environment, kept in the home while it runs."""

import json
from collections.abc import Mapping
from pathlib import Path

from polyclinic.runtime.demofile import write_json
from polyclinic.runtime.leash import alive

NAME = "environment.json"


def keep_environment(home: Path, pid: int, environ: Mapping[str, str]) -> None:
    """Keep what the processes of this start were given (0600: it holds passwords)."""
    write_json(home / NAME, {"pid": pid, "environment": dict(environ)})


def forget_environment(home: Path) -> None:
    """The start is over."""
    (home / NAME).unlink(missing_ok=True)


def joined_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command: its own, completed by the demonstration that runs in its home.

    An environment that names a mode or a database stands for itself.
    """
    if environ.get("MODE") or environ.get("DATABASE_URL"):
        return dict(environ)
    home = Path(environ.get("POLYCLINIC_HOME") or "var")
    try:
        kept = json.loads((home / NAME).read_text())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return dict(environ)
    return {**kept["environment"], **environ} if alive(int(kept["pid"])) else dict(environ)
