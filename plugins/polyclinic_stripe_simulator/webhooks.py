"""Deliveries: signed, at least once, again with growing pauses until somebody says 2xx; held, doubled or reordered on
request. Signatures are made at the real time of each attempt, as Stripe makes them.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import random
import sqlite3
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from polyclinic_stripe_simulator.simulation import Simulation
from polyclinic_stripe_simulator.store import Object

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
TIMEOUT = 10.0
IDLE_SECONDS = 0.5
ORDERS = ("first", "last", "random")


def signature(body: bytes, secrets: list[str], at: int) -> str:
    """The `Stripe-Signature` header: one signature for each secret that is valid now."""
    signed = f"{at}.".encode() + body
    made = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={one}" for one in made)])


class Deliverer:
    """Sends what is due, from a thread of its own or when asked to."""

    def __init__(self, simulation: Simulation) -> None:
        """Deliver for one simulation."""
        self.simulation = simulation
        self._something = threading.Event()
        self._stopping = threading.Event()
        simulation.wake = self._something.set

    def start(self) -> None:
        """Send what becomes due, until `stop`."""
        threading.Thread(target=self._run, daemon=True, name="webhooks").start()

    def stop(self) -> None:
        """Send nothing more."""
        self._stopping.set()
        self._something.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._something.clear()
            if not self.send_due():
                self._something.wait(IDLE_SECONDS)

    def send_due(self) -> int:
        """Send everything whose time has come; how many that were."""
        store = self.simulation.store
        rows = store.rows("SELECT * FROM delivery WHERE state = 'due' AND due <= ? ORDER BY seq LIMIT 20", time.time())
        for row in rows:
            self._send(row)
        return len(rows)

    def release(self, order: str = "first", times: int = 1) -> list[Object]:
        """Send everything that is held or due, now, in this order and number; what each was answered."""
        rows = self.simulation.store.rows("SELECT * FROM delivery WHERE state IN ('held', 'due') ORDER BY seq")
        rows = [row for row in rows for _ in range(times)]
        if order == "last":
            rows.reverse()
        elif order == "random":
            random.shuffle(rows)
        return [self._send(row) for row in rows]

    def again(self, event: str, times: int = 1) -> list[Object]:
        """Send an event once more, whatever became of it."""
        rows = self.simulation.store.rows("SELECT * FROM delivery WHERE event = ? ORDER BY seq LIMIT 1", event)
        return [self._send(row) for row in rows for _ in range(times)]

    def _send(self, row: sqlite3.Row) -> Object:
        store = self.simulation.store
        target = store.setting("targets", {}).get(row["endpoint"])
        event = store.get(row["event"])
        if target is None or event is None:
            store.rows("UPDATE delivery SET state = 'dropped', said = 'no target' WHERE seq = ?", row["seq"])
            return {"event": row["event"], "status": None, "said": "no target"}
        status, said = post(target, json.dumps(event, indent=2).encode())
        done = status is not None and 200 <= status < 300
        pause = PAUSES[min(int(row["attempts"]), len(PAUSES) - 1)]
        store.rows(
            "UPDATE delivery SET attempts = attempts + 1, said = ?, due = ?, "
            "state = CASE WHEN ? THEN 'delivered' WHEN state = 'delivered' THEN state ELSE 'due' END WHERE seq = ?",
            said,
            time.time() + pause,
            done,
            row["seq"],
        )
        return {"event": row["event"], "type": event["type"], "status": status, "said": said}


def post(target: dict[str, Any], body: bytes) -> tuple[int | None, str]:
    """Send one event; the status and a word about it."""
    parts = urlsplit(target["url"])
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": signature(body, target["secrets"], int(time.time())),
        "Host": target.get("host") or parts.netloc,
    }
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=TIMEOUT)
    try:
        connection.request("POST", parts.path or "/", body, headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        return None, type(error).__name__
    finally:
        connection.close()
    return answer.status, str(answer.status)
