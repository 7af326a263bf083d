"""`polyclinic serve`: one web process."""

import os
import sys
from importlib.util import find_spec

import click

from polyclinic.cli._environment import environment
from polyclinic.config import read_settings
from polyclinic.resources import shipped
from polyclinic.runtime.trouble import Trouble


@click.command()
def serve() -> None:
    """Serve all places on PORT: eventlet by itself, gevent and threads by gunicorn (ASYNC_MODE).

    The process is replaced, because the async mode must be chosen before anything else is imported.
    """
    environ = environment()
    settings = read_settings(environ)
    script = shipped("wsgi.py")
    if settings.async_mode == "eventlet":
        argv = [sys.executable, str(script)]
    else:
        _check_gunicorn(settings.async_mode)
        worker = {"gevent": ["gevent", "-w", "1"], "threading": ["gthread", "-w", "1", "--threads", "64"]}
        argv = [
            sys.executable,
            "-m",
            "gunicorn",
            "--chdir",
            str(script.parent),
            "-b",
            f"{settings.bind}:{settings.port}",
        ]
        argv += ["--keep-alive", "75", "--backlog", "2048", "-k", *worker[settings.async_mode], "wsgi:app"]
    sys.stdout.flush()
    os.execve(sys.executable, argv, environ)  # noqa: S606 – our own interpreter and script


def _check_gunicorn(async_mode: str) -> None:
    for package in ("gunicorn", *(["gevent"] if async_mode == "gevent" else [])):
        if find_spec(package) is None:
            raise Trouble(
                f"ASYNC_MODE={async_mode} is served by gunicorn, and {package} is not installed. Install "
                "polyclinic[gevent], or serve with ASYNC_MODE=eventlet."
            )
