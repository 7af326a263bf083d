"""T2: operators see what was sent to whom, in their own portals."""

import uuid

import pytest
from sqlalchemy import Engine, orm

from polyclinic.kernel.clock import real_now
from polyclinic.notifications.models import Delivery
from support.cast import Cast
from support.client import Browser


@pytest.fixture
def sent(cast: Cast, owner: Engine) -> list[str]:
    """A mail of each portal, and one of the network; their Message-IDs."""
    ids = []
    with orm.Session(owner) as session:
        for number, portal in enumerate((*cast.portals, None)):
            ids.append(f"<{uuid.uuid4()}@mail{number}.example>")
            session.add(
                Delivery(
                    cause=f"identity.code:{number}",
                    portal_id=portal.id if portal else None,
                    recipient_kind="patient" if portal else "specialist",
                    recipient_id="x" * 64,
                    channel="mail",
                    message_id=ids[-1],
                    state="failed" if number == 0 else "sent",
                    error="SMTPRecipientsRefused" if number == 0 else None,
                    tried_at=real_now(),
                )
            )
        session.commit()
    return ids


def shown(browser: Browser, host: str, sent: list[str], query: str = "") -> list[int]:
    text = browser.get(host, f"/deliveries/{query}").get_data(as_text=True)
    return [number for number, message_id in enumerate(sent) if message_id.strip("<>") in text]


def test_operator_of_the_network_sees_every_mail(browser: Browser, cast: Cast, sent: list[str]) -> None:
    """T2: with what went wrong."""
    host = browser.sign_in(cast.olga)
    assert shown(browser, host, sent) == [0, 1, 2, 3]
    assert shown(browser, host, sent, "?state=failed") == [0]
    assert "SMTPRecipientsRefused" in browser.get(host, "/deliveries/?state=failed").get_data(as_text=True)
    assert shown(browser, host, sent, "?cause=appointment.confirmed") == []


def test_operator_of_one_portal_sees_its_mails_only(browser: Browser, cast: Cast, sent: list[str]) -> None:
    """I2, T2: the database narrows the list."""
    assert shown(browser, browser.sign_in(cast.oskar), sent) == [0]
