"""The Stripe simulator of a demonstration (docs/stripe-simulator.md): how it starts, what the product is told."""

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from polyclinic.runtime.passwords import Passwords
from polyclinic.runtime.supervisor import Spec

PACKAGE = "polyclinic_stripe_simulator"
PLACE_PATH = "/stripe"
KEY_PREFIX = "sk_test_sim_"
ENDPOINTS = ("account", "connect", "thin")
LOOPBACK = "127.0.0.1"


def wanted() -> bool:
    """Whether a demonstration simulates Stripe: no key of the real one is given, and the simulator is installed."""
    return not os.environ.get("STRIPE_SECRET_KEY", "").strip() and importlib.util.find_spec(PACKAGE) is not None


@dataclass(frozen=True)
class SimulatedStripe:
    """The simulator of one start; its key and webhook secrets are kept with the other passwords of the home."""

    home: Path
    port: int
    """Of its API, on loopback."""
    web_port: int
    """Where the product listens for webhooks."""
    public_url: str
    """Where browsers see its pages: a path of the dev host."""
    hooks_host: str

    def environment(self) -> dict[str, str]:
        """What every process of the product is told."""
        made = Passwords(self.home / "passwords.json")
        secrets = {f"STRIPE_WEBHOOK_SECRETS_{name.upper()}": _word(made, "whsec_", name) for name in ENDPOINTS}
        key = _word(made, KEY_PREFIX, "key")
        where = {"STRIPE_API_BASE": f"http://{LOOPBACK}:{self.port}", "STRIPE_PAGES": self._origin()}
        return {"STRIPE_SECRET_KEY": key, **where, **secrets}

    def _origin(self) -> str:
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    def spec(self, answers: Callable[[int], bool]) -> Spec:
        """The process."""
        argv = [sys.executable, "-m", PACKAGE]
        argv += ["--home", str(self.home / "stripe"), "--port", str(self.port), "--public-url", self.public_url]
        argv += ["--hooks-url", f"http://{LOOPBACK}:{self.web_port}", "--hooks-host", self.hooks_host]
        return Spec("stripe", argv, {"MODE": "demo", **self.environment()}, lambda: answers(self.port))


def _word(made: Passwords, prefix: str, name: str) -> str:
    """A key or secret in Stripe's form: letters and digits only."""
    return prefix + "".join(letter for letter in made.of(f"stripe_{name}") if letter.isalnum())
