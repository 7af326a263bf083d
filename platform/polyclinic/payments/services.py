"""What a patient is told about paying, and which payment model an appointment is booked with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from polyclinic.hooks.registry import Hooks
from polyclinic.kernel.money import Money
from polyclinic.payments.policy import PAYMENT_MODEL, PAYMENT_TERMS
from polyclinic.payments.rules import model_for
from polyclinic.tenancy.places import PortalView
from polyclinic.web.i18n import localized


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """How a price is paid on a portal."""

    model: str
    name: Any
    sentence: str
    """For the patient: the portal's own words, else the payment model's."""


def payment_terms(hooks: Hooks, portal: PortalView, price: Money) -> PaymentTerms:
    """Return how ``price`` is paid on a portal (E5); raises Conflict where its payment model cannot serve it."""
    model = model_for(price, portal.settings.get(PAYMENT_MODEL), hooks.payment_models)
    if not price:
        return PaymentTerms(model.slug, model.name, str(model.explanation))
    own = localized(portal.settings.get(PAYMENT_TERMS))
    return PaymentTerms(model.slug, model.name, own or str(model.explanation))


def explain_payment(hooks: Hooks, portal: PortalView, model: str) -> str:
    """Return how something that was booked with ``model`` is paid, "" where no plugin offers it any more."""
    found = hooks.payment_models.get(model)
    if found is None:
        return ""
    own = localized(portal.settings.get(PAYMENT_TERMS)) if not found.free_only else ""
    return own or str(found.explanation)
