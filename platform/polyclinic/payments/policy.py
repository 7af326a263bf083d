"""How a portal's patients pay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from polyclinic.directory.policy import PRICING
from polyclinic.tenancy.kinds import Choice, LocalizedText
from polyclinic.tenancy.settings import Problem, Setting, Settings

PAYMENT_MODEL = Setting(
    "payment.model",
    Choice(("external_invoice", "free"), later=("connect_direct", "platform_charge")),
    _l("Payment model"),
    _l(
        "“external_invoice”: a visit is confirmed at once and the specialist sends an invoice. "
        "“free”: visits cost nothing."
    ),
    default="external_invoice",
)
PAYMENT_TERMS = Setting(
    "payment.terms",
    LocalizedText(max=400),
    _l("Payment terms"),
    _l("What patients read about paying before they confirm a visit."),
    default={},
    network=False,
)

SETTINGS: tuple[Setting[Any], ...] = (PAYMENT_MODEL, PAYMENT_TERMS)


def check_free(settings: Settings) -> Iterator[Problem]:
    """Free prices and free payment belong together."""
    free_model, free_prices = settings.get(PAYMENT_MODEL) == "free", settings.get(PRICING) == "free"
    if free_prices and not free_model:
        yield Problem(
            PRICING.path, _("prices are free, but the payment model is not"), _("[payment] model = “free” as well")
        )
    if free_model and not free_prices:
        yield Problem(
            PAYMENT_MODEL.path,
            _("the payment model is free, but prices are not"),
            _("[pricing] policy = “free” as well; single services cost nothing with the price “0”"),
        )


CHECKS = (check_free,)
