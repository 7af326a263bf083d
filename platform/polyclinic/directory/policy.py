"""Who is shown in a portal's directory, and who makes the prices there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from polyclinic.directory.rules import Pricing, PricingPolicy
from polyclinic.tenancy.kinds import Amount, Choice, LocalizedText
from polyclinic.tenancy.policy import CURRENCY
from polyclinic.tenancy.settings import Problem, Setting, Settings

ADMISSION = Setting(
    "directory.admission",
    Choice(("application", "invitation", "all")),
    _l("Admission"),
    _l("How specialists come to be listed: they apply, are invited, or all approved ones are."),
    default="invitation",
)
ORDER = Setting(
    "directory.order",
    Choice(("next_free", "name"), later=("rotation",)),
    _l("Order"),
    _l("What comes first in the directory: the earliest free time, or the alphabet."),
    default="next_free",
)
VISIBLE_TO = Setting(
    "directory.visible_to",
    Choice(("guests",), later=("members",)),
    _l("Visible to"),
    _l("Whether everybody sees the directory or only signed-in patients."),
    default="guests",
)

FIELD = Setting(
    "directory.field",
    LocalizedText(max=60),
    _l("Field"),
    _l("What the portal's specialists do, in a word or two; on the public site of the Specialist Portal."),
    default={},
    network=False,
)
WANTED = Setting(
    "directory.wanted",
    LocalizedText(max=400),
    _l("Wanted"),
    _l(
        "Whom the portal is looking for. With it, the public site of the Specialist Portal names the portal and "
        "proposes it to people who ask; without it, nobody there learns of it."
    ),
    default={},
    network=False,
)

PRICING = Setting(
    "pricing.policy",
    Choice(("fixed", "own", "range", "free")),
    _l("Pricing policy"),
    _l(
        "“fixed”: the portal's price list holds for all. “own”: each specialist sets prices. “range”: their own, "
        "within the limits below. “free”: everything costs nothing (only with the payment model “free”)."
    ),
    default="fixed",
)
PRICE_MINIMUM = Setting(
    "pricing.minimum",
    Amount(),
    _l("Lowest price"),
    _l("The least a specialist may ask for a visit that is not free of charge; with the policy “range” only."),
    network=False,
)
PRICE_MAXIMUM = Setting(
    "pricing.maximum",
    Amount(),
    _l("Highest price"),
    _l("The most a specialist may ask for a visit; with the policy “range” only."),
    network=False,
)

SETTINGS: tuple[Setting[Any], ...] = (
    ADMISSION,
    ORDER,
    VISIBLE_TO,
    FIELD,
    WANTED,
    PRICING,
    PRICE_MINIMUM,
    PRICE_MAXIMUM,
)


def check_range(settings: Settings) -> Iterator[Problem]:
    """A range needs both ends, in order; other policies have none."""
    low, high = settings.find(PRICE_MINIMUM), settings.find(PRICE_MAXIMUM)
    if settings.get(PRICING) != "range":
        for setting, value in ((PRICE_MINIMUM, low), (PRICE_MAXIMUM, high)):
            if value is not None:
                yield Problem(setting.path, _("the pricing policy is not “range”"), _("no limit, or policy = “range”"))
        return
    for setting, value in ((PRICE_MINIMUM, low), (PRICE_MAXIMUM, high)):
        if value is None:
            yield Problem(setting.path, _("the pricing policy “range” needs this limit"), setting.kind.expected())
    if low and high and low.minor > high.minor:
        yield Problem(
            PRICE_MINIMUM.path,
            _("the lowest price is above the highest"),
            _("at most %(amount)s", amount=f"{high.amount} {high.currency}"),
        )


CHECKS = (check_range,)


def pricing_of(settings: Settings) -> Pricing:
    """Read how a portal makes prices."""
    low, high = settings.find(PRICE_MINIMUM), settings.find(PRICE_MAXIMUM)
    return Pricing(
        policy=cast("PricingPolicy", settings.get(PRICING)),
        currency=settings.get(CURRENCY),
        minimum=low.minor if low else None,
        maximum=high.minor if high else None,
    )
