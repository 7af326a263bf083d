"""DESIGN, Directions: higher features take part in registering and signing in without being known here."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.consents.models import Agreement
from polyclinic.identity import add_registration_step, on_sign_in
from polyclinic.identity.registration import Question
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.ids import digest
from polyclinic.kernel.scope import Scope, scope_of
from polyclinic.web.places import PlaceFlask
from support.cast import SHARED_EMAIL, Cast
from support.client import Browser

Sent = Callable[[str], dict[str, Any]]
NEW = "nia@example.org"


class House:
    """A step that asks for the rules of the house, and may fail to keep the answer."""

    broken = False

    def questions(self, session: Session, portal_id: uuid.UUID, locale: str) -> Sequence[Question]:
        """Read as the door may."""
        assert session.scalars(select(Agreement.portal_id)).all() == [portal_id]
        return [
            Question("house", "I keep the rules of the house", refusal="Please agree to the rules of the house."),
            Question("news", "Send me news", required=False),
        ]

    def complete(self, session: Session, patient: Actor, answers: Mapping[str, bool]) -> None:
        """Write in the transaction of the account."""
        if self.broken:
            raise Conflict("changed", "The rules have changed.")
        record(session, patient, "house.agreed", "patient", patient.id or "", detail=dict(answers))


@pytest.fixture
def house(app: PlaceFlask) -> Iterator[House]:
    """Take part with the step alone, for one test."""
    key = "polyclinic.identity.steps"
    before = app.extensions.pop(key, [])
    step = House()
    add_registration_step(app, step)
    yield step
    app.extensions[key] = before


def agreed(owner: Engine) -> list[Any]:
    """What the step kept."""
    with owner.connect() as connection:
        return list(connection.execute(text("SELECT detail FROM audit_event WHERE action = 'house.agreed'")).scalars())


def test_a_required_box_stands_in_the_way_of_registering(
    cast: Cast, browser: Browser, house: House, sent: Sent, owner: Engine
) -> None:
    """K3 through the registry: both ways to an account ask, and the answers are kept with it."""
    host, form = cast.alpha.host, {"name": "Nia", "email": NEW, "password": "correct horse"}
    answer = browser.post(host, "/register", form)
    assert answer.status_code == 422
    assert "Please agree to the rules of the house." in answer.get_data(as_text=True)
    assert browser.post(host, "/register", form | {"house": "y"}).status_code == 303
    assert agreed(owner) == []
    browser.post(host, "/sign-in/code", {"code": sent(NEW)["code"]})
    assert agreed(owner) == [{"house": True, "news": False}]

    other = Browser(browser.app)
    other.post(host, "/sign-in/email", {"email": "ned@example.org"})
    other.post(host, "/sign-in/code", {"code": sent("ned@example.org")["code"]})
    assert other.post(host, "/sign-in/name", {"name": "Ned"}).status_code == 422
    assert other.post(host, "/sign-in/name", {"name": "Ned", "house": "y", "news": "y"}).status_code == 303
    assert agreed(owner)[1:] == [{"house": True, "news": True}]


def test_an_account_exists_with_its_answers_or_not_at_all(
    cast: Cast, browser: Browser, house: House, sent: Sent, owner: Engine
) -> None:
    """V2.3.3: one transaction; afterwards the same code leads on."""
    house.broken = True
    host = cast.alpha.host
    browser.post(host, "/register", {"name": "Nia", "email": NEW, "password": "correct horse", "house": "y"})
    code = sent(NEW)["code"]
    assert browser.post(host, "/sign-in/code", {"code": code}).status_code == 409
    with owner.connect() as connection:
        query = text("SELECT count(*) FROM patient WHERE email = :email")
        assert connection.execute(query, {"email": NEW}).scalar_one() == 0


@pytest.fixture
def heard(app: PlaceFlask) -> Iterator[list[tuple[Actor, str | None, Scope]]]:
    """What a listener hears, for one test."""
    key, found = "polyclinic.identity.listeners", list[tuple[Actor, str | None, Scope]]()
    before = app.extensions.pop(key, [])
    on_sign_in(app, lambda session, actor, guest: found.append((actor, guest, scope_of(session))))
    yield found
    app.extensions[key] = before


def test_a_guest_is_known_at_the_sign_in(
    cast: Cast, browser: Browser, sent: Sent, heard: list[tuple[Actor, str | None, Scope]]
) -> None:
    """B2: a guest's hold can pass to the patient; the session may see both; afterwards the guest is no more."""
    host = cast.alpha.host
    browser.keep(host, "guest", "a guest's token")
    browser.post(host, "/sign-in/email", {"email": SHARED_EMAIL})
    browser.post(host, "/sign-in/code", {"code": sent(SHARED_EMAIL)["code"]})
    [(actor, guest, scope)] = heard
    expected = digest("a guest's token").hex()
    assert (actor.id, guest) == (cast.alpha.patient.id, expected)
    assert (scope.role, scope.portal, scope.patient) == ("patient", cast.alpha.id, actor.id)
    assert scope.guest == expected and scope.address
    assert browser.cookie(host, "guest") is None
