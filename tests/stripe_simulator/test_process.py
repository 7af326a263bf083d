"""The process: where it refuses to start, and what kill -9 leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import stripe

from polyclinic.runtime.ports import free_port
from polyclinic_stripe_simulator.api.edge import Edge
from polyclinic_stripe_simulator.document.stripe_document import stripe_document
from support.source import ROOT
from support.stripe_requests import INTENT, SESSION
from support.stripe_simulator import KEY, StripeServer, StripeSimulator, free_receiver

SIMULATED = {"MODE": "test", "STRIPE_SECRET_KEY": KEY}


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"MODE": "production"}, "MODE must be demo or test"),
        ({"MODE": ""}, "MODE must be demo or test"),
        ({"STRIPE_SECRET_KEY": "sk_live_4242424242"}, "STRIPE_SECRET_KEY holds a live Stripe key"),
        ({"OTHER_KEY": "rk_live_4242424242"}, "OTHER_KEY holds a live Stripe key"),
        ({"STRIPE_SECRET_KEY": "sk_test_4242424242"}, "must begin with sk_test_sim"),
        ({"STRIPE_SECRET_KEY": ""}, "must begin with sk_test_sim"),
    ],
)
def test_it_refuses_to_start_beside_what_is_real(environ: dict[str, str], words: str) -> None:
    """With a sentence and an exit code; the key itself is not repeated."""
    command = [sys.executable, "-m", "polyclinic_stripe_simulator", "--port", str(free_port())]
    full = {**os.environ, **SIMULATED, **environ}
    ended = subprocess.run(command, env=full, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "4242" not in ended.stderr


def test_it_knows_everything_again_after_kill_9(tmp_path: Path) -> None:
    """Objects, keys and webhooks that nobody has taken yet."""
    server = StripeServer(tmp_path, free_port())
    with free_receiver() as receiver:
        sim = StripeSimulator(server, receiver)
        try:
            server.start()
            sim.webhooks_to(lambda endpoint, headers, body: 200)
            sim.hold_webhooks()
            session = sim.client().v1.checkout.sessions.create(SESSION)
            sim.pay(session.id)
            first = sim.client().v1.payment_intents.create(INTENT, {"idempotency_key": "k1"})
            server.kill()
            server.start()
            assert sim.client().v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
            assert sim.client().v1.payment_intents.create(INTENT, {"idempotency_key": "k1"}).id == first.id
            assert [one["status"] for one in sim.deliver()] == [200] * 5
        finally:
            server.kill()


def test_every_extracted_operation_is_done() -> None:
    """What the document of this simulator offers has a handler, and no handler is for nothing."""
    assert Edge.handled() == {operation.name for operation in stripe_document().operations}
    assert stripe_document().api_version == stripe.api_version
