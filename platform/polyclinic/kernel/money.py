"""Money as integer minor units and a currency (E1), with the digits that people use in each currency."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from babel.numbers import list_currencies

_KNOWN = frozenset(list_currencies())

# ISO 4217, and MGA, whose fifths nobody pays in. Written here: CLDR's digits are for showing cash, and would lose the
# paras of a dinar (RSD) that a bank moves. What a payment provider counts in is its adapter's business.
_DIGITS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"), 0
    ),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}

#: Amounts stay far below what a bigint column holds, also summed.
LARGEST = 10**15


@functools.cache
def exponent(currency: str) -> int:
    """Return how many decimal digits ``currency`` has: 2 for EUR, 0 for JPY, 3 for KWD.

    Raises ValueError for a code that is not a currency.
    """
    if currency not in _KNOWN:
        raise ValueError(f"{currency!r} is not a currency; expected a code such as EUR, GBP or JPY")
    return _DIGITS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, pence; yen are their own) of one currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse amounts that are not whole minor units of a known currency."""
        if not isinstance(self.minor, int) or isinstance(self.minor, bool):
            raise TypeError("an amount is a whole number of minor units")
        exponent(self.currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __add__(self, other: Money) -> Money:
        """Add an amount of the same currency."""
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        """Subtract an amount of the same currency."""
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __bool__(self) -> bool:
        """Whether anything is owed at all."""
        return self.minor != 0

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}: there is no conversion (E2)")

    @classmethod
    def parse(cls, text: str | int, currency: str) -> Money:
        """Read an amount in major units, written with a dot ("80", "80.50").

        Raises ValueError where it is no number or finer than the currency's smallest unit.
        """
        digits = exponent(currency)
        try:
            value = Decimal(str(text).strip()).scaleb(digits)
        except InvalidOperation as broken:
            raise ValueError(f"{text!r} is not an amount; expected a number such as 80 or 80.50") from broken
        if not value.is_finite() or value != value.to_integral_value():
            raise ValueError(f"{text!r} is not an amount in {currency}; expected at most {digits} decimals")
        if abs(value) > LARGEST:
            raise ValueError(f"{text!r} is too large an amount; expected at most {LARGEST} minor units")
        return cls(int(value), currency)
