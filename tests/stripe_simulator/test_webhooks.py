"""Deliveries: signed so that the SDK believes them, in any order and number, again until somebody takes them (E7)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import stripe

from support.stripe_requests import INTENT, SESSION
from support.stripe_simulator import SECRETS, StripeSimulator


class Inbox:
    """Takes webhooks as the product does."""

    def __init__(self, *answers: int) -> None:
        """Answer so, then 200."""
        self.answers = list(answers)
        self.taken: list[tuple[str, dict[str, str], bytes]] = []

    def __call__(self, endpoint: str, headers: dict[str, str], body: bytes) -> int:
        """Take one."""
        self.taken.append((endpoint, headers, body))
        return self.answers.pop(0) if self.answers else 200

    def events(self) -> list[Any]:
        """Snapshot events, checked by the SDK."""
        return [
            stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRETS[endpoint])
            for endpoint, headers, body in self.taken
            if endpoint != "thin"
        ]


def paid(sim: StripeSimulator, account: str | None = None) -> None:
    """Something to tell."""
    options: Any = {"stripe_account": account} if account else {}
    sim.pay(sim.client().v1.checkout.sessions.create(SESSION, options).id)


def test_each_endpoint_hears_of_its_own_and_can_check_it(stripe_sim: StripeSimulator) -> None:
    """The platform's events to one, those of connected accounts to another, with the account's name."""
    inbox = Inbox()
    account = stripe_sim.account()
    stripe_sim.webhooks_to(inbox)
    paid(stripe_sim)
    paid(stripe_sim, account)
    stripe_sim.drain()
    assert Counter(endpoint for endpoint, _headers, _body in inbox.taken) == {"account": 4, "connect": 4}
    assert {headers["Host"] for _endpoint, headers, _body in inbox.taken} == {"hooks.localhost"}
    assert [getattr(event, "account", None) for event in inbox.events()] == [None] * 4 + [account] * 4
    endpoint, headers, body = inbox.taken[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(
            body.replace(b"EUR", b"USD") + b" ", headers["Stripe-Signature"], SECRETS[endpoint]
        )


def test_an_account_that_becomes_ready_is_told_of_in_thin_events(stripe_sim: StripeSimulator) -> None:
    """They name the account; what it is now has to be read."""
    account, inbox = stripe_sim.account(ready=False), Inbox()
    stripe_sim.webhooks_to(inbox)
    stripe_sim.onboard(account)
    stripe_sim.drain()
    client = stripe_sim.client()
    told = [
        client.parse_event_notification(body, headers["Stripe-Signature"], SECRETS["thin"])
        for endpoint, headers, body in inbox.taken
        if endpoint == "thin"
    ]
    assert [one.type for one in told] == [
        "v2.core.account[requirements].updated",
        "v2.core.account[configuration.merchant].capability_status_updated",
        "v2.core.account_link.returned",
    ]
    related: Any = told[0]
    assert related.related_object.id == account
    assert related.fetch_related_object().id == account


def test_what_is_held_comes_in_any_order_and_number(stripe_sim: StripeSimulator) -> None:
    """Twice each, newest first."""
    inbox = Inbox()
    stripe_sim.webhooks_to(inbox)
    stripe_sim.hold_webhooks()
    paid(stripe_sim)
    assert inbox.taken == []
    answers = stripe_sim.deliver(order="last", times=2)
    assert [one["status"] for one in answers] == [200] * 8
    types = [event.type for event in inbox.events()]
    assert types[:2] == ["checkout.session.completed"] * 2
    assert types[-2:] == ["payment_intent.created"] * 2


def test_what_nobody_takes_is_sent_again(stripe_sim: StripeSimulator) -> None:
    """At least once, until somebody says 2xx."""
    inbox = Inbox(500, 404)
    stripe_sim.webhooks_to(inbox)
    stripe_sim.client().v1.payment_intents.create(INTENT)
    stripe_sim.drain()
    assert len(inbox.taken) == 3
    assert len({event.id for event in inbox.events()}) == 1


def test_webhooks_can_be_doubled_and_lost_and_events_read_instead(stripe_sim: StripeSimulator) -> None:
    """What got lost is found in the list of events."""
    inbox = Inbox()
    stripe_sim.webhooks_to(inbox)
    stripe_sim.switch(copies=1, drop=1)
    intents = stripe_sim.client().v1.payment_intents
    lost, told = intents.create(INTENT).id, intents.create(INTENT).id
    stripe_sim.drain()
    assert [event.data.object["id"] for event in inbox.events()] == [told, told]
    missed = stripe_sim.client().v1.events.list({"delivery_success": False})
    assert [event.data.object["id"] for event in missed.data] == [lost]
    assert stripe_sim.deliver(event=missed.data[0].id)[0]["status"] == 200
