"""Pages and bookings over HTTP, on one web process with 8 connections, as browsers and programs ask for them."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.bookers import booker, fill_people
from benchmarks.ground import PREFIX, Ground, fill
from benchmarks.measuring import Row
from polyclinic.runtime.ports import free_port

CLIENTS, SECONDS, ROUNDS, LISTINGS = 8, 2.0, 3, 24
HOST = "p0.localhost"
ROOT = Path(__file__).parents[1]
#: A page of the product that asks the database about three times: what a booking is measured against.
THREE_QUERIES = "/agreements/terms"
_PUBLIC = (
    "INSERT INTO domain (host, place, portal_id, canonical)"
    " SELECT slug || '.localhost', 'portal', id, true FROM portal",
    "INSERT INTO portal_setting (portal_id, key, value) SELECT id, key, value::jsonb FROM portal,"
    " (VALUES ('money.currency', '\"EUR\"'), ('brand.name', '\"Bench\"'), ('brand.sender', '\"b@example.org\"'),"
    " ('language.locales', '[\"en\"]'), ('language.time_zone', '\"UTC\"'), ('pricing.policy', '\"fixed\"'))"
    " AS chosen (key, value)",
    "UPDATE published_profile SET name = 'Specialist ' || left(sort_name, 6), title = '{\"en\": \"Physiotherapist\"}',"
    " bio = jsonb_build_object('en', repeat('Listens first, explains, and stays at your side. ', 6))",
    "WITH made AS (INSERT INTO agreement (id, portal_id, slug, gate)"
    " SELECT gen_random_uuid(), id, 'terms', 'joining' FROM portal RETURNING id, portal_id)"
    " INSERT INTO agreement_version (id, portal_id, agreement_id, version, locale, title, body, hash)"
    " SELECT gen_random_uuid(), portal_id, id, 1, 'en', 'Terms', repeat('These are the terms. ', 400), 'x' FROM made",
)


def rows(ground: Ground) -> Iterator[Row]:
    """Measure a public page against a bare one of its size, then bookings against a small page of the product."""
    with ground.owner.begin() as connection:
        fill(connection, portals=1, specialists=LISTINGS, claims=20)
        for statement in _PUBLIC:
            connection.execute(text(statement))
    with _web(ground) as port:
        size = len(_Client(port).get("/specialists"))
        with _bare(ground, size) as bare:
            pages, plain = _rates(
                lambda number: _reader(port, number, "/specialists"), lambda number: _reader(bare, number, "/")
            )
        note = f"{size // 1000} kB, {CLIENTS} connections"
        yield _at_least("public page: the directory", "bare Flask and Jinja, 3 queries", pages, plain, 0.4, note)
        fill_people(ground)
        booked, read = _rates(
            lambda number: booker(ground, _Client(port, number), number, CLIENTS),
            lambda number: _reader(port, number, THREE_QUERIES),
        )
        note = "hold, then consent and details"
        yield _at_least(
            "booking, 8 clients, distinct slots", "the product's page of 3 queries", booked, read, 0.5, note
        )


def _at_least(name: str, baseline: str, figure: float, base: float, limit: float, note: str = "") -> Row:
    return Row(name, baseline, figure, base, "/s", f"≥ {limit:g} ×", figure >= limit * base, note)


class _Client:
    """One connection that stays open, from an address of its own, with the cookies it was given."""

    def __init__(self, port: int, number: int = 0) -> None:
        address = f"127.0.0.{20 + number}"
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(address, 0))
        self._headers = {"Host": f"{HOST}:{port}"}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """Send a request and read all of the answer."""
        content = None if body is None else json.dumps(body)
        kind = {"Content-Type": "application/json"} if content else {}
        self._http.request(method, path, content, {**self._headers, **kind, **headers})
        answer = self._http.getresponse()
        cookies = [value.partition(";")[0] for value in answer.headers.get_all("Set-Cookie") or []]
        if cookies:
            known = dict(one.split("=", 1) for one in self._headers.get("Cookie", "").split("; ") if one)
            known |= dict(one.split("=", 1) for one in cookies)
            self._headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in known.items())
        return answer.status, answer.read()

    def get(self, path: str) -> bytes:
        """GET a page that must be there."""
        status, content = self.ask("GET", path)
        if status != 200:
            raise AssertionError(f"{path}: {status}")
        return content


def _reader(port: int, number: int, path: str) -> Callable[[], None]:
    client = _Client(port, number)
    client.get(path)
    return lambda: client.get(path) and None


def _rates(*workers: Callable[[int], Callable[[], None]]) -> list[float]:
    """Let 8 clients do each thing for a while, in turn, and return the median of how often a second."""
    found: list[list[float]] = [[] for _ in workers]
    ready = [[make(number) for number in range(CLIENTS)] for make in workers]
    for turn in range(ROUNDS + 1):
        for place, runs in enumerate(ready):
            rate = _rate(runs)
            if turn:  # the first one warms up
                found[place].append(rate)
    return [statistics.median(rates) for rates in found]


def _rate(runs: list[Callable[[], None]]) -> float:
    done, failed = [0] * len(runs), []
    end = time.perf_counter() + SECONDS

    def work(number: int) -> None:
        try:
            while time.perf_counter() < end:
                runs[number]()
                done[number] += 1
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(runs))]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return sum(done) / (time.perf_counter() - began)


@contextmanager
def _web(ground: Ground) -> Iterator[int]:
    """Run the product's web process."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="polyclinic-") as home:
        environ = {
            "MODE": "demo",
            "POLYCLINIC_HOME": home,
            "POLYCLINIC_ROLE_PREFIX": PREFIX,
            "DATABASE_URL": ground.login.url.render_as_string(hide_password=False),
            "REDIS_URL": ground.redis_url,
            "SECRET_KEY": "benchmarks only: not a secret, but long enough",
            "ASYNC_MODE": "eventlet",
            "PORT": str(port),
        }
        with _process(port, environ, "wsgi.py"):
            yield port


@contextmanager
def _bare(ground: Ground, size: int) -> Iterator[int]:
    """Run the baseline on the same database."""
    port = free_port()
    environ = {"DATABASE_URL": ground.login.url.render_as_string(hide_password=False)}
    with _process(port, environ, "-m", "benchmarks.bare", str(port), str(size)):
        yield port


@contextmanager
def _process(port: int, environ: dict[str, str], *arguments: str) -> Iterator[None]:
    with ExitStack() as finally_:
        log = finally_.enter_context(tempfile.TemporaryFile())
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environ},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        finally_.callback(process.wait)
        finally_.callback(process.terminate)
        end = time.monotonic() + 30
        while not answers(port):
            if process.poll() is not None or time.monotonic() > end:
                log.seek(0)
                raise AssertionError(log.read().decode(errors="replace")[-2000:])
            time.sleep(0.05)
        try:
            yield
        except AssertionError as error:
            log.seek(0)
            error.add_note(log.read().decode(errors="replace")[-3000:])
            raise


def answers(port: int) -> bool:
    """Whether somebody answers on a port."""
    try:
        _Client(port).ask("GET", "/")
    except OSError:
        return False
    return True
