"""U1, V6.3.8: nothing tells whether an address has an account, until its owner has entered a code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from polyclinic.identity.passwords import Passwords, current_passwords, set_passwords
from polyclinic.web.places import PlaceFlask
from support.cast import PASSWORD, SHARED_EMAIL, Cast
from support.client import Browser

Sent = Callable[[str], dict[str, Any]]
UNKNOWN, BLOCKED = "nobody@example.org", "quinn@alpha.example"


class Counting(Passwords):
    """The real thing, counting how often Argon2 ran."""

    runs = 0

    def _verify(self, stored: str, password: str) -> bool:
        self.runs += 1
        return super()._verify(stored, password)


@pytest.fixture
def counting(app: PlaceFlask) -> Iterator[Counting]:
    """Count the application's hash calls."""
    with app.app_context():
        before = current_passwords()
    counter = Counting("test")
    set_passwords(app, counter)
    yield counter
    set_passwords(app, before)


@pytest.fixture
def blocked(cast: Cast, owner: Engine) -> None:
    """Block Quinn on Alpha."""
    with owner.begin() as connection:
        connection.execute(text("UPDATE patient SET state = 'blocked' WHERE email = :email"), {"email": BLOCKED})


def seen(answer: Any, email: str) -> tuple[int, str | None, str]:
    """What a stranger sees of an answer, without what they typed and what is random."""
    page = answer.get_data(as_text=True).replace(email, "…")
    return answer.status_code, answer.location, re.sub(r'(nonce|value|content)="[^"]*"', "", page)


def test_a_wrong_password_is_answered_alike(cast: Cast, app: PlaceFlask, blocked: None, counting: Counting) -> None:
    """U1: known, unknown, blocked: one status, one page, one run of Argon2 each; blocked even with the right one."""
    answers = []
    for email, password in ((SHARED_EMAIL, "wrong"), (UNKNOWN, "wrong"), (BLOCKED, "wrong"), (BLOCKED, PASSWORD)):
        before = counting.runs
        answer = Browser(app).post(cast.alpha.host, "/sign-in", {"email": email, "password": password})
        assert counting.runs == before + 1
        answers.append(seen(answer, email))
    assert answers[0][0] == 422
    assert len(set(answers)) == 1


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/sign-in", {"how": "code"}),
        ("/sign-in/email", {}),
        ("/forgot", {}),
        ("/register", {"name": "Somebody", "password": "correct horse"}),
    ],
)
def test_a_code_goes_to_every_address(
    cast: Cast, app: PlaceFlask, blocked: None, sent: Sent, path: str, form: dict[str, str]
) -> None:
    """B2: the same answers and the same next page, and always a mail."""
    answers, nexts = set(), set()
    for email in (SHARED_EMAIL, UNKNOWN, BLOCKED):
        browser = Browser(app)
        answer = browser.post(cast.alpha.host, path, {"email": email, **form})
        answers.add(seen(answer, email))
        nexts.add(seen(browser.get(cast.alpha.host, answer.location), email))
        assert re.fullmatch(r"\d{6}", sent(email)["code"])
    assert len(answers) == len(nexts) == 1


def test_registering_a_known_address_changes_nothing_of_the_account(
    cast: Cast, app: PlaceFlask, sent: Sent, owner: Engine
) -> None:
    """U1: the owner of the address is signed in; name and password of the form are dropped."""
    host, browser = cast.alpha.host, Browser(app)
    browser.post(host, "/register", {"name": "Mallory", "email": SHARED_EMAIL, "password": "mallory's choice"})
    told = sent(SHARED_EMAIL)
    assert (told["purpose"], told["known"]) == ("register", True)
    assert browser.post(host, "/sign-in/code", {"code": told["code"]}).status_code == 303
    page = browser.get(host, "/account").get_data(as_text=True)
    assert cast.alpha.patient.name in page and "Mallory" not in page
    answer = Browser(app).post(host, "/sign-in", {"email": SHARED_EMAIL, "password": "mallory's choice"})
    assert answer.status_code == 422
    with owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM mail_code WHERE pending IS NOT NULL")).scalar_one() == 0


def test_only_the_owner_of_an_address_learns_that_it_is_blocked_or_unknown(
    cast: Cast, app: PlaceFlask, blocked: None, sent: Sent
) -> None:
    """V6.3.8: after the right code."""
    browser = Browser(app)
    browser.post(cast.alpha.host, "/sign-in/email", {"email": BLOCKED})
    assert browser.post(cast.alpha.host, "/sign-in/code", {"code": sent(BLOCKED)["code"]}).status_code == 403
    browser = Browser(app)
    browser.post(cast.admin_host, "/forgot", {"email": UNKNOWN})
    form = {"code": sent(UNKNOWN)["code"], "password": "a new long sentence"}
    assert browser.post(cast.admin_host, "/forgot/code", form).status_code == 410


def test_a_failure_is_audited_without_the_address(cast: Cast, app: PlaceFlask, owner: Engine) -> None:
    """U3: who, if anybody, and from where."""
    for email in (SHARED_EMAIL, UNKNOWN):
        Browser(app).post(cast.alpha.host, "/sign-in", {"email": email, "password": "wrong"})
    query = text("SELECT action, portal_id, subject_kind, subject_id, ip, detail FROM audit_event ORDER BY id")
    with owner.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    expected = ("sign_in.refused", cast.alpha.id, "patient")
    assert rows == [
        (*expected, str(cast.alpha.patient.id), "127.0.0.1", {}),
        (*expected, "unknown", "127.0.0.1", {}),
    ]
