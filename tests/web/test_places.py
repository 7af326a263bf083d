"""P1, P2: the host decides the place and the tenant before anything else runs."""

import pytest

from polyclinic.web.places import CrossPlace, PlaceFlask, link_to
from support.cast import Cast
from support.client import Browser


@pytest.mark.parametrize("host", ["nobody.localhost", "evil.example", "portal", "alpha.localhost.evil.example", ""])
def test_unknown_host_hears_404_and_no_hint(cast: Cast, browser: Browser, host: str) -> None:
    """P1: nothing tells what else is served here, not even Socket.IO."""
    for path in ("/", "/api/v1/openapi.json", "/socket.io/?EIO=4&transport=polling"):
        answer = browser.get(host or "x", path)
        assert answer.status_code == 404
        assert answer.get_data() == b"Not found\n"


def test_each_place_has_its_own_openapi_document(cast: Cast, browser: Browser) -> None:
    """W1: same path, different document; hooks and dev have none."""
    titles = {}
    for host in ("alpha.localhost", "specialists.localhost", "admin.localhost"):
        answer = browser.get(host, "/api/v1/openapi.json")
        assert answer.status_code == 200
        assert answer.json is not None
        assert answer.json["openapi"] == "3.1.0"
        titles[host] = answer.json["info"]["title"]
    assert len(set(titles.values())) == 3
    assert browser.get("hooks.localhost", "/api/v1/openapi.json").status_code == 404


@pytest.mark.parametrize("spelling", ["ALPHA.localhost", "alpha.localhost.", "alpha.localhost"])
def test_spellings_of_a_host_are_one_host(cast: Cast, app: PlaceFlask, spelling: str) -> None:
    """P1: case, trailing dot and port do not matter."""
    answer = app.test_client().get("/api/v1/openapi.json", headers={"Host": f"{spelling}:8000"})
    assert answer.status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded", "X-Original-Host"])
def test_forwarded_headers_of_strangers_are_ignored(cast: Cast, app: PlaceFlask, header: str) -> None:
    """V4.1.3: only a configured proxy may say which host was asked for."""
    value = "host=alpha.localhost" if header == "Forwarded" else "alpha.localhost"
    answer = app.test_client().get("/", headers={"Host": "nobody.localhost", header: value})
    assert answer.status_code == 404


def test_links_to_other_places_use_stored_domains(cast: Cast, app: PlaceFlask) -> None:
    """T1: link_to builds on a stored host; the wrong place for an endpoint raises."""
    assert (
        link_to(app, "portal", "alpha.localhost", "portal_openapi") == "http://alpha.localhost:8000/api/v1/openapi.json"
    )
    with pytest.raises(CrossPlace):
        link_to(app, "portal", "alpha.localhost", "admin_openapi")


def test_every_rule_declares_its_place(app: PlaceFlask) -> None:
    """P1: a rule without a place would be on none; a rule of one place is a 404 on the others."""
    nowhere = [rule.rule for rule in app.url_map.iter_rules() if not rule.subdomain]
    assert nowhere == []
