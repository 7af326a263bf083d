"""The directory in the API: the same answers as the pages, without one id too many."""

import uuid
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from polyclinic.web.places import PlaceFlask
from support.cast import Cast, PortalCast
from support.client import Browser


def get(browser: Browser, portal: PortalCast, path: str, **options: Any) -> Any:
    answer = browser.get(portal.host, f"/api/v1{path}", **options)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def test_specialists_are_listed_by_their_listings(cast: Cast, browser: Browser) -> None:
    """P4, W1: the id is the listing's, amounts are minor units with their currency."""
    found = get(browser, cast.beta, "/specialists?order=name")
    assert [one["name"] for one in found["items"]] == ["Ben", "Sam"]
    assert found["items"][0]["id"] == str(cast.listing(cast.beta, cast.ben))
    assert found["items"][0]["services"][0]["price"] == {"minor": 7500, "currency": "GBP"}
    assert found["total"] == 2


def test_lists_are_paged_by_cursor(cast: Cast, browser: Browser) -> None:
    """W1."""
    first = get(browser, cast.alpha, "/specialists?order=name&limit=2")
    second = get(browser, cast.alpha, f"/specialists?order=name&limit=2&cursor={first['next_cursor']}")
    assert [one["name"] for one in first["items"] + second["items"]] == ["Ada", "Lea", "Sam"]
    assert second["next_cursor"] is None


def test_one_specialist_has_an_etag(cast: Cast, browser: Browser) -> None:
    """W1."""
    path = f"/api/v1/specialists/{cast.listing(cast.alpha, cast.ada)}"
    first = browser.get(cast.alpha.host, path)
    assert first.get_json()["bio"].endswith("listens first.")
    again = browser.get(cast.alpha.host, path, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_services_say_what_they_cost(cast: Cast, browser: Browser) -> None:
    """E2: the span over everybody who offers one."""
    (service,) = get(browser, cast.gamma, "/services")
    assert (service["slug"], service["price_from"]) == ("first-visit", {"minor": 9000, "currency": "JPY"})


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "order=rotation", "category=" + "x" * 81])
def test_wrong_questions_are_named(cast: Cast, browser: Browser, query: str) -> None:
    """W1: problem+json with the field."""
    answer = browser.get(cast.alpha.host, f"/api/v1/specialists?{query}")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert query.partition("=")[0] in str(answer.get_json()["errors"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-24&to=2026-11-24", "to"),
        ("from=2026-11-24&to=2027-11-24", "to"),
        ("from=2026-11-24&to=2026-11-25&zone=Mars/Olympus", "zone"),
        ("from=tomorrow&to=2026-11-25", "from"),
        ("to=2026-11-25", "from"),
    ],
)
def test_wrong_spans_of_slots_are_named(cast: Cast, browser: Browser, query: str, field: str) -> None:
    """W1, C2: what, where, what was expected."""
    path = f"/api/v1/specialists/{cast.listing(cast.alpha, cast.ada)}/slots?service={cast.alpha.service}&{query}"
    answer = browser.get(cast.alpha.host, path)
    assert answer.status_code == 422
    assert field in str(answer.get_json()["errors"])


@pytest.mark.parametrize("path", ["/listings", "/profile"])
def test_a_specialists_own_things_need_a_sign_in(cast: Cast, browser: Browser, path: str) -> None:
    """U1."""
    assert browser.get(cast.specialists_host, f"/api/v1{path}").status_code == 401


def test_the_two_apis_are_strangers(cast: Cast, browser: Browser, app: PlaceFlask, owner: Engine) -> None:
    """P1: the Specialist Portal's routes are not on a portal, nor the other way round."""
    with Session(owner):
        assert browser.get(cast.alpha.host, "/api/v1/listings").status_code == 404
        assert browser.get(cast.specialists_host, "/api/v1/specialists").status_code == 404
        assert browser.get(cast.specialists_host, f"/api/v1/specialists/{uuid.uuid4()}/slots").status_code == 404
