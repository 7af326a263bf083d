"""Amounts between the product and Stripe (E1): Stripe's own exponents, which differ from ISO 4217 and from CLDR.

A number sent to Stripe counts hundredths for most currencies, whole units for some, thousandths for a few; króna and
Uganda shilling count hundredths although nobody knows them, and only whole units may be charged.
"""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from polyclinic.hooks.providers import ProviderRefused
from polyclinic.kernel.money import Money, exponent

_ZERO = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_THREE = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
#: Two digits on the wire of which both must be zero.
_WHOLE = frozenset(["ISK", "UGX"])
#: Stripe's smallest charges in its own units; ISK and KWD are those worth about 0.50 USD. Others: fifty hundredths.
_SMALLEST = {
    "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30,
    "HKD": 400, "HUF": 17500, "INR": 50, "ISK": 7000, "JPY": 50, "KWD": 150, "MXN": 1000, "MYR": 200, "NOK": 300,
    "NZD": 50, "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "UGX": 200000, "USD": 50,
}  # fmt: skip
#: Stripe takes eight digits.
LARGEST = 99_999_999


class AmountRefused(ProviderRefused):
    """An amount that Stripe has no number for; never sent."""


def stripe_exponent(currency: str) -> int:
    """Return how many decimal digits Stripe's numbers have in ``currency``."""
    return 0 if currency in _ZERO else 3 if currency in _THREE else 2


def step(currency: str) -> int:
    """Return the multiple, in our minor units, that every amount of ``currency`` must be.

    1 almost everywhere; 10 where Stripe wants the third decimal to be zero. Commissions are rounded to it as well.
    """
    finer = max(0, stripe_exponent(currency) - exponent(currency))
    return max(1, _wire_step(currency) // int(10**finer))


def _wire_step(currency: str) -> int:
    return 100 if currency in _WHOLE else 10 if currency in _THREE else 1


def to_stripe(money: Money) -> int:
    """Return the number that stands for ``money`` in a request; raises AmountRefused where there is none."""
    ours, theirs = exponent(money.currency), stripe_exponent(money.currency)
    number, rest = divmod(money.minor * int(10**theirs), int(10**ours))
    if rest or number % _wire_step(money.currency):
        raise AmountRefused("amount_step", f"{money.amount} {money.currency} is finer than what can be charged")
    if abs(number) > LARGEST:
        raise AmountRefused("amount_too_large", f"{money.amount} {money.currency} has more than eight digits")
    return number


def from_stripe(number: int, currency: str) -> Money:
    """Return what a number of Stripe's in ``currency`` (any case) means; raises AmountRefused for a broken unit."""
    code = currency.upper()
    ours, theirs = exponent(code), stripe_exponent(code)
    minor, rest = divmod(number * int(10**ours), int(10**theirs))
    if rest:
        raise AmountRefused("amount_unit", f"{number} {currency} is no whole number of smallest units")
    return Money(minor, code)


def least(currency: str) -> Money:
    """Return the smallest amount that can be charged in ``currency``."""
    wire = _SMALLEST.get(currency, 50 * _wire_step(currency))
    whole, rest = divmod(wire * int(10 ** exponent(currency)), int(10 ** stripe_exponent(currency)))
    return Money(whole + (1 if rest else 0), currency)


def refuse_amount(money: Money) -> Any | None:
    """Return the sentence why ``money`` cannot be charged, or None; nothing at all costs nothing and is never sent."""
    if not money:
        return None
    if money.minor < least(money.currency).minor:
        return _l(
            "The smallest amount that can be paid online is %(least)s.",
            least=f"{least(money.currency).amount} {money.currency}",
        )
    if money.minor % step(money.currency):
        return _l("Amounts in %(currency)s end with a zero: the third decimal cannot be paid.", currency=money.currency)
    try:
        to_stripe(money)
    except AmountRefused:
        return _l("This amount is too large to be paid online.")
    return None
