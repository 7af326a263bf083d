"""P2, V3.3: over TLS every cookie is Secure and carries the __Host- prefix, so that no sibling host can set it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from polyclinic.app import create_app
from polyclinic.config import Settings
from polyclinic.web.db import db
from polyclinic.web.places import PlaceFlask
from support.cast import PASSWORD, SHARED_EMAIL, Cast
from support.client import Browser


@pytest.fixture
def secure(settings: Settings) -> Iterator[PlaceFlask]:
    """The application behind TLS."""
    app = create_app(replace(settings, scheme="https", pool_size=2))
    yield app
    with app.app_context():
        db.engine.dispose()


def test_cookies_over_tls(cast: Cast, secure: PlaceFlask) -> None:
    """P2: and one without the prefix, which a sibling could have set, counts for nothing."""
    host, client = cast.alpha.host, secure.test_client()
    base = f"https://{host}"
    page = client.get("/sign-in", base_url=base).get_data(as_text=True)
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    form = {"email": SHARED_EMAIL, "password": PASSWORD, "csrf_token": token}
    answer = client.post("/sign-in", data=form, base_url=base, headers={"Referer": f"{base}/sign-in"})
    assert answer.status_code == 303
    for header in answer.headers.getlist("Set-Cookie"):
        assert header.startswith("__Host-") and "Secure" in header and "Path=/" in header, header
        assert "Domain" not in header and "HttpOnly" in header
    kept = client.get_cookie("__Host-sid", domain=host)
    assert kept is not None
    assert client.get("/account", base_url=base).status_code == 200
    tossed = Browser(secure)
    tossed.keep(host, "sid", kept.value)
    assert tossed.get(host, "/account").status_code == 303
