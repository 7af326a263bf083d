"""U1, U2, W1: one's own account: profile, password, sign-ins, API tokens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Engine, text

from polyclinic.kernel.actor import Actor
from polyclinic.web.places import PlaceFlask
from support.cast import PASSWORD, Cast
from support.client import Browser

ME = "/api/v1/me"


def people(cast: Cast) -> list[Actor]:
    """One of each kind."""
    return [cast.alpha.patient, cast.sam, cast.oskar]


def make_token(browser: Browser, host: str, *scopes: str) -> str:
    """Make a token on the account page and read its secret."""
    form = {"name": "Calendar at home", "scopes": list(scopes), "days": "30"}
    page = browser.post(host, "/account/tokens", form).get_data(as_text=True)
    found = re.search(r'id="new-token"><bdi>([\w-]{43})</bdi>', page)
    assert found is not None
    return found[1]


def ask(app: PlaceFlask, host: str, token: str, method: str = "GET", json: Any = None, path: str = ME) -> Any:
    """Ask the API as a program without cookies."""
    return Browser(app).send(method, host, path, json=json, headers={"Authorization": f"Bearer {token}"})


def test_everybody_changes_their_profile(cast: Cast, browser: Browser, app: PlaceFlask, owner: Engine) -> None:
    """U2: name, language, zone, and telephone where there is one; audited by the names of the fields."""
    for actor in people(cast):
        host = browser.sign_in(actor)
        form = {"name": "New Name", "phone": "+49 30 5550 1820", "locale": "de", "zone": "Asia/Tokyo"}
        assert browser.post(host, "/account", form).status_code == 303
        me = browser.send("GET", host, ME).json
        assert me is not None
        assert (me["kind"], me["email"], me["name"]) == (actor.kind, actor.email, "New Name")
        assert (me["locale"], me["zone"]) == ("de", "Asia/Tokyo")
        assert me.get("phone") == (None if actor.kind == "operator" else "+49 30 5550 1820")
        assert '<html lang="de"' in browser.get(host, "/account").get_data(as_text=True)
    with owner.connect() as connection:
        query = text("SELECT detail FROM audit_event WHERE action = 'patient.updated'")
        assert connection.execute(query).scalar_one() == {"fields": ["name", "phone", "zone"]}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "\u200b "}, "name"),
        ({"locale": "fr"}, "locale"),
        ({"zone": "Europe/Nowhere"}, "zone"),
        ({"phone": "call me"}, "phone"),
        ({"email": "x@example.org"}, "email"),
        ({"state": "active"}, "state"),
    ],
)
def test_wrong_changes_are_refused_by_field(cast: Cast, browser: Browser, change: dict[str, str], field: str) -> None:
    """W1: 422 with the field; nothing is changed. Address and state are not one's own to change."""
    host = browser.sign_in(cast.alpha.patient)
    before = browser.send("GET", host, ME).json
    headers = {"X-CSRFToken": browser.token(host, "/account")}
    answer = browser.send("PATCH", host, ME, json={"name": "X", **change}, headers=headers)
    assert answer.status_code == 422
    assert answer.json is not None and field in str(answer.json["errors"])
    assert browser.send("GET", host, ME).json == before


def test_a_stranger_has_no_profile(cast: Cast, browser: Browser) -> None:
    """W1: 401 as problem+json, on each place."""
    for host in (cast.alpha.host, cast.specialists_host, cast.admin_host):
        answer = browser.send("GET", host, ME)
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")


def test_a_new_password_ends_all_other_sign_ins(cast: Cast, browser: Browser, app: PlaceFlask) -> None:
    """V7.2.4: and gives this one a new token."""
    for actor in people(cast):
        other = Browser(app)
        host = browser.sign_in(actor)
        other.sign_in(actor)
        before = browser.cookie(host, "sid")
        form = {"current": PASSWORD, "new": "another long sentence"}
        assert browser.post(host, "/account/security", form).status_code == 303
        assert browser.get(host, "/account").status_code == 200
        assert browser.cookie(host, "sid") != before
        assert other.get(host, "/account").status_code == 303


def test_a_new_password_needs_the_old_one(cast: Cast, browser: Browser) -> None:
    """V7.5.1: whoever finds a browser signed in does not take the account over."""
    host = browser.sign_in(cast.sam)
    answer = browser.post(host, "/account/security", {"current": "wrong", "new": "another long sentence"})
    assert answer.status_code == 422
    assert "not your present password" in answer.get_data(as_text=True)


def test_without_a_password_a_fresh_sign_in_is_needed(cast: Cast, browser: Browser, owner: Engine) -> None:
    """V7.5.1: a code was entered within the last 15 minutes."""
    host = browser.sign_in(cast.alpha.patient)
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM credential WHERE subject_kind = 'patient'"))
        connection.execute(text("UPDATE sign_in SET created_at = created_at - interval '16 minutes'"))
    assert browser.post(host, "/account/security", {"new": "another long sentence"}).status_code == 422
    browser.sign_in(cast.alpha.patient)
    assert browser.post(host, "/account/security", {"new": "another long sentence"}).status_code == 303


def test_sign_ins_are_listed_and_revoked(cast: Cast, browser: Browser, app: PlaceFlask, owner: Engine) -> None:
    """U1: one by one, or all others; never somebody else's (I2)."""
    host = browser.sign_in(cast.alpha.patient)
    others = [Browser(app), Browser(app), Browser(app)]
    for other in others:
        other.sign_in(cast.alpha.patient)
    stranger = Browser(app)
    stranger.sign_in(cast.alpha.other_patient)
    revoke = re.compile(r'action="(/account/sign-ins/[0-9a-f-]{36}/revoke)"')
    found = revoke.findall(browser.get(host, "/account/security").get_data(as_text=True))
    assert len(found) == 3
    assert stranger.post(host, found[0], page="/account").status_code == 404
    assert browser.post(host, found[0], page="/account").status_code == 303
    assert sorted(other.get(host, "/account").status_code for other in others) == [200, 200, 303]
    assert browser.post(host, "/account/sign-ins/revoke-others", page="/account").status_code == 303
    assert [other.get(host, "/account").status_code for other in others] == [303, 303, 303]
    assert browser.get(host, "/account").status_code == stranger.get(host, "/account").status_code == 200


def test_a_token_acts_for_its_owner_in_its_place_only(cast: Cast, browser: Browser, app: PlaceFlask) -> None:
    """W1, P2: Bearer, without cookies and CSRF; on every other host it is unknown."""
    hosts = [portal.host for portal in cast.portals] + [cast.specialists_host, cast.admin_host]
    for actor in people(cast):
        home = browser.sign_in(actor)
        token = make_token(browser, home, "profile:read", "profile:write")
        for host in hosts:
            assert ask(app, host, token).status_code == (200 if host == home else 401), (actor.kind, host)
        assert ask(app, home, token).json["id"] == str(actor.id)
        assert ask(app, home, token, "PATCH", {"name": "By Token"}).json["name"] == "By Token"
        assert token not in browser.get(home, "/account/tokens").get_data(as_text=True)


def test_a_token_does_what_its_scopes_say(cast: Cast, browser: Browser, app: PlaceFlask) -> None:
    """W1: another scope is 403; pages know no tokens, so it never makes or revokes anything there."""
    host = browser.sign_in(cast.sam)
    token = make_token(browser, host, "profile:read")
    answer = ask(app, host, token, "PATCH", {"name": "X"})
    assert (answer.status_code, answer.json["code"]) == (403, "scope-missing")
    assert ask(app, host, token, path="/account/tokens").status_code == 303
    assert ask(app, host, token, "POST", path="/account/sign-ins/revoke-others").status_code == 400


@pytest.mark.parametrize("scopes", [[], ["everything"], ["profile:read", "everything"]])
def test_tokens_have_scopes_that_exist(cast: Cast, browser: Browser, scopes: list[str]) -> None:
    """W1: at least one, of those offered."""
    host = browser.sign_in(cast.sam)
    answer = browser.post(host, "/account/tokens", {"name": "X", "scopes": scopes, "days": "30"})
    assert answer.status_code == 422
    assert "new-token" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "ended",
    [
        "UPDATE api_token SET revoked_at = clock_timestamp()",
        "UPDATE api_token SET expires_at = clock_timestamp()",
        "UPDATE specialist SET state = 'suspended'",
    ],
)
def test_an_ended_token_is_refused(cast: Cast, browser: Browser, app: PlaceFlask, owner: Engine, ended: str) -> None:
    """W1, V7.4.2: at once, as problem+json."""
    token = make_token(browser, browser.sign_in(cast.sam), "profile:read")
    assert ask(app, cast.specialists_host, token).status_code == 200
    with owner.begin() as connection:
        connection.execute(text(ended))
    answer = ask(app, cast.specialists_host, token)
    assert (answer.status_code, answer.json["code"]) == (401, "token-invalid")


def test_tokens_are_revoked_by_their_owner(cast: Cast, browser: Browser, app: PlaceFlask) -> None:
    """I2: nobody else's; the audit has both events."""
    host = browser.sign_in(cast.alpha.patient)
    token = make_token(browser, host, "profile:read")
    [path] = re.findall(r'action="(/account/tokens/[0-9a-f-]{36}/revoke)"', browser.get(host, "/account/tokens").text)
    stranger = Browser(app)
    stranger.sign_in(cast.alpha.other_patient)
    assert stranger.post(host, path, page="/account").status_code == 404
    assert ask(app, host, token).status_code == 200
    assert browser.post(host, path, page="/account").status_code == 303
    assert ask(app, host, token).status_code == 401
