"""The real web process on a port of its own, and people outside of it who speak HTTP.

The process runs wsgi.py under eventlet as the login role. Jobs run in the test when it says so (``Mailroom``), so that
a test decides whether worker and scheduler are there at all.
"""

from __future__ import annotations

import email
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import html5lib
import pytest
import requests
from requests.adapters import HTTPAdapter
from sqlalchemy import Engine, make_url, text

from polyclinic.app import create_app
from polyclinic.config import Settings, StripeKeys
from polyclinic.kernel.scope import Scope
from polyclinic.notifications.sink import Sink, folder_of
from polyclinic.runtime.ports import free_port
from polyclinic.web import jobs, relay
from polyclinic.web.db import db
from polyclinic.web.places import PlaceFlask
from support.cast import Cast
from support.source import ROOT

#: The process believes for so long what it read of domains; a new cast is known to it after that.
FRESH_SECONDS = 1
PATIENCE = 60.0


@dataclass(frozen=True)
class Live:
    """A running web process."""

    port: int
    settings: Settings
    log: Path
    process: subprocess.Popen[bytes]

    def url(self, host: str, path: str = "/") -> str:
        """The address of a page for a browser, which resolves ``*.localhost`` itself."""
        return f"http://{host}:{self.port}{path}"

    def person(self, host: str, address: str = "127.0.0.1") -> Person:
        """Somebody with an empty cookie jar who comes from ``address``."""
        return Person(self.port, host, address)

    def said(self) -> str:
        """What the process has logged."""
        return self.log.read_text(errors="replace")


class FromAddress(HTTPAdapter):
    """Connects from one of the loopback addresses, so that one machine can be many."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """See HTTPAdapter."""
        super().init_poolmanager(*args, source_address=(self.address, 0), **options)


class Person:
    """Visits one host over real HTTP: cookies, CSRF token of the page, forms and the API."""

    def __init__(self, port: int, host: str, address: str = "127.0.0.1") -> None:
        self.host = host
        self._base = f"http://127.0.0.1:{port}"
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.mount("http://", FromAddress(address))
        self._http.headers["Host"] = f"{host}:{port}"
        self._token = ""

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET a page and remember its CSRF token."""
        answer = self._http.get(self._base + path, timeout=PATIENCE, **options)
        self._token = token_of(answer.text) or self._token
        return answer

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> requests.Response:
        """POST a form with the token of the page seen last."""
        fields = {"csrf_token": self._token, **(data or {})}
        return self._http.post(self._base + path, data=fields, timeout=PATIENCE, **options)

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Send a request of the API as a page's script does."""
        headers = {"X-CSRFToken": self._token, **options.pop("headers", {})}
        return self._http.request(method, self._base + path, json=body, headers=headers, timeout=PATIENCE, **options)

    def leave(self) -> None:
        """Close the connections."""
        self._http.close()


def token_of(page: str) -> str | None:
    """Return the CSRF token of a page, if it has one."""
    if "csrf" not in page:
        return None
    document = html5lib.parse(page, namespaceHTMLElements=False)
    found = [meta.get("content") for meta in document.iter("meta") if meta.get("name") == "csrf-token"]
    found += [field.get("value") for field in document.iter("input") if field.get("name") == "csrf_token"]
    return str(found[0]) if found else None


def environment(settings: Settings, port: int) -> dict[str, str]:
    """What a web process of a test gets."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        "MODE": "demo",
        "POLYCLINIC_HOME": str(settings.home),
        "POLYCLINIC_ROLE_PREFIX": settings.role_prefix,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "SMTP_URL": settings.smtp_url or "",
        "ASYNC_MODE": "eventlet",
        "BIND": "127.0.0.1",
        "PORT": str(port),
        "INTERNAL_PORT": "",
        "DOMAINS_FRESH_SECONDS": str(FRESH_SECONDS),
        "PYTHONPATH": str(ROOT),
        **_of_stripe(settings.stripe),
    }


def _of_stripe(keys: StripeKeys) -> dict[str, str]:
    """How the process is told of Stripe, where the test's settings know it."""
    if keys.secret_key is None:
        return {}
    secrets = {"ACCOUNT": keys.account_secrets, "CONNECT": keys.connect_secrets, "THIN": keys.thin_secrets}
    told = {f"STRIPE_WEBHOOK_SECRETS_{name}": ",".join(words) for name, words in secrets.items()}
    return {"STRIPE_SECRET_KEY": keys.secret_key, "STRIPE_API_BASE": keys.api_base, **told}


@contextmanager
def serving(settings: Settings, name: str = "web") -> Iterator[Live]:
    """Start the web process, wait until it answers, and stop it at the end."""
    port = free_port()
    settings.home.mkdir(parents=True, exist_ok=True)
    log = settings.home / f"{name}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "wsgi.py"],
            cwd=ROOT,
            env=environment(settings, port),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(process, port, log)
        yield Live(port, replace(settings, port=port, public_port=port), log, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        finally:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            requests.get(f"http://127.0.0.1:{port}/", timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(f"the web process does not answer:\n{log.read_text(errors='replace')}")


def refused_by_database(ground: Any, settings: Settings, code: str) -> int:
    """How often PostgreSQL has refused something with ``code`` in this database, by its own log."""
    database = str(make_url(settings.database_url).database)
    log = ground.home / "logs" / "postgres.log"
    return len(re.findall(rf"\] {re.escape(database)} {code} ", log.read_text(errors="replace")))


@pytest.fixture(scope="session")
def live(settings: Settings) -> Iterator[Live]:
    """The web process of this test process's database, started once."""
    with serving(settings) as running:
        yield running


@pytest.fixture
def live_cast(live: Live, cast: Cast) -> Cast:
    """The cast, known to the running web process too."""
    time.sleep(FRESH_SECONDS + 0.05)
    return cast


class Mailroom:
    """Does in the test what scheduler, relay and worker do: from the outbox to a mail server that keeps everything."""

    def __init__(self, app: PlaceFlask, owner: Engine, folder: Path) -> None:
        self.app = app
        self.owner = owner
        self.folder = folder

    def schedule(self) -> int:
        """Announce what has become due."""
        done = 0
        while found := relay.schedule_once(db.engine):
            done += found
        return done

    def deliver(self) -> None:
        """Run every message of the outbox, and those that these write."""
        while rows := self._waiting():
            for row in rows:
                assert jobs.run_message(self.app, row.id, Scope("job", portal=row.portal_id)), self.failures()

    def _waiting(self) -> list[Any]:
        with self.owner.connect() as connection:
            return list(connection.execute(text("SELECT id, portal_id FROM outbox WHERE done_at IS NULL ORDER BY id")))

    def failures(self) -> list[Any]:
        """What went wrong with messages that are not done."""
        with self.owner.connect() as connection:
            return list(connection.execute(text("SELECT kind, failed FROM outbox WHERE failed IS NOT NULL")))

    def mails(self, to: str | None = None) -> list[EmailMessage]:
        """What has arrived (for one address), oldest first."""
        found = [
            email.message_from_bytes(path.read_bytes(), policy=default) for path in sorted(self.folder.glob("*.eml"))
        ]
        return [mail for mail in found if to is None or to in str(mail["To"])]


@pytest.fixture
def mailroom(live: Live, live_cast: Cast, owner: Engine, tmp_path: Path) -> Iterator[Mailroom]:
    """Deliver mails of the running network when asked to; links in them lead to the running process."""
    with Sink(folder_of(tmp_path), port=free_port()) as sink:
        app = create_app(replace(live.settings, home=tmp_path, smtp_url=sink.url))
        with app.app_context():
            yield Mailroom(app, owner, sink.folder)
            db.engine.dispose()
