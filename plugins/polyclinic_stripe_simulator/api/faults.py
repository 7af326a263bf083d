"""Trouble on purpose: what the control interface asked to go wrong with the next calls."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase

from polyclinic_stripe_simulator.errors import Refused
from polyclinic_stripe_simulator.store import Store

WAYS = ("500", "502", "503", "429", "reset", "timeout")
SECONDS = 30.0


@dataclass(frozen=True)
class Fault:
    """One kind of trouble for a number of calls."""

    path: str
    """A pattern for `METHOD /path` or for `/path` alone: `/v1/refunds`, `POST /v1/*`."""
    status: str = "500"
    """A status, `reset` (the connection breaks off) or `timeout` (nothing comes for `seconds`)."""
    after_effect: bool = False
    """Whether what was asked for is done first: the outcome is unknown to the caller."""
    times: int = 1
    seconds: float = SECONDS

    def meets(self, method: str, path: str) -> bool:
        """Whether a call is meant."""
        return any(fnmatchcase(text, self.path) for text in (path, f"{method} {path}"))


def plan(store: Store, fault: Fault) -> None:
    """Let it happen to the next calls; raises Refused when there is no such trouble."""
    if fault.status not in WAYS:
        raise Refused(f"status is '{fault.status}'; expected one of {', '.join(WAYS)}", param="status")
    store.set("faults", [*store.setting("faults", []), asdict(fault)])


def take(store: Store, method: str, path: str) -> Fault | None:
    """The trouble of this call, counted down."""
    planned = [Fault(**one) for one in store.setting("faults", [])]
    for number, fault in enumerate(planned):
        if fault.meets(method, path):
            left = [asdict(one) for place, one in enumerate(planned) if place != number]
            if fault.times > 1:
                left.insert(number, asdict(fault) | {"times": fault.times - 1})
            store.set("faults", left)
            return fault
    return None
