"""Garbage in addresses, forms and JSON: refused or ignored, never an answer of 5xx."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from polyclinic.web.sockets import same_origin
from support.cast import Cast
from support.client import Browser

ENDS = ["0001-01-01", "9999-12-31", "9999-12-27", "2026-W53-7", "nonsense", "9" * 4000]


#: The same in every process: pytest-xdist compares the names of tests.
SOME_ID = "0b5c2f4e-6a1d-4c58-9a55-2f1f0c6f7d10"


def cursor(*key: Any) -> str:
    """A cursor that no list gave out."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


CURSORS = [
    "é",
    base64.urlsafe_b64encode(b"[" * 3000).decode(),
    cursor("x", "y"),
    cursor("\ud800", SOME_ID),
    cursor("a\0b", SOME_ID),
    cursor(10**400, "09:00", SOME_ID),
    cursor(10**30, "09:00", SOME_ID),
    cursor(float("inf"), "09:00", SOME_ID),
]


@pytest.mark.parametrize("day", ENDS)
def test_days_at_the_ends_of_the_calendar_are_no_days(scene: Cast, browser: Browser, day: str) -> None:
    """C2: a page that steps from week to week does not fall off the calendar."""
    profile = f"/specialists/{scene.listing(scene.alpha, scene.ada)}"
    assert browser.get(scene.alpha.host, profile, query_string={"from": day}).status_code == 200
    host = browser.sign_in(scene.ada)
    assert browser.get(host, "/calendar", query_string={"date": day}).status_code == 200
    events = browser.get(host, "/calendar/events", query_string={"from": day, "to": day})
    assert events.status_code == (422 if day != "2026-W53-7" else 200)


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2027-03-02T09:00"])
def test_an_instant_out_of_reach_is_no_time(scene: Cast, browser: Browser, start: str) -> None:
    """B2: the page says what to do and nothing is kept."""
    listing = scene.listing(scene.alpha, scene.ada)
    form = {"listing": str(listing), "service": str(scene.alpha.service), "starts": start}
    answer = browser.post(scene.alpha.host, "/book/hold", form, page=f"/specialists/{listing}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/specialists/{listing}#times")


@pytest.mark.parametrize("page", [10**30, -(10**30), "x"])
def test_pages_that_nobody_turns_to_are_empty(scene: Cast, browser: Browser, page: Any) -> None:
    """W1: a number larger than the database can count is a page like any other."""
    for actor in (scene.alpha.patient, scene.ada):
        host = browser.sign_in(actor)
        assert browser.get(host, "/appointments", query_string={"page": page}).status_code == 200


@pytest.mark.parametrize("wrong", CURSORS)
def test_a_cursor_that_no_list_gave_out_is_refused(scene: Cast, browser: Browser, wrong: str) -> None:
    """W1: what, where, what was expected."""
    host = browser.sign_in(scene.ada)
    for path in ("/api/v1/availability-rules", "/api/v1/appointments", "/api/v1/patients"):
        answer = browser.get(host, path, query_string={"cursor": wrong})
        assert answer.status_code == 422, (path, answer.get_data(as_text=True))
        assert "cursor" in answer.get_json()["errors"]


@pytest.mark.parametrize(
    "body", [b'{"name": "\\ud800"}', b'{"\\udfff": 1}', b'{"name": ["\\u0000"]}', b"[" * 5000, b'{"name":' * 3000]
)
def test_json_that_cannot_be_stored_or_read_is_refused(scene: Cast, browser: Browser, body: bytes) -> None:
    """W1, V15.3.3: half a surrogate pair, U+0000, a document nested beyond reading."""
    host = browser.sign_in(scene.alpha.patient)
    token = browser.token(host, "/account")
    answer = browser.send(
        "PATCH",
        host,
        "/api/v1/me",
        data=body,
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("origin", [None, "null", "http://[", "http://beta.localhost:8000", "http://alpha.localhost"])
def test_a_handshake_of_another_origin_is_refused(origin: str | None) -> None:
    """M5: whatever the header holds; only a page of the very host may listen."""
    assert not same_origin(origin, {"HTTP_HOST": "alpha.localhost:8000"})
    assert same_origin("http://alpha.localhost:8000", {"HTTP_HOST": "ALPHA.localhost:8000"})
