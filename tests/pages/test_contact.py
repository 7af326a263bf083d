"""Writing to a portal's support desk: kept, announced without a word of it, answered in the console (T2, T3)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from polyclinic.audit.models import AuditEvent
from polyclinic.kernel.outbox import OutboxMessage
from polyclinic.pages.models import ContactMessage
from polyclinic.tenancy.models import Page, PortalSetting
from polyclinic.web.places import PlaceFlask
from support.cast import Cast
from support.client import Browser

FILLED = {"name": "Kim", "email": "Kim@Example.org", "topic": "payment", "body": "My invoice is missing, please help."}


@pytest.fixture(autouse=True)
def _desk(owner: Engine, cast: Cast, app: PlaceFlask) -> None:
    """Alpha has a contact page and a support address, Beta a contact page alone."""
    with Session(owner) as session:
        for portal in (cast.alpha, cast.beta):
            session.add(
                Page(
                    portal_id=portal.id,
                    name="contact",
                    kind="contact",
                    placement="footer",
                    position=1,
                    labels={"en": "Contact"},
                    texts={"en": {"title": "Contact", "body": ""}},
                )
            )
        session.add(PortalSetting(portal_id=cast.alpha.id, key="brand.support_email", value="help@alpha.example"))
        session.commit()
    app.places.forget()


def messages(owner: Engine) -> list[ContactMessage]:
    """Everything that was written."""
    with Session(owner, expire_on_commit=False) as session:
        return list(session.scalars(select(ContactMessage)))


def test_a_message_is_kept_and_its_mail_is_on_the_way_without_a_word_of_it(
    cast: Cast, browser: Browser, owner: Engine
) -> None:
    """T2, T3: written in the same transaction; the outbox carries an id and the topic that was chosen."""
    answer = browser.post(cast.alpha.host, "/contact", FILLED)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/contact?sent=1#content")
    (kept,) = messages(owner)
    assert (kept.portal_id, kept.email, kept.state) == (cast.alpha.id, "kim@example.org", "new")
    with Session(owner) as session:
        (waiting,) = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "contact.written"))
        assert waiting.payload == {"message_id": str(kept.id), "topic": "payment"}
    assert "Thank you" in browser.get(cast.alpha.host, "/contact?sent=1&lang=en").get_data(as_text=True)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "  ", "Enter your name"),
        ("name", "x" * 121, "up to 120 letters"),
        ("email", "kim@", "such as name@example.com"),
        ("email", "kim@example.org\nBcc: all@example.org", "such as name@example.com"),
        ("topic", "weather", "Choose what it is about."),
        ("body", "Help", "Write a sentence or two"),
        ("body", "x" * 4001, "has 4001 characters. Shorten it to 4000"),
    ],
)
def test_wrong_input_is_told_beside_its_field_and_nothing_is_lost(
    cast: Cast, browser: Browser, owner: Engine, field: str, value: str, said: str
) -> None:
    answer = browser.post(cast.alpha.host, "/contact", {**FILLED, field: value}, headers={"Accept-Language": "en"})
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert said in html
    assert f'id="{field}-error"' in html
    kept = {**FILLED, field: value}
    assert kept["body"] in html
    assert messages(owner) == []


def test_too_many_messages_are_refused_and_the_text_stays(cast: Cast, browser: Browser, owner: Engine) -> None:
    for _ in range(4):
        assert browser.post(cast.alpha.host, "/contact", FILLED).status_code == 303
    answer = browser.post(cast.alpha.host, "/contact", FILLED)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert FILLED["body"] in answer.get_data(as_text=True)
    assert len(messages(owner)) == 4


def test_without_token_or_address_nothing_is_taken(cast: Cast, browser: Browser, owner: Engine) -> None:
    """CSRF; and a portal without a support address shows no form and takes no message."""
    assert browser.post(cast.alpha.host, "/contact", {**FILLED, "csrf_token": "no"}).status_code == 400
    assert "<textarea" not in browser.get(cast.beta.host, "/contact").get_data(as_text=True)
    assert browser.post(cast.beta.host, "/contact", FILLED).status_code == 405
    assert messages(owner) == []


def test_whoever_is_signed_in_need_not_say_who_they_are(cast: Cast, browser: Browser) -> None:
    host = browser.sign_in(cast.alpha.patient)
    html = browser.get(host, "/contact").get_data(as_text=True)
    assert 'value="pat@example.org"' in html


def test_operators_of_the_portal_read_and_answer_and_it_is_written_down(
    cast: Cast, browser: Browser, owner: Engine
) -> None:
    """I2, U3: Oskar works for Alpha; a message of Beta's is not there for him."""
    browser.post(cast.alpha.host, "/contact", FILLED)
    (kept,) = messages(owner)
    host = browser.sign_in(cast.oskar)
    assert "Kim" in browser.get(host, "/contact-messages/?state=new").get_data(as_text=True)
    html = browser.get(host, f"/contact-messages/{kept.id}").get_data(as_text=True)
    assert FILLED["body"] in html
    assert re.search(r'href="mailto:kim@example\.org\?subject=', html)
    assert browser.post(host, f"/contact-messages/{kept.id}", {"state": "answered"}).status_code == 303
    assert messages(owner)[0].state == "answered"
    with Session(owner) as session:
        done: list[Any] = [event.action for event in session.scalars(select(AuditEvent).order_by(AuditEvent.id))]
    assert done[-3:] == ["contact.read", "contact.read", "contact.answered"]
