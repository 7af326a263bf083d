"""Run the simulator: `python -m polyclinic_stripe_simulator --home var/stripe --port 8999 …`.

Keys and webhook secrets come from the environment, under the names that the product reads itself: STRIPE_SECRET_KEY,
STRIPE_WEBHOOK_SECRETS_ACCOUNT, …_CONNECT, …_THIN. MODE must say demo or test.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from polyclinic_stripe_simulator.service import Service
from polyclinic_stripe_simulator.simulation import Options

KEY_PREFIX = "sk_test_sim"
LIVE = ("sk_live_", "rk_live_")
ENDPOINTS = ("account", "connect", "thin")
LOOPBACK = "127.0.0.1"


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the control page shows what happened."""


def reasons_against(environ: Mapping[str, str]) -> list[str]:
    """Why the simulator must not start here; empty when it may."""
    found = []
    if environ.get("MODE") not in ("demo", "test"):
        found.append("MODE must be demo or test: the Stripe simulator never runs beside a production installation.")
    live = [name for name, value in environ.items() if value.strip().startswith(LIVE)]
    found += [f"{name} holds a live Stripe key: unset it, or do without the simulator." for name in sorted(live)]
    key = environ.get("STRIPE_SECRET_KEY", "")
    if not live and not key.startswith(KEY_PREFIX):
        found.append(f"STRIPE_SECRET_KEY must begin with {KEY_PREFIX}: the simulator takes no real key.")
    return found


def read_options(argv: Sequence[str], environ: Mapping[str, str]) -> tuple[Options, int]:
    """How to start, and on which port."""
    parser = argparse.ArgumentParser("polyclinic_stripe_simulator", description="A Stripe that moves no money.")
    parser.add_argument("--home", type=Path, help="folder to remember everything in; left out: nothing is kept")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--public-url", help="where browsers see its pages (default: its own address)")
    parser.add_argument("--hooks-url", help="where webhooks go, without the path: http://127.0.0.1:8000")
    parser.add_argument("--hooks-host", help="the Host header of webhooks: hooks.localhost:8000")
    given = parser.parse_args(argv)
    targets: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS if given.hooks_url else ():
        words = environ.get(f"STRIPE_WEBHOOK_SECRETS_{endpoint.upper()}", "").split(",")
        secrets = [word.strip() for word in words if word.strip()]
        address = f"{given.hooks_url.rstrip('/')}/stripe/{endpoint}"
        targets[endpoint] = {"url": address, "host": given.hooks_host, "secrets": secrets}
    public = (given.public_url or f"http://{LOOPBACK}:{given.port}/stripe").rstrip("/")
    file = given.home / "stripe.sqlite3" if given.home else None
    return Options(environ["STRIPE_SECRET_KEY"], public, file, targets), given.port


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Serve until a signal; the exit code."""
    against = reasons_against(environ)
    if against:
        sys.stderr.write("\n".join(against) + "\n")
        return 2
    options, port = read_options(argv, environ)
    service = Service(options)
    server = make_server(LOOPBACK, port, service, threaded=True, request_handler=Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]  # of ThreadingMixIn
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    service.start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    finally:
        service.stop()
        server.server_close()
        service.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
