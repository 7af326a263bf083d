"""PostgreSQL is away for some seconds, as after a crash: every answer is a 503 that says so, then all is well again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, create_engine, text

from support.cast import Cast
from support.client import Browser


@pytest.fixture
def away(owner: Engine, scene: Cast) -> Iterator[None]:
    """The database ends every connection and lets nobody in, as long as the test runs."""
    with _closed(owner):
        yield


@contextmanager
def _closed(owner: Engine) -> Iterator[None]:
    name = owner.url.database
    owner.dispose()
    outside = create_engine(owner.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with outside.connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        try:
            ending = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
            connection.execute(ending, {"name": name})
            yield
        finally:
            connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
    outside.dispose()


def test_every_answer_says_so_and_nothing_breaks(request: pytest.FixtureRequest, scene: Cast, browser: Browser) -> None:
    """V16.5.2: pages, refusals (which ask who is reading) and the API; the hosts are known although nobody can ask."""
    host = browser.sign_in(scene.alpha.patient)
    assert browser.get(host, "/account").status_code == 200
    request.getfixturevalue("away")
    browser.app.places.forget()
    for path in ("/account", "/nothing-here", "/api/v1/me", "/api/v1/nothing-here"):
        answer = browser.get(host, path)
        assert answer.status_code == 503, path
        assert answer.headers["Retry-After"]
    refused = browser.send("POST", host, "/book/hold", None)
    assert refused.status_code == 503, "without a token of its page, and nobody can be asked in which language"
    assert browser.get("nobody.localhost", "/").status_code == 404


def test_afterwards_all_is_well(scene: Cast, browser: Browser, owner: Engine) -> None:
    """V16.5.2: without a restart."""
    host = browser.sign_in(scene.alpha.patient)
    with _closed(owner):
        assert browser.get(host, "/account").status_code == 503
    assert browser.get(host, "/account").status_code == 200
