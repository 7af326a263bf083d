"""Hook implementations of the Stripe simulator: its pages on the dev host, in demonstrations and tests only."""

from typing import Any

from polyclinic.hooks.specs import hookimpl
from polyclinic_stripe_simulator.proxy import add_pages


@hookimpl
def register_pages(app: Any) -> None:
    """Show the simulator's pages where a simulator is in use."""
    add_pages(app)
