"""One simulator: its store, its settings, and the events that tell others what happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.document.stripe_document import Document, stripe_document
from polyclinic_stripe_simulator.store import PLATFORM, Object, Store

APPLICATION = "ca_polyclinicSimulator"


@dataclass(frozen=True)
class Options:
    """How a simulator is started."""

    key: str
    public_url: str
    """Where browsers see its pages; no slash at the end."""
    file: Path | None = None
    """Where it remembers; None: in memory."""
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Webhook targets by endpoint: `url`, `host` (Host header or nothing), `secrets`."""


@dataclass
class Simulation:
    """What handlers work with."""

    options: Options
    store: Store
    document: Document = field(default_factory=stripe_document)
    wake: Callable[[], None] = lambda: None
    """Tells the deliverer that there is something to send."""

    def emit(self, kind: str, found: Object, account: str, request: Object | None = None, **previous: Any) -> None:
        """An event of an account, to be delivered to the endpoint that hears of this account."""
        data: Object = {"object": found}
        if previous:
            data["previous_attributes"] = previous
        event = build(
            "event",
            id=self.store.new_id("evt"),
            api_version=self.document.api_version,
            created=self.store.now(),
            data=data,
            livemode=False,
            pending_webhooks=1,
            request=request or {"id": None, "idempotency_key": None},
            type=kind,
        )
        if account != PLATFORM:
            event["account"] = account
        self.store.insert(event, account)
        self._queue(event["id"], "connect" if account != PLATFORM else "account")

    def emit_thin(self, kind: str, account: str) -> None:
        """A v2 event of a connected account: names what changed, holds no data."""
        event = {
            "id": self.store.new_id("evt_test"),
            "object": "v2.core.event",
            "type": kind,
            "created": timestamp(self.store.now()),
            "livemode": False,
            "context": account,
            "related_object": {"id": account, "type": "v2.core.account", "url": f"/v2/core/accounts/{account}"},
        }
        self.store.insert(event, PLATFORM)
        self._queue(str(event["id"]), "thin")

    def _queue(self, event: str, endpoint: str) -> None:
        target = self.store.setting("targets", {}).get(endpoint)
        drop = int(self.store.setting("drop", 0))
        if drop:
            self.store.set("drop", drop - 1)
        state = "dropped" if drop else "held" if self.store.setting("hold", False) else "due"
        copies = 1 + int(self.store.setting("copies", 0)) if state == "due" else 1
        for _ in range(copies if target or state == "held" else 0):
            self.store.rows(
                "INSERT INTO delivery (event, endpoint, state, due) VALUES (?, ?, ?, ?)", event, endpoint, state, 0.0
            )
        self.wake()


def timestamp(seconds: int) -> str:
    """A point in time as v2 writes it."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
