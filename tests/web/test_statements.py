"""How many statements a public page sends, besides BEGIN and the scope's one set_config."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from polyclinic.web.db import db
from polyclinic.web.places import PlaceFlask
from support.cast import Cast
from support.client import Browser

BUDGET = 6


@contextmanager
def statements(app: PlaceFlask) -> Iterator[list[str]]:
    """Collect what the application asks the database."""
    found: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "set_config('role'" not in statement:
            found.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", listen)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", listen)


PAGES: dict[str, Callable[[Cast], str]] = {
    "home": lambda cast: "/",
    "directory": lambda cast: "/specialists",
    "profile": lambda cast: f"/specialists/{cast.listing(cast.alpha, cast.lea)}",
    "agreement": lambda cast: "/agreements/terms",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_public_page_stays_within_its_statements(cast: Cast, app: PlaceFlask, browser: Browser, page: str) -> None:
    """The host is looked up in memory, and a visitor's page needs at most six statements."""
    path = PAGES[page](cast)
    assert browser.get(cast.alpha.host, path).status_code == 200  # fills what is kept for a while
    with statements(app) as sent:
        assert browser.get(cast.alpha.host, path).status_code == 200
    assert 0 < len(sent) <= BUDGET, "\n".join(sent)
