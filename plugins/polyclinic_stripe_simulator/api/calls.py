"""A request on its way through the handlers, and the table of handlers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from polyclinic_stripe_simulator.simulation import Simulation
from polyclinic_stripe_simulator.store import Object, Store

Handler = Callable[["Call"], Object]
HANDLERS: dict[str, Handler] = {}


@dataclass(frozen=True)
class Call:
    """A checked request."""

    simulation: Simulation
    operation: str
    ids: tuple[str, ...]
    params: dict[str, Any]
    account: str
    """The connected account of the `Stripe-Account` header; empty for the platform itself."""
    request_id: str | None = None
    idempotency_key: str | None = None

    @property
    def store(self) -> Store:
        """What is remembered."""
        return self.simulation.store

    @property
    def now(self) -> int:
        """The time on the simulator's clock."""
        return self.store.now()

    def emit(self, kind: str, found: Object, account: str | None = None, **previous: Any) -> None:
        """An event caused by this request; of its account unless another is named."""
        request = {"id": self.request_id, "idempotency_key": self.idempotency_key}
        self.simulation.emit(kind, found, self.account if account is None else account, request, **previous)

    def find(self, kind: str, identity: str, param: str = "id") -> Object:
        """An object of this account."""
        return self.store.find(kind, identity, self.account, param)

    def on(self, account: str) -> Call:
        """The same request as seen from another account."""
        return Call(self.simulation, self.operation, (), {}, account, self.request_id, self.idempotency_key)


def handles(*operations: str) -> Callable[[Handler], Handler]:
    """Answer these operations of Stripe's document."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(operations, handler))
        return handler

    return register
