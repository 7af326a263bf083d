"""The public site for specialists: what it names, what it takes, whom it tells (S0, T2)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from polyclinic.enquiries.models import Enquiry
from polyclinic.enquiries.rules import Wanted, fitting
from polyclinic.kernel.outbox import OutboxMessage
from polyclinic.tenancy.models import PortalSetting
from polyclinic.web.places import PlaceFlask
from support.cast import Cast
from support.client import Browser

FILLED: dict[str, Any] = {
    "kind": "independent",
    "name": "Noa",
    "email": "noa@example.org",
    "field": "Physiotherapy",
    "languages": ["de"],
    "body": "Ten years in a clinic, now on my own, twenty hours a week.",
}
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture(autouse=True)
def _wanted(owner: Engine, cast: Cast, app: PlaceFlask) -> None:
    """Alpha and Gamma look for people in public, Beta does not."""
    with Session(owner) as session:
        for portal, field in ((cast.alpha, "Physiotherapy"), (cast.gamma, "Nutrition")):
            session.add(PortalSetting(portal_id=portal.id, key="directory.field", value={"en": field}))
            session.add(PortalSetting(portal_id=portal.id, key="directory.wanted", value={"en": f"{field}, please."}))
        session.commit()
    app.places.forget()


def enquiries(owner: Engine) -> list[Enquiry]:
    """Everything that was asked."""
    with Session(owner, expire_on_commit=False) as session:
        return list(session.scalars(select(Enquiry)))


def test_the_front_page_says_for_whom_and_names_only_websites_that_want_it(cast: Cast, browser: Browser) -> None:
    """S0, P4: a website that did not say whom it looks for is not named."""
    html = browser.get(cast.specialists_host, "/", headers=ENGLISH).get_data(as_text=True)
    for title in ("On your own", "In a team", "As a network", "How it works", "What it looks like"):
        assert f">{title}</h" in html
    assert cast.alpha.canary in html
    assert cast.gamma.canary in html
    assert cast.beta.canary not in html


def test_an_enquiry_is_kept_announced_and_answered_with_websites_that_fit(
    cast: Cast, browser: Browser, owner: Engine
) -> None:
    """S0, T2: the outbox carries the id alone; the next page proposes by field and language."""
    asked = {**FILLED, "portals": [str(cast.alpha.id)]}
    answer = browser.post(cast.specialists_host, "/enquire", asked)
    assert answer.status_code == 303
    (kept,) = enquiries(owner)
    assert (kept.kind, kept.languages, kept.portals, kept.state) == ("independent", ["de"], [str(cast.alpha.id)], "new")
    with Session(owner) as session:
        (waiting,) = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "enquiry.written"))
        assert waiting.payload == {"enquiry_id": str(kept.id)}
    html = browser.get(cast.specialists_host, answer.headers["Location"], headers=ENGLISH).get_data(as_text=True)
    assert cast.alpha.canary in html
    assert cast.gamma.canary not in html
    assert "noa@example.org" not in html


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("kind", "ghost", "Choose how you work."),
        ("name", "", "Enter your name"),
        ("email", "noa", "such as name@example.com"),
        ("field", "", "Choose the field you work in."),
        ("body", "Hi", "Tell us in two or three sentences"),
        ("body", "x" * 4001, "has 4001 characters"),
        ("portals", ["00000000-0000-0000-0000-000000000000"], "Choose from the websites of this list."),
    ],
)
def test_wrong_input_is_told_beside_its_field_and_nothing_is_lost(
    cast: Cast, browser: Browser, owner: Engine, field: str, value: Any, said: str
) -> None:
    answer = browser.post(cast.specialists_host, "/enquire", {**FILLED, field: value}, headers=ENGLISH)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert said in html
    assert f'id="{field}-error"' in html
    assert {**FILLED, field: value}["body"] in html
    assert enquiries(owner) == []


def test_a_website_that_does_not_look_for_people_cannot_be_asked_about(
    cast: Cast, browser: Browser, owner: Engine
) -> None:
    answer = browser.post(cast.specialists_host, "/enquire", {**FILLED, "portals": [str(cast.beta.id)]})
    assert answer.status_code == 422
    assert cast.beta.canary not in answer.get_data(as_text=True)


def test_too_many_enquiries_are_refused_and_the_text_stays(cast: Cast, browser: Browser, owner: Engine) -> None:
    for _ in range(3):
        assert browser.post(cast.specialists_host, "/enquire", FILLED).status_code == 303
    answer = browser.post(cast.specialists_host, "/enquire", FILLED)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert FILLED["body"] in answer.get_data(as_text=True)


def test_operators_of_the_whole_network_answer_and_others_have_no_such_page(
    cast: Cast, browser: Browser, owner: Engine
) -> None:
    """I2: Olga works for the network, Oskar for Alpha alone."""
    browser.post(cast.specialists_host, "/enquire", FILLED)
    (kept,) = enquiries(owner)
    host = browser.sign_in(cast.olga)
    assert "Noa" in browser.get(host, "/enquiries/").get_data(as_text=True)
    html = browser.get(host, f"/enquiries/{kept.id}").get_data(as_text=True)
    assert re.search(r'href="mailto:noa@example\.org\?subject=', html)
    assert browser.post(host, f"/enquiries/{kept.id}", {"state": "answered"}).status_code == 303
    assert enquiries(owner)[0].state == "answered"
    browser.sign_in(cast.oskar)
    for path in ("/enquiries/", f"/enquiries/{kept.id}"):
        assert browser.get(host, path).status_code == 404
    assert "/enquiries/" not in browser.get(host, "/").get_data(as_text=True)


def test_the_best_fit_comes_first() -> None:
    """S0: same field and language, then same field; a language alone fits only while no field is known."""
    portals = [Wanted("a", "Nutrition", ("en",)), Wanted("b", "Physio", ("fr",)), Wanted("c", "Physio", ("de", "en"))]
    assert [(one.portal, fit) for one, fit in fitting(portals, "Physio", ["de"])] == [("c", "both"), ("b", "field")]
    assert [one.portal for one, _fit in fitting(portals, "", ["en"])] == ["a", "c"]
    assert fitting(portals, "Yoga", ["sv"]) == []
