"""E7: what comes through Stripe's doors is checked, stored before it is handled, handled once, and never believed."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from polyclinic.kernel.scope import Scope, open_session
from polyclinic.payments.references import CauseKind, remember_reference
from polyclinic.web.db import db
from polyclinic.web.places import PlaceFlask
from support.cast import Cast
from support.client import Browser
from support.stripe_doors import OLD_SECRET, PAYMENT, Worker
from support.stripe_simulator import SECRETS

HOST = "hooks.localhost"


def event(number: int = 1, **changes: Any) -> dict[str, Any]:
    found = {
        "id": "cs_1",
        "object": "checkout.session",
        "payment_intent": "pi_1",
        "customer_details": {"name": "Pat Alpha", "email": "pat@example.org"},
    }
    return {
        "id": f"evt_{number}",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "data": {"object": found},
    } | changes


def about(found: dict[str, Any], kind: str, **changes: Any) -> dict[str, Any]:
    return event(type=kind, data={"object": found}, **changes)


def signed(raw: bytes, secret: str, at: float | None = None) -> str:
    moment = int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + raw, hashlib.sha256)
    return f"t={moment},v1={mac.hexdigest()}"


def post(browser: Browser, body: Any, secret: str = SECRETS["account"], door: str = "account") -> TestResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return send(browser, raw, signed(raw, secret), door)


def send(browser: Browser, raw: bytes, signature: str | None, door: str = "account") -> TestResponse:
    headers = {"Content-Type": "application/json"} | ({"Stripe-Signature": signature} if signature else {})
    return browser.send("POST", HOST, f"/stripe/{door}", data=raw, headers=headers)


def stored(owner: Engine) -> list[Any]:
    with owner.connect() as connection:
        return list(connection.execute(text("SELECT * FROM webhook_event ORDER BY event_id")))


def remember(
    worker: Worker, portal_id: uuid.UUID | None, *names: str, account: str = "", kind: CauseKind = "payment"
) -> None:
    with worker.app.app_context(), open_session(db.engine, Scope("job")) as session:
        for name in names:
            remember_reference(session, "stripe", account, name, portal_id=portal_id, kind=kind, cause_id=PAYMENT)
        session.commit()


def synced(owner: Engine) -> list[str]:
    """Payments that were asked to be read again."""
    with owner.connect() as connection:
        query = text("SELECT payload ->> 'payment_id' FROM outbox WHERE kind = 'payment.sync' ORDER BY id")
        return list(connection.execute(query).scalars())


@pytest.mark.parametrize("secret", [OLD_SECRET, SECRETS["account"]])
def test_an_event_is_stored_before_it_is_handled_whichever_secret_is_current(
    cast: Cast, browser: Browser, owner: Engine, secret: str
) -> None:
    """E7: 200 at once; of its content only ids are kept."""
    answer = post(browser, event(), secret)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    (row,) = stored(owner)
    assert (row.state, row.kind, row.account) == ("received", "checkout.session.completed", "")
    assert row.external_ids == ["pi_1", "cs_1"]
    assert "pat@example.org" not in str(row)


def test_an_event_that_comes_again_is_answered_and_stored_once(cast: Cast, browser: Browser, owner: Engine) -> None:
    """E7: Stripe delivers at least once, ten times if it must."""
    answers = [post(browser, event()).get_json() for _time in range(10)]
    assert [answer["known"] for answer in answers] == [False] + [True] * 9
    assert len(stored(owner)) == 1
    with owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM outbox WHERE kind = 'webhook.arrived'")).scalar() == 1


RAW = json.dumps(event()).encode()


@pytest.mark.parametrize(
    ("raw", "signature"),
    [
        (RAW, None),
        (RAW, ""),
        (RAW, "t=1,v1=00"),
        (RAW, "nonsense"),
        (RAW, signed(RAW, SECRETS["connect"])),
        (RAW, signed(RAW, SECRETS["account"], time.time() - 301)),
        (RAW + b" ", signed(RAW, SECRETS["account"])),
        (b"\xff\xfe", signed(b"\xff\xfe", SECRETS["account"])),
        (b"{", signed(b"{", SECRETS["account"])),
        (b"[" * 100_000, signed(b"[" * 100_000, SECRETS["account"])),
        (b"[]", signed(b"[]", SECRETS["account"])),
        (b'{"id": "evt_1"}', signed(b'{"id": "evt_1"}', SECRETS["account"])),
        (b'{"id": "evt\\u0000", "type": "x"}', signed(b'{"id": "evt\\u0000", "type": "x"}', SECRETS["account"])),
    ],
    ids=[
        *("none", "empty", "wrong", "no header", "another door's", "five minutes old", "a byte more"),
        *("no text", "broken", "deep", "a list", "no type", "a character that nothing has"),
    ],
)
def test_what_is_forged_old_or_broken_is_refused_and_leaves_nothing(
    cast: Cast, browser: Browser, owner: Engine, raw: bytes, signature: str | None
) -> None:
    """E7: told so with 400, and nothing is stored."""
    answer = send(browser, raw, signature)
    assert answer.status_code == 400
    assert stored(owner) == []


def test_a_body_that_is_too_large_is_not_even_read(cast: Cast, browser: Browser, owner: Engine) -> None:
    """E7: 413 before the signature is looked at."""
    raw = b" " * (256 * 1024 + 1)
    assert send(browser, raw, signed(raw, SECRETS["account"])).status_code == 413
    assert stored(owner) == []


def test_only_posts_come_in_and_only_on_this_host(cast: Cast, browser: Browser) -> None:
    """P1: the doors are on the host of inbound webhooks and nowhere else."""
    assert browser.get(HOST, "/stripe/account").status_code == 405
    for host in (cast.alpha.host, cast.specialists_host, cast.admin_host):
        answer = browser.send("POST", host, "/stripe/account", data=RAW, headers={"Stripe-Signature": "t=1,v1=0"})
        assert answer.status_code in (400, 404)  # 400: a form without its token


def test_a_crowd_of_events_is_never_too_many(cast: Cast, browser: Browser, owner: Engine) -> None:
    """E7: no limit of ours blocks Stripe."""
    assert {post(browser, event(number)).status_code for number in range(200)} == {200}
    assert len(stored(owner)) == 200


def test_an_event_leads_to_the_payment_that_its_ids_were_made_for(
    cast: Cast, browser: Browser, owner: Engine, worker: Worker, payment: uuid.UUID
) -> None:
    """E7: and what else it names is known from then on."""
    remember(worker, cast.alpha.id, "cs_1", account="")
    post(browser, event(data={"object": {"id": "cs_1", "object": "checkout.session", "payment_intent": "pi_9"}}))
    worker.work()
    (row,) = stored(owner)
    assert (row.state, row.portal_id) == ("handled", cast.alpha.id)
    assert synced(owner) == [str(payment)]
    post(browser, about({"id": "re_1", "object": "refund", "payment_intent": "pi_9"}, "refund.failed", id="evt_2"))
    worker.work()
    assert stored(owner)[1].state == "handled"
    assert synced(owner) == [str(payment)] * 2


def test_an_event_may_be_faster_than_the_transaction_that_made_its_object(
    cast: Cast, browser: Browser, owner: Engine, worker: Worker, payment: uuid.UUID
) -> None:
    """E7: nobody is found, operators see it, and a minute later somebody is."""
    post(browser, event())
    worker.work()
    assert [(row.state, row.tries) for row in stored(owner)] == [("unmatched", 1)]
    remember(worker, cast.alpha.id, "cs_1")
    worker.wait("61 seconds")
    worker.work()
    assert stored(owner)[0].state == "handled"
    assert synced(owner) == [str(payment)]


def test_an_event_of_nobody_known_is_tried_for_a_day_and_stays_to_be_seen(
    cast: Cast, browser: Browser, owner: Engine, worker: Worker
) -> None:
    """E7: six pauses, then no more; forgotten after 90 days like all others."""
    post(browser, event())
    worker.work()
    for _time in range(8):
        worker.wait("20 hours")
        worker.work()
    assert [(row.state, row.tries) for row in stored(owner)] == [("unmatched", 7)]
    worker.wait("90 days")
    worker.work()
    assert stored(owner) == []


def test_an_id_counts_in_the_account_that_sends_it_only(
    cast: Cast, browser: Browser, owner: Engine, worker: Worker, payment: uuid.UUID
) -> None:
    """E7: Beta's specialist cannot speak about a payment of the platform's account."""
    remember(worker, cast.alpha.id, "cs_1")
    post(browser, event(account="acct_ben"), SECRETS["connect"], "connect")
    worker.work()
    assert stored(owner)[0].state == "unmatched"
    assert synced(owner) == []


def test_our_own_ids_in_metadata_are_compared_before_they_are_believed(
    cast: Cast, browser: Browser, owner: Engine, worker: Worker, payment: uuid.UUID
) -> None:
    """E7: whoever has a dashboard can write them."""
    named = {"payment": str(payment), "portal": str(cast.alpha.id)}
    found = {"id": "pi_5", "object": "payment_intent", "metadata": named}
    post(browser, about(found, "payment_intent.succeeded", account="acct_ben"), SECRETS["connect"], "connect")
    other = found | {"id": "pi_6", "metadata": named | {"portal": str(cast.beta.id)}}
    post(browser, about(other, "payment_intent.succeeded", id="evt_2"))
    worker.work()
    assert [row.state for row in stored(owner)] == ["unmatched", "unmatched"]
    assert [row.note for row in stored(owner)] == [
        "other-account",
        "no-payment",
    ]
    post(browser, about(found, "payment_intent.succeeded", id="evt_3"))
    worker.work()
    assert stored(owner)[2].state == "handled"
    assert synced(owner) == [str(payment)]


@pytest.mark.parametrize(
    ("changes", "note"),
    [({"livemode": True}, "live-mode"), ({"type": "balance.available"}, "no-interest")],
)
def test_events_of_the_other_mode_and_of_no_interest_are_noted_and_ignored(
    cast: Cast, browser: Browser, owner: Engine, worker: Worker, changes: dict[str, Any], note: str
) -> None:
    """E7: a live endpoint of connected accounts gets events of test mode too."""
    assert post(browser, event(**changes)).status_code == 200
    worker.work()
    assert [(row.state, row.note) for row in stored(owner)] == [("ignored", note)]


def test_a_fee_is_the_platforms_object_about_a_charge_of_the_specialists_account(
    cast: Cast, browser: Browser, owner: Engine, worker: Worker, connected_payment: uuid.UUID
) -> None:
    """E3: application_fee events come through the platform's door."""
    remember(worker, cast.alpha.id, "ch_1", account="acct_ada")
    fee = {"id": "fee_1", "object": "application_fee", "account": "acct_ada", "charge": "ch_1"}
    post(browser, about(fee, "application_fee.refunded"))
    worker.work()
    assert stored(owner)[0].state == "handled"
    assert synced(owner) == [str(connected_payment)]


def test_operators_see_what_came_in_and_what_became_of_it(
    cast: Cast, browser: Browser, owner: Engine, worker: Worker, payment: uuid.UUID
) -> None:
    """E7: those of the network all of it, those of a website what belongs to it."""
    remember(worker, cast.alpha.id, "cs_1")
    post(browser, event())
    post(browser, event(2, data={"object": {"id": "cs_foreign", "object": "checkout.session"}}))
    worker.work()
    browser.sign_in(cast.olga)
    page = browser.get("admin.localhost", "/webhooks/").get_data(as_text=True)
    assert "evt_1" in page
    assert "evt_2" in page
    unmatched = browser.get("admin.localhost", "/webhooks/?state=unmatched").get_data(as_text=True)
    assert "evt_1" not in unmatched
    assert "evt_2" in unmatched
    browser.sign_in(cast.oskar)
    page = browser.get("admin.localhost", "/webhooks/").get_data(as_text=True)
    assert "evt_1" in page
    assert "evt_2" not in page


def test_a_door_that_nobody_configured_is_not_there(cast: Cast, app: PlaceFlask, browser: Browser) -> None:
    """E7: without a secret nothing could be believed."""
    settings = app.config["POLYCLINIC"]
    app.config["POLYCLINIC"] = replace(settings, stripe=replace(settings.stripe, thin_secrets=()))
    try:
        assert post(browser, event(), SECRETS["thin"], "thin").status_code == 404
    finally:
        app.config["POLYCLINIC"] = settings
