"""The web process: picks the async mode and patches before anything else is imported, then serves the application."""

import os
import warnings

MODE = os.environ.get("ASYNC_MODE") or "eventlet"
if MODE == "eventlet":
    # Without it psycopg waits in C and blocks every request of the process (measured: 8.3 s instead of 0.9 s).
    os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_select")
    if os.environ.get("MODE") == "demo":
        # Everything is on this machine: eventlet's own resolver of names would cost 0.3 s and 7 MB for nothing.
        os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")  # docs/adr/0004
    import eventlet

    eventlet.monkey_patch()
elif MODE == "gevent":
    from gevent import monkey

    monkey.patch_all()

import json
import signal
import socket
import sys

import psycopg.waiting

from polyclinic.app import create_app
from polyclinic.config import ConfigError, Settings, read_settings
from polyclinic.runtime.access_log import AccessLog
from polyclinic.runtime.internal import Internal
from polyclinic.runtime.ports import check_free
from polyclinic.runtime.trouble import Trouble

GRACE_SECONDS = 10
"""For requests under way when the process is asked to stop; sockets that stay open are cut then."""


def check_waiting() -> None:
    """Refuse a database driver that would block the whole process."""
    if MODE == "eventlet" and psycopg.waiting.wait is not psycopg.waiting.wait_select:
        found = getattr(psycopg.waiting.wait, "__name__", "another")
        sys.exit(
            f"psycopg waits with {found}; expected wait_select with ASYNC_MODE=eventlet: anything else stops every "
            "other request while one waits for the database. Unset PSYCOPG_WAIT_FUNC."
        )


def wait_for_start() -> None:
    """Go on when told to: a demonstration starts this process before its servers, and tells their addresses later."""
    gate = os.environ.pop("START_FD", "")
    if not gate:
        return
    with open(int(gate)) as told:
        text = told.read()
    if not text:
        sys.exit("The demonstration ended before this process was to begin.")
    os.environ.clear()
    os.environ.update(json.loads(text))


def settings_or_exit() -> Settings:
    """The settings, or one line for each that is wrong."""
    try:
        return read_settings()
    except ConfigError as error:
        sys.exit(str(error))


def listen(settings: Settings) -> socket.socket:
    """Listen on BIND:PORT; exits with a sentence where that is impossible."""
    try:
        check_free(settings.port, settings.bind)
    except Trouble as trouble:
        sys.exit(str(trouble))
    listener: socket.socket = eventlet.listen((settings.bind, settings.port), backlog=2048, reuse_port=False)
    # Sockets inherit it; without it each page stalls for about 42 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way."""
    if MODE != "eventlet":
        sys.exit(f"ASYNC_MODE={MODE} is served by gunicorn: polyclinic serve")
    import eventlet.wsgi

    stop_on_signals()
    eventlet.wsgi.server(
        listen(settings),
        AccessLog(app, sys.stdout),
        keepalive=75,
        max_size=4096,
        log_output=False,
        debug=False,
    )


def stop_on_signals() -> None:
    """Turn SIGTERM and SIGINT into the end of the server's loop, and cut what lasts longer than the grace."""
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    main = eventlet.getcurrent()

    def wait_for_signal() -> None:
        eventlet.hubs.trampoline(reading, read=True)
        internal.leave()
        eventlet.spawn_after(GRACE_SECONDS, os._exit, 0)
        main.throw(SystemExit)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    eventlet.spawn_n(wait_for_signal)


check_waiting()
wait_for_start()
settings = settings_or_exit()
app = create_app(settings)
internal = Internal(settings)
internal.start()

if __name__ == "__main__":
    serve(settings)
