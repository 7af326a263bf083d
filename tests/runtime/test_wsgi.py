"""R2: the web process: it patches first, never waits for the database in C, and stops gracefully."""

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from polyclinic.resources import shipped
from polyclinic.runtime.leash import wait_until
from support.source import ROOT

pytestmark = pytest.mark.slow

SLEEPS = """
from wsgi import settings
import time, psycopg, eventlet
from polyclinic.runtime.schema import plain

def sleep(_):
    with psycopg.connect(plain(settings.database_url)) as connection:
        connection.execute("SELECT pg_sleep(0.3)")

pool = eventlet.GreenPool(10)
list(pool.imap(sleep, range(10)))
began = time.monotonic()
list(pool.imap(sleep, range(10)))
print(time.monotonic() - began)
"""
NO_DELAY = """
import socket
from wsgi import listen, settings
import eventlet
listener = listen(settings)
client = eventlet.connect(("127.0.0.1", settings.port))
accepted, _ = listener.accept()
print(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
"""


def _run(code: str, environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    run = [sys.executable, "-c", code]
    return subprocess.run(run, env=environ, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def _ask(port: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


@contextmanager
def _served(environ: dict[str, str]) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(
        [sys.executable, "wsgi.py"], cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert wait_until(lambda: _ask(environ["INTERNAL_PORT"], "/ready")[0] == 200, 30, every=0.1)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_waits_for_the_database_do_not_add_up(environ: dict[str, str]) -> None:
    """Ten waits at once take hardly longer than one; without wait_select they would take 3 s."""
    answer = _run(SLEEPS, environ)
    assert answer.returncode == 0, answer.stderr
    assert float(answer.stdout) < 1.5


def test_a_driver_that_waits_in_c_is_refused(environ: dict[str, str]) -> None:
    answer = _run("import wsgi", environ | {"PSYCOPG_WAIT_FUNC": "wait_c"})
    assert answer.returncode == 1
    assert "psycopg waits with wait_c; expected wait_select" in answer.stderr


def test_answers_are_sent_without_delay(environ: dict[str, str]) -> None:
    """TCP_NODELAY is set on the listener, and accepted sockets inherit it."""
    answer = _run(NO_DELAY, environ)
    assert answer.stdout.strip() == "1", answer.stderr


def test_wrong_settings_are_all_named_and_nothing_is_served(environ: dict[str, str]) -> None:
    answer = _run("import wsgi", environ | {"PORT": "x", "SECRET_KEY": ""})
    assert answer.returncode == 1
    assert [line.split()[0] for line in answer.stderr.splitlines()] == ["PORT", "SECRET_KEY"]


def test_the_internal_port_tells_health_readiness_and_metrics(environ: dict[str, str]) -> None:
    internal = environ["INTERNAL_PORT"]
    with _served(environ):
        assert _ask(internal, "/health") == (200, "ok\n")
        assert json.loads(_ask(internal, "/ready")[1]) == {"ready": True, "problems": {}}
        assert "\npolyclinic_ready{pid=" in _ask(internal, "/metrics")[1]
        assert _ask(internal, "/other")[0] == 404
        assert _ask(environ["PORT"], "/ready")[0] == 404  # P1: not on the public port


def test_it_is_not_ready_without_its_queue(environ: dict[str, str], tmp_path: Path) -> None:
    nowhere = environ | {"REDIS_URL": f"unix://{tmp_path}/nobody.sock"}
    process = subprocess.Popen([sys.executable, "wsgi.py"], cwd=ROOT, env=nowhere, stdout=subprocess.PIPE, text=True)
    try:
        assert wait_until(lambda: _ask(nowhere["INTERNAL_PORT"], "/ready")[0] == 503, 30, every=0.1)
        problems = json.loads(_ask(nowhere["INTERNAL_PORT"], "/ready")[1])["problems"]
        assert problems == {"redis": "ConnectionError"}
    finally:
        process.kill()
        process.communicate()


def test_sigterm_finishes_what_is_under_way(environ: dict[str, str]) -> None:
    """R2: graceful shutdown: not ready any more, no new connections, a begun request is answered, exit code 0."""
    port = int(environ["PORT"])
    address = ("127.0.0.1", port)
    with (
        _served(environ) as process,
        socket.create_connection(address) as begun,
        socket.create_connection(address) as idle,
    ):
        begun.sendall(
            b"POST /x?secret=query HTTP/1.1\r\nHost: nobody.example\r\nContent-Length: 4\r\nConnection: close\r\n"
        )
        assert _ask(environ["PORT"], "/later")[0] == 404  # so what was sent before it has been read
        process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: _ask(environ["INTERNAL_PORT"], "/ready")[0] == 503, 10)
        begun.sendall(b"\r\nbody")
        assert begun.recv(4096).startswith(b"HTTP/1.1 404 ")
        assert process.wait(15) == 0
        assert idle.recv(1) == b""
        said = process.stdout.read() if process.stdout else ""
    assert "POST nobody.example/x\n" in said
    assert "secret" not in said


def test_a_taken_port_is_said_in_a_sentence(environ: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environ["PORT"])))
        taken.listen()
        answer = subprocess.run(
            [sys.executable, "wsgi.py"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60
        )
    assert answer.returncode == 1
    assert f"Port {environ['PORT']} is taken" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_script_ships_with_the_product() -> None:
    assert shipped("wsgi.py") == ROOT / "wsgi.py"
