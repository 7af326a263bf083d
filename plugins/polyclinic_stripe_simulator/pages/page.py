"""What a page's handlers give back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request

from polyclinic_stripe_simulator.api.calls import Call
from polyclinic_stripe_simulator.simulation import Simulation


@dataclass(frozen=True)
class Show:
    """A template with its values, or a place to go to."""

    template: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    location: str | None = None
    leads_to: tuple[str | None, ...] = ()
    """Addresses that the page's forms may lead to in the end."""


@dataclass(frozen=True)
class Page:
    """How a page is shown, and what its form does."""

    get: Callable[[str, Request], Show]
    post: Callable[[str, Request], Show] | None = None


def going(address: str) -> Show:
    """Send the browser there."""
    return Show(location=address)


def call_for(simulation: Simulation, identity: str) -> Call:
    """A call on the account that an object belongs to."""
    return Call(simulation, "", (), {}, simulation.store.account_of(identity))
