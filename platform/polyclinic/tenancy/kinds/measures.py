"""Kinds of quantities: numbers, shares, durations, amounts of money."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _

from polyclinic.kernel.money import Money, exponent
from polyclinic.tenancy.kinds.core import Context, Kind, Unreadable, shown


@dataclass(frozen=True)
class Integer(Kind[int]):
    """A whole number within limits."""

    min: int
    max: int
    name: str = field(default="whole number", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("a whole number from %(min)s to %(max)s", min=self.min, max=self.max)

    def parse(self, raw: object, context: Context) -> int:
        """See Kind."""
        if isinstance(raw, bool) or not isinstance(raw, int) or not self.min <= raw <= self.max:
            raise self.refuse(raw)
        return raw


@dataclass(frozen=True)
class Percent(Kind[Decimal]):
    """A share in percent, kept as a Decimal of percent: "19 %" is Decimal(19). The database keeps its text."""

    min: Decimal = Decimal(0)
    max: Decimal = Decimal(100)
    name: str = field(default="percent", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("a percentage from %(min)s to %(max)s, such as “7.5 %%”", min=f"{self.min} %", max=f"{self.max} %")

    def parse(self, raw: object, context: Context) -> Decimal:
        """See Kind."""
        match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,4})?)\s*%", raw.strip()) if isinstance(raw, str) else None
        if not match or not self.min <= Decimal(match[1]) <= self.max:
            raise self.refuse(raw)
        return Decimal(match[1])

    def store(self, value: Decimal) -> Any:
        """See Kind."""
        return f"{value.normalize():f} %"


UNITS = {"d": 86400, "h": 3600, "min": 60}


@dataclass(frozen=True)
class Duration(Kind[timedelta]):
    """A length of time, written "12 h", "60 d", "1 h 30 min"; the database keeps seconds."""

    min: timedelta
    max: timedelta
    divides_a_day: bool = False
    name: str = field(default="duration", init=False)

    def expected(self) -> str:
        """See Kind."""
        words = _(
            "a duration from %(min)s to %(max)s, such as “30 min”, “12 h” or “60 d”",
            min=duration_in_words(self.min),
            max=duration_in_words(self.max),
        )
        return words + (", " + _("that divides a day into equal parts") if self.divides_a_day else "")

    def parse(self, raw: object, context: Context) -> timedelta:
        """See Kind."""
        parts = re.findall(r"(\d{1,6})\s*(min|h|d)\b", raw) if isinstance(raw, str) else []
        if not parts or re.sub(r"\d{1,6}\s*(min|h|d)\b|\s", "", str(raw)):
            raise self.refuse(raw, _("%(value)s is not a duration", value=shown(raw)))
        return self._within(raw, timedelta(seconds=sum(int(number) * UNITS[unit] for number, unit in parts)))

    def _within(self, raw: object, value: timedelta) -> timedelta:
        if not self.min <= value <= self.max:
            raise self.refuse(raw, _("%(value)s is outside the limits", value=shown(raw)))
        if self.divides_a_day and timedelta(days=1) % value:
            raise self.refuse(raw, _("%(value)s does not divide a day", value=shown(raw)))
        return value

    def dump(self, value: timedelta, context: Context) -> str:
        """See Kind."""
        return duration_in_words(value)

    def store(self, value: timedelta) -> Any:
        """See Kind."""
        return int(value.total_seconds())

    def load(self, stored: Any) -> timedelta:
        """See Kind."""
        if isinstance(stored, bool) or not isinstance(stored, int):
            raise self.refuse(stored)
        return self._within(stored, timedelta(seconds=stored))


def duration_in_words(value: timedelta) -> str:
    """Write a duration the way files do: 90 minutes is "1 h 30 min", 36 hours "36 h", two days "2 d"."""
    seconds = int(value.total_seconds())
    if seconds and seconds % UNITS["d"] == 0 and seconds > UNITS["d"]:
        return f"{seconds // UNITS['d']} d"
    hours, rest = divmod(seconds, UNITS["h"])
    parts = ([f"{hours} h"] if hours else []) + ([f"{rest // 60} min"] if rest or not hours else [])
    return " ".join(parts)


@dataclass(frozen=True)
class Amount(Kind[Money]):
    """An amount of money in the portal's currency: a decimal as text in files, minor units in the database."""

    minimum: int = 0
    name: str = field(default="amount of money", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("an amount in the portal's currency, such as “85.00” (“9800” in yen)")

    def parse(self, raw: object, context: Context) -> Money:
        """See Kind."""
        if context.currency is None:
            raise Unreadable(_("the portal has no currency, so an amount cannot be read"), self.expected())
        if not isinstance(raw, str) or not re.fullmatch(r"\d{1,10}(\.\d{1,4})?", raw):
            raise self.refuse(raw, _("%(value)s is not an amount", value=shown(raw)))
        try:
            money = Money.parse(raw, context.currency)
        except ValueError:
            raise self.refuse(
                raw, _("%(value)s has too many decimals for %(code)s", value=shown(raw), code=context.currency)
            ) from None
        if money.minor < self.minimum:
            raise self.refuse(raw, _("%(value)s is too small", value=shown(raw)))
        return money

    def dump(self, value: Money, context: Context) -> str:
        """See Kind."""
        return decimal_of(value)

    def store(self, value: Money) -> Any:
        """See Kind."""
        return {"minor": value.minor, "currency": value.currency}

    def load(self, stored: Any) -> Money:
        """See Kind."""
        return Money(stored["minor"], stored["currency"])


def decimal_of(money: Money) -> str:
    """Write an amount as files do: "85.00", "9800" in yen."""
    places = exponent(money.currency)
    return f"{money.amount:.{places}f}"
