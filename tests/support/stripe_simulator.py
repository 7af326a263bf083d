"""A Stripe to test against: the simulator as a process of its own, spoken to through the real SDK.

`stripe_sim` is empty for each test; `stripe_server` is the process, one for each process of the tests.

    def test_a_visit_is_paid(stripe_sim):
        client = stripe_sim.client()                       # a real stripe.StripeClient
        account = stripe_sim.account()                     # ready to charge; account("recipient") for transfers
        session = client.v1.checkout.sessions.create({...}, {"stripe_account": account})
        stripe_sim.pay(session.id)                         # as a person on the hosted page; its id or its address
        stripe_sim.pay(session.id, card="4000000000000002")["error"]["decline_code"]
        stripe_sim.pay(session.id, outcome="later")        # complete, unpaid; then settle(intent, good=True or False)
        stripe_sim.pay(session.id, outcome="challenge")    # 3-D Secure; then prove(intent, good=True or False)

Webhooks go nowhere until `webhooks_to` names a Flask application, an address (without path; host= the Host header), or
a function `(endpoint, headers, body) -> status`. They are signed with `SECRETS[endpoint]`. `hold_webhooks()` keeps them
until `deliver(order="first" | "last" | "random", times=n)`, which returns what each was answered; `drain()` waits until
everything due has arrived; `switch(copies=1)` doubles each, `switch(drop=2)` loses the next two.

`fail_next("/v1/refunds", status=500 | 502 | 503 | 429 | "reset" | "timeout", after_effect=False, times=1, seconds=30)`
lets calls fail; the path is a pattern, `POST /v1/*` as well. A 500 is remembered for its idempotency key, as by Stripe:
the same key gets it again. After "reset" and "timeout" the same key gets what really happened.

`switch(decline_next=True)`, `switch(next_refund="pending" | "failed")`, `complete_refund(id)`, `fail_refund(id)`,
`dispute(charge)`, `decide(dispute, won=True)`, `expire(session)`, `advance(seconds)`, `events()`, `objects(kind)`.
Kinds are Stripe's own names: checkout.session, payment_intent, charge, refund, application_fee, transfer,
balance_transaction, customer, v2.core.account, event, v2.core.event.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe
from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from polyclinic.runtime.ports import free_port
from support.source import ROOT

KEY = "sk_test_sim_tests"
ENDPOINTS = ("account", "connect", "thin")
SECRETS = {endpoint: f"whsec_tests_{endpoint}" for endpoint in ENDPOINTS}
HOOKS_HOST = "hooks.localhost"
PATIENCE = 30.0

Told = Callable[[str, dict[str, str], bytes], int]
Object = dict[str, Any]


class StripeServer:
    """The process: start, kill -9, start again with what it remembered."""

    def __init__(self, home: Path, port: int) -> None:
        """A simulator in a folder."""
        self.home, self.port = home, port
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it answers."""
        arguments = ["--home", str(self.home), "--port", str(self.port)]
        environ = {**os.environ, "MODE": "test", "STRIPE_SECRET_KEY": KEY}
        command = [sys.executable, "-m", "polyclinic_stripe_simulator", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environ)
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None, "the Stripe simulator ended while starting"
            assert time.monotonic() < end, "the Stripe simulator did not answer"
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/ready", timeout=5).ok
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        """End it as kill -9 does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class _Silent(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class Receiver:
    """Takes webhooks for the test and hands them to whom it likes."""

    def __init__(self) -> None:
        """Listen on a port of its own."""
        self.told: Flask | Told | None = None
        self.server: BaseWSGIServer = make_server("127.0.0.1", 0, self, threaded=True, request_handler=_Silent)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Pass a delivery on."""
        if isinstance(self.told, Flask):
            return self.told(environ, start_response)
        request = Request(environ)
        endpoint = request.path.rsplit("/", 1)[1]
        status = self.told(endpoint, dict(request.headers), request.get_data()) if self.told else 404
        return Response(status=status)(environ, start_response)


class StripeSimulator:
    """What tests do with it; see the module."""

    def __init__(self, server: StripeServer, receiver: Receiver) -> None:
        """Control a running simulator."""
        self.server, self.receiver = server, receiver
        self.url, self.key = server.url, KEY

    def client(self, **options: Any) -> stripe.StripeClient:
        """The SDK's client, without retries of its own unless they are asked for."""
        stripe.enable_telemetry = False
        addresses: Any = {"api": self.url, "connect": self.url, "files": self.url, "meter_events": self.url}
        options = {"max_network_retries": 0, "http_client": stripe.RequestsClient(timeout=10), **options}
        return stripe.StripeClient(self.key, base_addresses=addresses, **options)

    def control(self, what: str, **arguments: Any) -> Any:
        """Call the control interface."""
        answer = requests.post(f"{self.url}/_control/{what}", json=arguments, timeout=60)
        content = answer.json()
        assert answer.ok, content["error"]
        return content["result"]

    def fetch(self, method: str, path: str, **headers: str) -> requests.Response:
        """Any request at all, without following redirects."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(method, self.url + path, headers=sent, allow_redirects=False, timeout=20)

    def account(self, kind: str = "merchant", *, ready: bool = True) -> str:
        """A connected account: `merchant` for direct charges, `recipient` for transfers; its id."""
        transfers = {"stripe_balance": {"stripe_transfers": {"requested": True}}}
        capabilities: Any = {"card_payments": {"requested": True}} if kind == "merchant" else transfers
        collector: Any = "stripe" if kind == "merchant" else "application"
        found = self.client().v2.core.accounts.create(
            {
                "contact_email": "specialist@example.com",
                "display_name": "Specialist",
                "dashboard": "full" if kind == "merchant" else "express",
                "identity": {"country": "de", "entity_type": "individual"},
                "configuration": {kind: {"capabilities": capabilities}},  # type: ignore[misc]  # one of two keys
                "defaults": {
                    "currency": "eur",
                    "responsibilities": {"fees_collector": collector, "losses_collector": collector},
                },
            }
        )
        if ready:
            self.onboard(found.id)
        return found.id

    def onboard(self, account_id: str, ready: bool = True, due: list[str] | None = None) -> Object:
        """Finish onboarding, or leave something due."""
        return dict(self.control("onboard", account=account_id, ready=ready, due=due))

    def pay(self, session: str, card: str = "4242424242424242", outcome: str | None = None) -> Object:
        """Pay a session by its id or address: the session, with `error` when it was refused."""
        found = re.search(r"cs_test_\w+", session)
        assert found, f"{session} names no checkout session"
        return dict(self.control("pay", session=found.group(), card=card, outcome=outcome))

    def prove(self, intent: str, good: bool = True) -> Object:
        """Pass or fail a 3-D Secure challenge."""
        return dict(self.control("prove", intent=intent, good=good))

    def settle(self, intent: str, good: bool = True) -> Object:
        """Let promised money arrive, or not."""
        return dict(self.control("settle", intent=intent, good=good))

    def webhooks_to(self, target: Flask | str | Told, host: str = HOOKS_HOST) -> None:
        """Say where webhooks go."""
        if not isinstance(target, str):
            self.receiver.told, target = target, f"http://127.0.0.1:{self.receiver.server.port}"
        self.control(
            "aim",
            targets={
                endpoint: {"url": f"{target}/stripe/{endpoint}", "host": host, "secrets": [SECRETS[endpoint]]}
                for endpoint in ENDPOINTS
            },
        )

    def hold_webhooks(self, hold: bool = True) -> None:
        """Keep webhooks until `deliver`."""
        self.switch(hold=hold)

    def deliver(self, order: str = "first", times: int = 1, event: str | None = None) -> list[Object]:
        """Send what is held; what each was answered."""
        return list(self.control("deliver", order=order, times=times, event=event))

    def drain(self, seconds: float = PATIENCE) -> None:
        """Wait until nothing is due any more."""
        end = time.monotonic() + seconds
        while waiting := [one for one in self.control("deliveries") if one["state"] == "due"]:
            assert time.monotonic() < end, waiting[:3]
            time.sleep(0.05)

    def fail_next(
        self, path: str, status: int | str = 500, *, after_effect: bool = False, times: int = 1, seconds: float = 30.0
    ) -> None:
        """Let the next calls fail."""
        fault = {"status": str(status), "after_effect": after_effect, "times": times, "seconds": seconds}
        self.control("fail_next", path=path, **fault)

    def switch(self, **values: Any) -> Object:
        """Set switches."""
        return dict(self.control("switch", **values))

    def events(self, account: str | None = None) -> list[Object]:
        """What happened, newest first; on one account if it is named ("" is the platform)."""
        return list(self.control("objects", kind="event", account=account))

    def objects(self, kind: str, account: str | None = None) -> list[Object]:
        """Objects of a kind, newest first."""
        return list(self.control("objects", kind=kind, account=account))

    def complete_refund(self, refund: str) -> Object:
        """Let a pending refund arrive."""
        return dict(self.control("refund", refund=refund, good=True))

    def fail_refund(self, refund: str) -> Object:
        """Let a refund come back."""
        return dict(self.control("refund", refund=refund, good=False))

    def dispute(self, charge: str) -> Object:
        """Let the cardholder dispute a charge."""
        return dict(self.control("dispute", charge=charge))

    def decide(self, dispute: str, won: bool) -> Object:
        """End a dispute."""
        return dict(self.control("decide", dispute=dispute, won=won))

    def expire(self, session: str) -> Object:
        """End an open session."""
        return dict(self.control("expire", session=session))

    def advance(self, seconds: int) -> None:
        """Let time go by for sessions and balances."""
        self.control("advance", seconds=seconds)


@pytest.fixture(scope="session")
def stripe_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeServer]:
    """The process."""
    server = StripeServer(tmp_path_factory.mktemp("stripe"), free_port())
    server.start()
    yield server
    server.kill()


@contextmanager
def free_receiver() -> Iterator[Receiver]:
    """A receiver that listens inside."""
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture(scope="session")
def stripe_receiver() -> Iterator[Receiver]:
    """Who takes webhooks in this process."""
    with free_receiver() as receiver:
        yield receiver


@pytest.fixture
def stripe_sim(stripe_server: StripeServer, stripe_receiver: Receiver) -> Iterator[StripeSimulator]:
    """A Stripe that knows nothing yet."""
    simulator = StripeSimulator(stripe_server, stripe_receiver)
    simulator.control("reset")
    simulator.control("aim", targets={})
    yield simulator
    simulator.control("aim", targets={})
    stripe_receiver.told = None
