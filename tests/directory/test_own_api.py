"""A specialist's own listings and profile in the API: theirs alone, by each portal's rules."""

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from support.cast import Cast
from support.client import Browser
from support.factories import MakeToken
from support.pages import picture

Call = Callable[..., TestResponse]
SCOPES = ("listings:read", "listings:write", "profile:read", "profile:write")


@pytest.fixture
def call(cast: Cast, browser: Browser, api_token: MakeToken) -> Call:
    """Return a callable that sends a request as Sam, whose token may do everything here."""
    token = api_token(cast.sam, *SCOPES)

    def send(method: str, path: str, json: Any = None, **options: Any) -> TestResponse:
        return browser.send(method, cast.specialists_host, f"/api/v1{path}", json, headers=token, **options)

    return send


def test_listings_of_all_portals_are_listed(cast: Cast, call: Call) -> None:
    """S6, I3: each with its portal and its public address there."""
    found = {one["portal"]: one for one in call("GET", "/listings").get_json()["items"]}
    assert set(found) == {"alpha", "beta"}
    assert found["alpha"]["id"] == str(cast.listing(cast.alpha, cast.sam))
    assert "alpha.localhost" in found["alpha"]["url"]


def test_a_listing_is_paused_resumed_and_limited(cast: Cast, call: Call, browser: Browser) -> None:
    """S6: and the public notices at once."""
    path = f"/listings/{cast.listing(cast.beta, cast.sam)}"
    public = f"/api/v1/specialists/{cast.listing(cast.beta, cast.sam)}"
    assert call("PATCH", path, {"state": "paused", "capacity": 4}).get_json()["capacity"] == 4
    assert browser.get(cast.beta.host, public).status_code == 404
    assert call("PATCH", path, {"state": "listed"}).get_json()["state"] == "listed"
    assert browser.get(cast.beta.host, public).status_code == 200
    assert call("PATCH", path, {"state": "rejected"}).status_code == 422
    assert call("PATCH", f"/listings/{cast.listing(cast.beta, cast.ben)}", {"state": "paused"}).status_code == 404


def test_services_are_replaced_as_the_pricing_policy_allows(cast: Cast, call: Call) -> None:
    """E2: own prices on Beta, none on Alpha."""
    own = f"/listings/{cast.listing(cast.beta, cast.sam)}/services"
    fixed = f"/listings/{cast.listing(cast.alpha, cast.sam)}/services"
    wanted = {"items": [{"service": str(cast.beta.service), "price_minor": 9100}]}
    assert call("PUT", own, wanted).get_json()["items"][0]["price_minor"] == 9100
    assert call("GET", own).get_json()["items"][0]["price_minor"] == 9100
    refused = call("PUT", fixed, {"items": [{"service": str(cast.alpha.service), "price_minor": 1}]})
    assert refused.status_code == 422
    assert "first-visit" in refused.get_json()["errors"]


def test_the_profile_is_read_and_changed(cast: Cast, call: Call) -> None:
    """S3, S5: wrong fields are named, nothing is changed then."""
    assert call("PATCH", "/profile", {"bio": {"en": "I listen twice."}}).get_json()["bio"] == {"en": "I listen twice."}
    read = call("GET", "/profile")
    assert (read.get_json()["bio"]["en"], read.get_json()["completeness"]) == ("I listen twice.", 50)
    assert read.headers["ETag"]
    refused = call("PATCH", "/profile", {"languages": ["xx-yy-zz"], "bio": {"en": "No."}})
    assert (refused.status_code, list(refused.get_json()["errors"])) == (422, ["languages"])
    assert call("GET", "/profile").get_json()["bio"]["en"] == "I listen twice."


def test_a_portrait_is_the_body_of_a_request(cast: Cast, call: Call, browser: Browser) -> None:
    """M4."""
    assert call("PUT", "/profile/portrait", data=picture()).status_code == 204
    assert (
        browser.get(cast.alpha.host, f"/specialists/{cast.listing(cast.alpha, cast.sam)}/portrait").status_code == 200
    )
    for wrong in (b"", b"GIF89a"):
        assert call("PUT", "/profile/portrait", data=wrong).status_code == 422


def test_applying_follows_the_portals_admission(cast: Cast, call: Call) -> None:
    """S2: Gamma lists by invitation, an unknown portal is none."""
    assert call("POST", "/listings", {"portal": "gamma"}).status_code == 403
    assert call("POST", "/listings", {"portal": "delta"}).status_code == 404


def test_a_token_without_the_scope_is_refused(cast: Cast, browser: Browser, api_token: MakeToken) -> None:
    """W1."""
    headers = api_token(cast.sam, "profile:read")
    assert browser.send("GET", cast.specialists_host, "/api/v1/listings", headers=headers).status_code == 403
    assert browser.send("GET", cast.specialists_host, "/api/v1/profile", headers=headers).status_code == 200
