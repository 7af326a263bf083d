"""U1, B2, P2: coming in through pages, as people do it, without script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import Engine, text

from polyclinic.kernel.actor import Actor
from polyclinic.web.places import PlaceFlask
from support.cast import PASSWORD, SHARED_EMAIL, Cast
from support.client import Browser

Sent = Callable[[str], dict[str, Any]]
NEW = "new@example.org"


def is_in(browser: Browser, host: str) -> bool:
    """Whether this browser is signed in on a host."""
    return browser.get(host, "/account").status_code == 200


def test_everybody_signs_in_with_a_password_in_their_place(cast: Cast, browser: Browser) -> None:
    """U1, P3: patients on their portal, specialists and operators in theirs."""
    people = [(portal.host, portal.patient) for portal in cast.portals]
    people += [(cast.specialists_host, cast.sam), (cast.admin_host, cast.olga), (cast.admin_host, cast.oskar)]
    for host, actor in people:
        answer = browser.post(host, "/sign-in", {"email": actor.email.upper(), "password": PASSWORD})
        assert (answer.status_code, answer.location) == (303, "/"), host
        assert actor.name.encode() in browser.get(host, "/account").get_data()
        assert browser.post(host, "/sign-out", page="/account").status_code == 303
        assert not is_in(browser, host)


def test_the_cookie_is_host_only_and_out_of_reach_of_scripts(cast: Cast, browser: Browser) -> None:
    """P2, V3.3: no Domain, HttpOnly, SameSite=Lax; no token in the page."""
    host = cast.alpha.host
    answer = browser.post(host, "/sign-in", {"email": SHARED_EMAIL, "password": PASSWORD})
    [cookie] = [header for header in answer.headers.getlist("Set-Cookie") if header.startswith("sid=")]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Domain" not in cookie
    token = browser.cookie(host, "sid") or "?"
    assert token not in browser.get(host, "/account").get_data(as_text=True)


def test_a_stranger_is_sent_to_the_sign_in_and_back(cast: Cast, browser: Browser) -> None:
    """U1: what was asked for comes after the sign-in."""
    for host, actor in ((cast.beta.host, cast.beta.patient), (cast.specialists_host, cast.sam)):
        asked = browser.get(host, "/account/tokens?a=b")
        assert asked.status_code == 303
        assert asked.location.startswith("/sign-in?next=")
        form = {"email": actor.email, "password": PASSWORD, "next": "/account/tokens?a=b"}
        assert browser.post(host, "/sign-in", form, page=asked.location).location == "/account/tokens?a=b"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "evil.example",
        "https:///evil.example",
        "@evil.example",
        "/\n/evil.example",
        " https://evil.example",
    ],
)
def test_nobody_is_sent_to_another_host(cast: Cast, browser: Browser, target: str) -> None:
    """V3.7.2: ?next= leads to paths of this host only."""
    form = {"email": SHARED_EMAIL, "password": PASSWORD, "next": target}
    location = browser.post(cast.alpha.host, "/sign-in", form).location
    assert location.startswith("/") and not location.startswith(("//", "/\\"))
    assert "\t" not in location and "\n" not in location


def test_a_new_patient_registers_and_proves_the_address(
    cast: Cast, browser: Browser, sent: Sent, audited: Callable[[], list[str]]
) -> None:
    """U1: form, code, signed in; then the password works too."""
    host = cast.alpha.host
    form = {"name": "  Nia   Newman ", "email": NEW, "password": "correct horse"}
    answer = browser.post(host, "/register", form)
    assert (answer.status_code, answer.location) == (303, "/sign-in/code")
    told = sent(NEW)
    assert (told["purpose"], told["known"], told["subject_kind"]) == ("register", False, "patient")
    assert browser.post(host, "/sign-in/code", {"code": told["code"]}).status_code == 303
    assert "Nia Newman" in browser.get(host, "/account").get_data(as_text=True)
    assert audited() == ["code.sent", "patient.created", "sign_in.opened"]
    again = Browser(browser.app)
    assert again.post(host, "/sign-in", {"email": NEW, "password": "correct horse"}).status_code == 303


def test_registering_on_one_portal_is_nothing_on_another(cast: Cast, browser: Browser, sent: Sent) -> None:
    """P3: the same address on two portals is two patients."""
    for portal in (cast.alpha, cast.beta):
        browser.post(portal.host, "/register", {"name": "Nia", "email": NEW, "password": "correct horse"})
        browser.post(portal.host, "/sign-in/code", {"code": sent(NEW)["code"]})
    assert is_in(browser, cast.alpha.host) and is_in(browser, cast.beta.host)
    assert not is_in(browser, cast.gamma.host)
    stranger = Browser(browser.app)
    answer = stranger.post(cast.gamma.host, "/sign-in", {"email": NEW, "password": "correct horse"})
    assert answer.status_code == 422


def test_the_e_mail_step_asks_a_new_address_for_a_name(cast: Cast, browser: Browser, sent: Sent) -> None:
    """B2: a code first, then the name; the account exists on completion, and the booking goes on."""
    host = cast.alpha.host
    assert browser.post(host, "/sign-in/email", {"email": NEW, "next": "/book/1"}).location == "/sign-in/code"
    answer = browser.post(host, "/sign-in/code", {"code": sent(NEW)["code"]})
    assert answer.location == "/sign-in/name"
    assert not is_in(browser, host)
    assert browser.post(host, "/sign-in/name", {"name": " "}).status_code == 422
    answer = browser.post(host, "/sign-in/name", {"name": "Nia Newman", "phone": "+49 30 5550 1820"})
    assert (answer.status_code, answer.location) == (303, "/book/1")
    assert "Nia Newman" in browser.get(host, "/account").get_data(as_text=True)


def test_the_e_mail_step_signs_a_known_patient_in(cast: Cast, browser: Browser, sent: Sent) -> None:
    """B2: the same pages, and no question for the name."""
    host = cast.alpha.host
    assert browser.post(host, "/sign-in/email", {"email": SHARED_EMAIL, "next": "/book/1"}).location == "/sign-in/code"
    answer = browser.post(host, "/sign-in/code", {"code": sent(SHARED_EMAIL)["code"]})
    assert (answer.status_code, answer.location) == (303, "/book/1")


def test_a_code_signs_in_instead_of_a_password(cast: Cast, browser: Browser, sent: Sent) -> None:
    """U1: where the portal offers both."""
    host = cast.beta.host
    answer = browser.post(host, "/sign-in", {"email": SHARED_EMAIL, "how": "code"})
    assert answer.location == "/sign-in/code"
    code = sent(SHARED_EMAIL)["code"]
    assert browser.post(host, "/sign-in/code", {"code": f" {code[:3]} {code[3:]} "}).status_code == 303
    assert is_in(browser, host)


@pytest.mark.parametrize(("ways", "absent"), [(["code"], 'name="password"'), (["password"], 'value="code"')])
def test_a_portal_chooses_its_ways_to_sign_in(
    cast: Cast, browser: Browser, app: PlaceFlask, owner: Engine, ways: list[str], absent: str
) -> None:
    """U1: what is not chosen is neither offered nor accepted."""
    with owner.begin() as connection:
        statement = text("INSERT INTO portal_setting (portal_id, key, value) VALUES (:id, 'sign_in.methods', :ways)")
        connection.execute(statement, {"id": cast.alpha.id, "ways": Jsonb(ways)})
    app.places.forget()
    host = cast.alpha.host
    assert absent not in browser.get(host, "/sign-in").get_data(as_text=True)
    form = {"email": SHARED_EMAIL, "how": "code"} if ways == ["password"] else {"email": SHARED_EMAIL}
    answer = browser.post(host, "/sign-in", form)
    assert not is_in(browser, host)
    assert (answer.location == "/sign-in/code") == (ways == ["code"])
    assert browser.get(host, "/forgot").status_code == (200 if "password" in ways else 404)


def test_a_forgotten_password_is_set_anew_with_a_code(cast: Cast, browser: Browser, sent: Sent) -> None:
    """V6.4.3: every other sign-in ends, the old password is wrong, the new one right; all three kinds of people."""
    people: list[tuple[str, Actor]] = [
        (cast.alpha.host, cast.alpha.patient),
        (cast.specialists_host, cast.sam),
        (cast.admin_host, cast.oskar),
    ]
    for host, actor in people:
        elsewhere = Browser(browser.app)
        elsewhere.sign_in(actor)
        assert browser.post(host, "/forgot", {"email": actor.email}).location == "/forgot/code"
        form = {"code": sent(actor.email)["code"], "password": "a new long sentence"}
        assert browser.post(host, "/forgot/code", form).status_code == 303
        assert is_in(browser, host) and not is_in(elsewhere, host)
        assert elsewhere.post(host, "/sign-in", {"email": actor.email, "password": PASSWORD}).status_code == 422
        form = {"email": actor.email, "password": "a new long sentence"}
        assert elsewhere.post(host, "/sign-in", form).status_code == 303


def test_wrong_input_is_named_and_kept(cast: Cast, browser: Browser) -> None:
    """LOOKS: a summary, the message beside the field, what was typed is still there; never the password."""
    host = cast.alpha.host
    form = {"name": "Nia", "email": "nia@", "password": "12345678"}
    answer = browser.post(host, "/register", form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "data-error-summary" in page and 'value="Nia"' in page and 'value="nia@"' in page
    assert page.count("name@example.com") == 2  # in the summary and beside the field
    assert "12345678" not in page
    form["email"] = NEW
    page = browser.post(host, "/register", form).get_data(as_text=True)
    assert "guessed first" in page or "zuerst" in page


def test_pages_of_codes_need_a_code_that_was_sent(cast: Cast, browser: Browser) -> None:
    """V2.3.1: steps cannot be skipped."""
    host = cast.alpha.host
    assert browser.get(host, "/sign-in/code").location == "/sign-in"
    assert browser.get(host, "/sign-in/name").location == "/sign-in"
    assert browser.get(host, "/forgot/code").location == "/forgot"
    browser.post(host, "/sign-in/email", {"email": NEW})
    assert browser.get(host, "/sign-in/name").location == "/sign-in"
    assert browser.get(host, "/forgot/code").location == "/forgot"


@pytest.mark.parametrize("path", ["/register", "/sign-in/email", "/sign-in/code"])
def test_specialists_and_operators_do_not_register(cast: Cast, browser: Browser, path: str) -> None:
    """P1: their accounts are made for them; the portal's pages are not there."""
    for host in (cast.specialists_host, cast.admin_host):
        assert browser.get(host, path).status_code == 404


def test_a_write_without_the_token_of_its_page_is_refused(cast: Cast, browser: Browser) -> None:
    """V3.5.1: signing in and out, too."""
    host = browser.sign_in(cast.alpha.patient)
    paths = ["/sign-in", "/sign-out", "/register", "/forgot", "/account", "/account/security", "/account/tokens"]
    for path in [*paths, "/account/sign-ins/revoke-others"]:
        assert browser.post(host, path, {"csrf_token": "made-up"}).status_code == 400, path
    assert is_in(browser, host)


def test_a_planted_token_is_worth_nothing_after_signing_in(cast: Cast, browser: Browser) -> None:
    """U1, V7.2.4: a new token at every sign-in, and the one before ends."""
    host = cast.alpha.host
    browser.keep(host, "sid", "planted" * 6)
    browser.post(host, "/sign-in", {"email": SHARED_EMAIL, "password": PASSWORD})
    first = browser.cookie(host, "sid")
    assert first is not None and not first.startswith("planted")
    attacker = Browser(browser.app)
    attacker.keep(host, "sid", "planted" * 6)
    assert not is_in(attacker, host)
    attacker.keep(host, "sid", first)
    assert is_in(attacker, host)
    browser.post(host, "/sign-out", page="/account")
    assert not is_in(attacker, host)
