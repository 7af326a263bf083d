"""V6.5.1, V6.6.3: a code has five tries, ten minutes, one use, one browser, one portal and one purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from polyclinic.web.places import PlaceFlask
from support.cast import SHARED_EMAIL, Cast
from support.client import Browser

Sent = Callable[[str], dict[str, Any]]
CODE = "/sign-in/code"


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def begun(browser: Browser, host: str, email: str = SHARED_EMAIL) -> None:
    """Have a code sent to this browser's request."""
    assert browser.post(host, "/sign-in/email", {"email": email}).location == CODE


@pytest.mark.parametrize(("tries", "status"), [(4, 303), (5, 422)])
def test_a_code_has_five_tries(cast: Cast, browser: Browser, sent: Sent, tries: int, status: int) -> None:
    """V6.6.3: the fifth may be right, the sixth is too late whatever it is; wrong tries survive their refusal."""
    begun(browser, cast.alpha.host)
    code = sent(SHARED_EMAIL)["code"]
    for _ in range(tries):
        assert browser.post(cast.alpha.host, CODE, {"code": wrong(code)}).status_code == 422
    assert browser.post(cast.alpha.host, CODE, {"code": code}).status_code == status


def test_a_code_is_used_once(cast: Cast, app: PlaceFlask, browser: Browser, sent: Sent) -> None:
    """V6.5.1: a replay of the same request from the same browser state signs nobody in."""
    host = cast.alpha.host
    begun(browser, host)
    replay = Browser(app)
    replay.keep(host, "session", browser.cookie(host, "session") or "")
    code = sent(SHARED_EMAIL)["code"]
    assert browser.post(host, CODE, {"code": code}).status_code == 303
    assert replay.post(host, CODE, {"code": code}).status_code == 422
    assert replay.get(host, "/account").status_code == 303


@pytest.mark.parametrize("column", ["expires_at", "created_at"])
def test_a_code_lives_ten_minutes(cast: Cast, browser: Browser, sent: Sent, owner: Engine, column: str) -> None:
    """V6.5.1: by real time; when it was made does not matter otherwise."""
    begun(browser, cast.alpha.host)
    with owner.begin() as connection:
        life = connection.execute(text("SELECT expires_at - created_at FROM mail_code")).scalar_one()
        assert life.total_seconds() == 600
        old = {"expires_at": "UPDATE mail_code SET expires_at = clock_timestamp()"}
        connection.execute(text(old.get(column, "UPDATE mail_code SET created_at = created_at - interval '1 h'")))
    answer = browser.post(cast.alpha.host, CODE, {"code": sent(SHARED_EMAIL)["code"]})
    assert answer.status_code == (422 if column == "expires_at" else 303)


def test_a_code_counts_in_the_browser_that_asked_for_it(
    cast: Cast, app: PlaceFlask, browser: Browser, sent: Sent
) -> None:
    """V6.5.1: somebody who reads the mail in passing has nowhere to enter it; their own request has another code."""
    begun(browser, cast.alpha.host)
    code = sent(SHARED_EMAIL)["code"]
    other = Browser(app)
    assert other.get(cast.alpha.host, CODE).location == "/sign-in"
    begun(other, cast.alpha.host)
    assert sent(SHARED_EMAIL)["code"] == code or other.post(cast.alpha.host, CODE, {"code": code}).status_code == 422


def test_a_code_of_one_portal_is_nothing_on_another(cast: Cast, app: PlaceFlask, browser: Browser, sent: Sent) -> None:
    """P2, V6.4.3: even with the page's state carried over."""
    begun(browser, cast.alpha.host)
    thief = Browser(app)
    thief.keep(cast.beta.host, "session", browser.cookie(cast.alpha.host, "session") or "")
    code = sent(SHARED_EMAIL)["code"]
    assert thief.post(cast.beta.host, CODE, {"code": code}).status_code == 422
    assert thief.get(cast.beta.host, "/account").status_code == 303


def test_a_code_for_a_new_password_does_not_sign_in_and_the_other_way_round(
    cast: Cast, app: PlaceFlask, sent: Sent, owner: Engine
) -> None:
    """V6.5.1: bound to what it was asked for."""
    host, browser = cast.alpha.host, Browser(app)
    begun(browser, host)
    with owner.begin() as connection:
        connection.execute(text("UPDATE mail_code SET purpose = 'reset'"))
    assert browser.post(host, CODE, {"code": sent(SHARED_EMAIL)["code"]}).status_code == 422


def test_a_new_code_can_be_had_for_the_same_request(cast: Cast, browser: Browser, sent: Sent) -> None:
    """U1: with everything that the registration form said."""
    host = cast.alpha.host
    browser.post(host, "/register", {"name": "Nia Newman", "email": "nia@example.org", "password": "correct horse"})
    first = sent("nia@example.org")["code"]
    assert browser.post(host, "/sign-in/again", page=CODE).location == CODE
    again = sent("nia@example.org")["code"]
    if first != again:
        assert browser.post(host, CODE, {"code": first}).status_code == 422
    assert browser.post(host, CODE, {"code": again}).status_code == 303
    assert "Nia Newman" in browser.get(host, "/account").get_data(as_text=True)


def test_codes_are_stored_as_keyed_digests(cast: Cast, browser: Browser, sent: Sent, owner: Engine) -> None:
    """V11.4: six digits would be guessed from a plain digest; the key is the installation's."""
    begun(browser, cast.alpha.host)
    code = sent(SHARED_EMAIL)["code"]
    with owner.connect() as connection:
        stored = connection.execute(text("SELECT code_hash FROM mail_code")).scalar_one()
    assert len(stored) == 64 and code not in stored


def test_the_name_is_asked_for_half_an_hour(cast: Cast, browser: Browser, sent: Sent, owner: Engine) -> None:
    """B2: a proven address does not stay proven; the account is made once."""
    host = cast.alpha.host
    begun(browser, host, "nia@example.org")
    browser.post(host, CODE, {"code": sent("nia@example.org")["code"]})
    with owner.begin() as connection:
        connection.execute(text("UPDATE mail_code SET used_at = used_at - interval '31 minutes'"))
    assert browser.post(host, "/sign-in/name", {"name": "Nia"}).status_code == 410
    with owner.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM patient WHERE email = 'nia@example.org'")).scalar_one()
    assert count == 0
