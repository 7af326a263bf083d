"""How a portal's patients pay, and how the platform is paid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from polyclinic.directory.policy import PRICING
from polyclinic.payments.commission import WHOLE_BPS, CommissionTerms, Earns
from polyclinic.tenancy.kinds import Amount, Boolean, Choice, Duration, LocalizedText, Percent, Text
from polyclinic.tenancy.settings import Problem, Setting, Settings

PAYMENT_MODEL = Setting(
    "payment.model",
    Choice(("connect_direct", "platform_charge", "external_invoice", "free")),
    _l("Payment model"),
    _l(
        "“connect_direct”: patients pay online into the specialist's own account, and the platform takes its "
        "commission. “platform_charge”: patients pay the platform online, which pays the specialists their share. "
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
STATEMENT_NAME = Setting(
    "payment.statement_name",
    Text(max=10),
    _l("Name on card statements"),
    _l(
        "What card statements show beside the payee's name: up to ten letters or digits that say nothing about health. "
        "Unset: nothing."
    ),
    network=False,
)
COMMISSION = Setting(
    "payment.commission",
    Percent(),
    _l("Commission"),
    _l("What the platform takes of a price; not with the payment model “platform_charge”, which knows a share."),
    default=Decimal(15),
)
COMMISSION_MINIMUM = Setting(
    "payment.commission_minimum",
    Amount(),
    _l("Lowest commission"),
    _l("The least that is taken of a visit that is not free, never more than its price. Unset: no limit."),
    network=False,
)
COMMISSION_MAXIMUM = Setting(
    "payment.commission_maximum",
    Amount(),
    _l("Highest commission"),
    _l("The most that is taken of a visit. Unset: no limit."),
    network=False,
)
RETURN_COMMISSION = Setting(
    "payment.return_commission",
    Boolean(),
    _l("Return commission"),
    _l("Whether the commission goes back in proportion when a patient gets money back."),
    default=True,
)
SHARE = Setting(
    "payment.share",
    Percent(),
    _l("Specialist's share"),
    _l("What specialists get of a price with the payment model “platform_charge”."),
    default=Decimal(80),
)
PAYOUT_DELAY = Setting(
    "payment.payout_delay",
    Duration(timedelta(0), timedelta(days=90)),
    _l("Payout delay"),
    _l("How long after a visit was held the specialist's share becomes available; with “platform_charge” only."),
    default=timedelta(days=7),
)

SETTINGS: tuple[Setting[Any], ...] = (
    PAYMENT_MODEL,
    PAYMENT_TERMS,
    STATEMENT_NAME,
    COMMISSION,
    COMMISSION_MINIMUM,
    COMMISSION_MAXIMUM,
    RETURN_COMMISSION,
    SHARE,
    PAYOUT_DELAY,
)


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


def check_commission(settings: Settings) -> Iterator[Problem]:
    """Limits are in order, and shares no finer than a hundredth of a percent."""
    low, high = settings.find(COMMISSION_MINIMUM), settings.find(COMMISSION_MAXIMUM)
    if low and high and low.minor > high.minor:
        yield Problem(
            COMMISSION_MINIMUM.path,
            _("the lowest commission is above the highest"),
            _("at most %(amount)s", amount=f"{high.amount} {high.currency}"),
        )
    for setting in (COMMISSION, SHARE):
        value = settings.get(setting)
        if value * 100 % 1:
            yield Problem(setting.path, _("this is finer than a hundredth of a percent"), _("at most two decimals"))


CHECKS = (check_free, check_commission)


def bps_of(percent: Decimal) -> int:
    """Return a percentage in whole hundredths of a percent."""
    return int(percent * 100)


def commission_terms(settings: Settings, earns: Earns) -> CommissionTerms:
    """Read how the platform is paid on a portal by a payment model that earns so."""
    if earns == "share":
        return CommissionTerms(earns, WHOLE_BPS - bps_of(settings.get(SHARE)))
    low, high = settings.find(COMMISSION_MINIMUM), settings.find(COMMISSION_MAXIMUM)
    if earns == "nothing":
        return CommissionTerms(earns, 0)
    return CommissionTerms(
        earns, bps_of(settings.get(COMMISSION)), low.minor if low else 0, high.minor if high else None
    )
