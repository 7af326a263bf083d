"""A browser for tests of whole requests: one cookie jar per host, CSRF tokens read from pages."""

from __future__ import annotations

from typing import Any

import html5lib
from werkzeug.test import TestResponse

from polyclinic.identity.people import MODELS, Client, entrance_of
from polyclinic.identity.signins import open_sign_in
from polyclinic.kernel.actor import Actor
from polyclinic.web.auth import cookie_name
from polyclinic.web.db import engine, open_session
from polyclinic.web.places import PlaceFlask


class Browser:
    """Visits hosts of the application as one person would."""

    def __init__(self, app: PlaceFlask) -> None:
        self.app = app
        self._client = app.test_client()

    def get(self, host: str, path: str = "/", **options: Any) -> TestResponse:
        """GET a page of a host."""
        return self._client.get(path, base_url=f"http://{host}:8000", **options)

    def head(self, host: str, path: str = "/", **options: Any) -> TestResponse:
        """Ask for the headers of a page."""
        return self._client.head(path, base_url=f"http://{host}:8000", **options)

    def post(self, host: str, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """POST a form, bringing the CSRF token of ``page`` (by default the page itself)."""
        page = options.pop("page", path)
        fields = dict(data or {})
        if "csrf_token" not in fields:
            fields["csrf_token"] = self.token(host, page)
        return self._client.post(path, data=fields, base_url=f"http://{host}:8000", **options)

    def send(self, method: str, host: str, path: str, json: Any = None, **options: Any) -> TestResponse:
        """Send a request of the API."""
        return self._client.open(path, method=method, json=json, base_url=f"http://{host}:8000", **options)

    def sign_in(self, actor: Actor) -> str:
        """Open a real sign-in for one of the cast, keep its cookie, and return the host where it counts."""
        places = self.app.places
        portal = places.portal(actor.portal_id) if actor.portal_id else None
        host = portal.host if portal else places.host("specialists" if actor.kind == "specialist" else "admin")
        place = places.find(host or "")
        assert host is not None and place is not None
        with self.app.app_context():
            entrance = entrance_of(place)
            with open_session(engine(), entrance.scope) as session:
                person = session.get_one(MODELS[actor.kind], actor.id)
                opened = open_sign_in(session, entrance, person, Client("127.0.0.1", "tests"), how="test")
            self.keep(host, cookie_name("sid"), opened.token)
        return host

    def keep(self, host: str, name: str, value: str) -> None:
        """Keep a cookie as if ``host`` had set it."""
        self._client.set_cookie(name, value, domain=host)

    def cookie(self, host: str, name: str) -> str | None:
        """Return the value of a cookie of a host."""
        found = self._client.get_cookie(name, domain=host)
        return found.value if found else None

    def token(self, host: str, page: str) -> str:
        """Read the CSRF token from a page."""
        text = self.get(host, page).get_data(as_text=True)
        document = html5lib.parse(text, namespaceHTMLElements=False)
        for meta in document.iter("meta"):
            if meta.get("name") == "csrf-token":
                return str(meta.get("content"))
        for field in document.iter("input"):
            if field.get("name") == "csrf_token":
                return str(field.get("value"))
        raise AssertionError(f"no CSRF token on {host}{page}")
