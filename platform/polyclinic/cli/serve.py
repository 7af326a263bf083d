"""`polyclinic serve`: one web process."""

import os
import sys

import click

from polyclinic.cli._environment import environment
from polyclinic.config import read_settings
from polyclinic.runtime.serving import serving_command


@click.command()
def serve() -> None:
    """Serve all places on PORT: eventlet by itself, gevent and threads by gunicorn (ASYNC_MODE).

    The process is replaced, because the async mode must be chosen before anything else is imported.
    """
    environ = environment()
    settings = read_settings(environ)
    argv = serving_command(settings.async_mode, settings.bind, settings.port)
    sys.stdout.flush()
    os.execve(sys.executable, argv, environ)  # noqa: S606 – our own interpreter and script
