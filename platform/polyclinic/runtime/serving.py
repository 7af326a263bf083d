"""The command line of a web process: eventlet serves by itself, gunicorn in the other modes (R2)."""

import sys
from importlib.util import find_spec

from polyclinic.config import AsyncMode
from polyclinic.resources import shipped
from polyclinic.runtime.trouble import Trouble


def serving_command(mode: AsyncMode, bind: str, port: int) -> list[str]:
    """Return what serves all places at an address; raises Trouble where a package for it is missing."""
    script = shipped("wsgi.py")
    if mode == "eventlet":
        return [sys.executable, str(script)]
    _check_gunicorn(mode)
    worker = {"gevent": ["gevent", "-w", "1"], "threading": ["gthread", "-w", "1", "--threads", "64"]}
    argv = [sys.executable, "-m", "gunicorn", "--chdir", str(script.parent), "-b", f"{bind}:{port}"]
    return [*argv, "--keep-alive", "75", "--backlog", "2048", "-k", *worker[mode], "wsgi:app"]


def _check_gunicorn(mode: AsyncMode) -> None:
    for package in ("gunicorn", *(["gevent"] if mode == "gevent" else [])):
        if find_spec(package) is None:
            raise Trouble(
                f"ASYNC_MODE={mode} is served by gunicorn, and {package} is not installed. Install "
                "polyclinic[gevent], or serve with ASYNC_MODE=eventlet."
            )
