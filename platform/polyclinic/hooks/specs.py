"""Every hook, typed and documented: what plugins may add, choose or listen to.

``register_*`` and ``extra_*`` hooks are asked once at start; ``*_changed`` hooks are told inside the transaction, in a
savepoint of their own, and must be quick: what takes time belongs into a job.
"""

from __future__ import annotations

from typing import Any

import pluggy

from polyclinic.hooks.types import AppointmentChange, PaymentModel

NAMESPACE = "polyclinic"
hookspec = pluggy.HookspecMarker(NAMESPACE)
hookimpl = pluggy.HookimplMarker(NAMESPACE)


@hookspec
def register_payment_model() -> PaymentModel:  # type: ignore[empty-body]  # pluggy asks the plugins
    """Offer a payment model that portals may choose."""


@hookspec
def register_pages(app: Any) -> None:
    """Add blueprints and commands to the Flask application; called once, after the product's own."""


@hookspec
def appointment_changed(change: AppointmentChange) -> None:
    """Hear that an appointment was confirmed, cancelled or completed."""
