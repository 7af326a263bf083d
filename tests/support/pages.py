"""Reading pages in tests, and counting what they ask the database."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image
from sqlalchemy import event

from polyclinic.web.db import db
from polyclinic.web.places import PlaceFlask
from support.cast import PortalCast
from support.client import Browser

#: What a public page may cost, besides fixing the scope.
STATEMENTS = 6


def page(browser: Browser, portal: PortalCast, path: str = "/", **options: Any) -> str:
    answer = browser.get(portal.host, path, **options)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


@contextmanager
def counted(app: PlaceFlask) -> Iterator[list[str]]:
    """The statements that reach the database, without those that fix the scope."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "set_config" not in statement:
            seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def picture() -> bytes:
    """A picture that can be a portrait."""
    out = io.BytesIO()
    Image.new("RGB", (400, 400), "#a87").save(out, "PNG")
    return out.getvalue()
