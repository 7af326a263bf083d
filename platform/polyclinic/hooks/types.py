"""What hooks are given and what they give back: frozen values, no sessions, no models."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from polyclinic.hooks.providers import PaymentProvider
from polyclinic.kernel.money import Money

Moment = Literal["confirmed", "cancelled", "completed"]


@dataclass(frozen=True, slots=True)
class PaymentModel:
    """How visits of a portal are paid."""

    slug: str
    """The value of the setting ``payment.model``."""
    name: Any
    """A short name for operators, translatable."""
    explanation: Any
    """One sentence for patients about when and how they pay, translatable."""
    charges_online: bool
    """Whether an appointment is confirmed only once it is paid (B2)."""
    free_only: bool = False
    """Whether every price must be zero."""
    provider: PaymentProvider | None = None
    """Who takes the money, where ``charges_online``."""
    earns: Literal["commission", "share", "nothing"] = "nothing"
    """How the platform is paid: a commission it takes (E3), or what the specialist's share leaves (E4)."""
    refuse_amount: Callable[[Money], Any | None] | None = None
    """Says in a sentence why an amount cannot be charged, or None; None for a model that takes any."""
    step: Callable[[str], int] | None = None
    """The multiple, in minor units of a currency, that every amount must be, commissions included; None for 1."""


@dataclass(frozen=True, slots=True)
class AppointmentChange:
    """An appointment reached a new state; the transaction that did it is still open."""

    moment: Moment
    appointment_id: uuid.UUID
    portal_id: uuid.UUID
    patient_id: uuid.UUID
    specialist_id: uuid.UUID
    starts_at: dt.datetime
    """UTC."""
    by: Literal["patient", "specialist", "operator", "system"]
