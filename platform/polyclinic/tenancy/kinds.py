"""What a setting's value may be: every kind reads the plain form people write and the JSON form the database keeps.

Plain forms are those of `portal.toml` and of the console's forms: "12 h", "15 %", "85.00". Kinds hold no state
of a portal; what they need to know of it (currency, locales) comes in a `Context`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Generic, TypeVar
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies
from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _

from polyclinic.kernel.money import Money, exponent

T = TypeVar("T")


class NotAccepted(ValueError):
    """A value that a kind refuses: `message` says what is wrong, `expected` what would be right."""

    def __init__(self, message: str, expected: str, at: tuple[str | int, ...] = ()) -> None:
        super().__init__(f"{message}; expected {expected}")
        self.message = message
        self.expected = expected
        self.at = at


@dataclass(frozen=True)
class Context:
    """What of the portal a kind may need to read a value."""

    currency: str | None = None
    locales: tuple[str, ...] = ()


def nearest(word: str, known: Sequence[str]) -> str:
    """Return " (did you mean …?)" for a likely slip of the pen, else nothing."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return " " + _("(did you mean “%(word)s”?)", word=close[0]) if close else ""


def shown(raw: object) -> str:
    """Quote a value for a sentence, shortened where it is long."""
    text = f"“{raw}”" if isinstance(raw, str) else str(raw)
    return text if len(text) <= 60 else text[:57] + "…"


class Kind(Generic[T]):
    """A type of value. `parse` and `dump` speak the plain form, `load` and `store` the database's JSON."""

    name: str = ""

    def expected(self) -> str:
        """Say in words what is accepted; used in messages and in the documentation."""
        raise NotImplementedError

    def parse(self, raw: object, context: Context) -> T:
        """Read the plain form. Raises NotAccepted."""
        raise NotImplementedError

    def dump(self, value: T, context: Context) -> Any:
        """Write the plain form; `parse` of it gives the value back."""
        return self.store(value)

    def store(self, value: T) -> Any:
        """Write the JSON that the database keeps."""
        return value

    def load(self, stored: Any) -> T:
        """Read the JSON that the database keeps."""
        return self.parse(stored, Context())

    def refuse(self, raw: object, why: str | None = None) -> NotAccepted:
        """Build the refusal of a value, by default "… is not accepted"."""
        return NotAccepted(why or _("%(value)s is not accepted", value=shown(raw)), self.expected())


@dataclass(frozen=True)
class Text(Kind[str]):
    """One text in no particular language: a name, a slug."""

    max: int = 200
    min: int = 1
    pattern: str | None = None
    example: str = ""
    name: str = field(default="text", init=False)

    def expected(self) -> str:
        """See Kind."""
        words = _("text of %(min)s to %(max)s characters", min=self.min, max=self.max)
        return words + (" " + _("such as “%(example)s”", example=self.example) if self.example else "")

    def parse(self, raw: object, context: Context) -> str:
        """See Kind."""
        if not isinstance(raw, str):
            raise self.refuse(raw, _("%(value)s is not a text", value=shown(raw)))
        text = raw.strip()
        if not self.min <= len(text) <= self.max:
            raise self.refuse(raw, _("the text has %(count)s characters", count=len(text)))
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise self.refuse(raw)
        return text


@dataclass(frozen=True)
class LocalizedText(Kind[Mapping[str, str]]):
    """A text in several languages: `{ de = "…", en = "…" }`; the portal's first locale must be there."""

    max: int = 2000
    name: str = field(default="text per language", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("a text per language, such as { en = “…”, de = “…” }, each of up to %(max)s characters", max=self.max)

    def parse(self, raw: object, context: Context) -> Mapping[str, str]:
        """See Kind."""
        if not isinstance(raw, Mapping) or not raw:
            raise self.refuse(raw)
        texts: dict[str, str] = {}
        for locale, text in raw.items():
            if context.locales and locale not in context.locales:
                offered = ", ".join(context.locales)
                raise NotAccepted(
                    _("“%(locale)s” is not a language of this portal", locale=locale),
                    _("one of %(offered)s", offered=offered),
                    (locale,),
                )
            if not isinstance(text, str) or not 1 <= len(text.strip()) <= self.max:
                raise NotAccepted(
                    _("the text for “%(locale)s” is not accepted", locale=locale), self.expected(), (locale,)
                )
            texts[locale] = text.strip()
        if context.locales and context.locales[0] not in texts:
            raise self.refuse(
                raw, _("the portal's first language, “%(locale)s”, is missing", locale=context.locales[0])
            )
        return texts

    def store(self, value: Mapping[str, str]) -> Any:
        """See Kind."""
        return dict(value)


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
class Boolean(Kind[bool]):
    """Yes or no."""

    name: str = field(default="yes or no", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("true or false")

    def parse(self, raw: object, context: Context) -> bool:
        """See Kind."""
        if not isinstance(raw, bool):
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
class Choice(Kind[str]):
    """One of a few words; those in `later` are refused with a sentence that says so."""

    choices: tuple[str, ...]
    later: tuple[str, ...] = ()
    name: str = field(default="choice", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("one of %(choices)s", choices=", ".join(f"“{choice}”" for choice in self.choices))

    def parse(self, raw: object, context: Context) -> str:
        """See Kind."""
        if isinstance(raw, str) and raw in self.choices:
            return raw
        if isinstance(raw, str) and raw in self.later:
            raise self.refuse(raw, _("%(value)s is not available yet", value=shown(raw)))
        raise self.refuse(raw, _("%(value)s is unknown", value=shown(raw)) + nearest(str(raw), self.choices))


@dataclass(frozen=True)
class SetOf(Kind[frozenset[str]]):
    """Some of a few words, at least `least` of them."""

    choices: tuple[str, ...]
    later: tuple[str, ...] = ()
    least: int = 1
    name: str = field(default="set of choices", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("a list of %(choices)s", choices=", ".join(f"“{choice}”" for choice in self.choices))

    def parse(self, raw: object, context: Context) -> frozenset[str]:
        """See Kind."""
        if not isinstance(raw, list | tuple | set | frozenset):
            raise self.refuse(raw, _("%(value)s is not a list", value=shown(raw)))
        one = Choice(self.choices, self.later)
        chosen = []
        for index, item in enumerate(raw):
            try:
                chosen.append(one.parse(item, context))
            except NotAccepted as refused:
                raise NotAccepted(refused.message, refused.expected, (index,)) from None
        if len(set(chosen)) < max(self.least, len(chosen)):
            raise self.refuse(raw, _("the list is too short or names something twice"))
        return frozenset(chosen)

    def store(self, value: frozenset[str]) -> Any:
        """See Kind."""
        return [choice for choice in self.choices if choice in value]


@dataclass(frozen=True)
class LocaleList(Kind[tuple[str, ...]]):
    """Languages of a portal; the first is the default."""

    name: str = field(default="list of languages", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("a list of languages, the default first, such as [“de”, “en”]")

    def parse(self, raw: object, context: Context) -> tuple[str, ...]:
        """See Kind."""
        if not isinstance(raw, list | tuple) or not raw:
            raise self.refuse(raw)
        for index, item in enumerate(raw):
            try:
                Locale.parse(item)
            except (ValueError, TypeError, UnknownLocaleError):
                raise NotAccepted(
                    _("%(value)s is not a language", value=shown(item)), self.expected(), (index,)
                ) from None
        if len(set(raw)) < len(raw):
            raise self.refuse(raw, _("a language is named twice"))
        return tuple(raw)

    def store(self, value: tuple[str, ...]) -> Any:
        """See Kind."""
        return list(value)


@dataclass(frozen=True)
class Currency(Kind[str]):
    """An ISO 4217 code."""

    name: str = field(default="currency", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("a currency code such as “EUR”, “GBP” or “JPY”")

    def parse(self, raw: object, context: Context) -> str:
        """See Kind."""
        if not isinstance(raw, str) or raw not in list_currencies():
            raise self.refuse(raw, _("%(value)s is not a currency", value=shown(raw)))
        return raw


@dataclass(frozen=True)
class Zone(Kind[str]):
    """An IANA time zone name."""

    name: str = field(default="time zone", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("a time zone name such as “Europe/Berlin”")

    def parse(self, raw: object, context: Context) -> str:
        """See Kind."""
        if not isinstance(raw, str) or raw not in available_timezones():
            known = sorted(available_timezones())
            raise self.refuse(raw, _("%(value)s is not a time zone", value=shown(raw)) + nearest(str(raw), known))
        return raw


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
            raise self.refuse(raw, _("the portal has no currency, so an amount cannot be read"))
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


@dataclass(frozen=True)
class Email(Kind[str]):
    """An e-mail address."""

    name: str = field(default="e-mail address", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("an e-mail address such as “hello@example.com”")

    def parse(self, raw: object, context: Context) -> str:
        """See Kind."""
        try:
            return validate_email(str(raw), check_deliverability=False, test_environment=True).normalized
        except EmailNotValidError:
            raise self.refuse(raw, _("%(value)s is not an e-mail address", value=shown(raw))) from None


@dataclass(frozen=True)
class Url(Kind[str]):
    """A web address, https only."""

    name: str = field(default="web address", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("an address beginning with https://")

    def parse(self, raw: object, context: Context) -> str:
        """See Kind."""
        if not isinstance(raw, str) or not re.fullmatch(r"https://[^\s\"'<>]{3,500}", raw):
            raise self.refuse(raw)
        return raw


TOKEN_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
TOKEN_VALUE = re.compile(r"[#\w .,%()'\"/+*-]{1,200}")


@dataclass(frozen=True)
class TokenTable(Kind[Mapping[str, Any]]):
    """Design tokens over the theme's own: shape and type directly, colours under `light` and `dark`."""

    name: str = field(default="design tokens", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("token names with values, such as { radius = “6px”, light = { accent = “#0f6b5c” } }")

    def parse(self, raw: object, context: Context) -> Mapping[str, Any]:
        """See Kind."""
        if not isinstance(raw, Mapping):
            raise self.refuse(raw)
        tokens: dict[str, Any] = {}
        for name, value in raw.items():
            if isinstance(value, Mapping) and name in ("light", "dark"):
                tokens[name] = {inner: self._token((name, inner), item) for inner, item in value.items()}
            else:
                tokens[name] = self._token((name,), value)
        return tokens

    def _token(self, at: tuple[str, ...], value: object) -> str | int | float:
        if not TOKEN_NAME.fullmatch(at[-1]):
            raise NotAccepted(_("“%(name)s” is not a token name", name=at[-1]), self.expected(), at)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10_000:
            return value
        # Values end up in a style sheet: nothing that could end a declaration or fetch something.
        if not isinstance(value, str) or not TOKEN_VALUE.fullmatch(value) or "url(" in value.lower() or "/*" in value:
            raise NotAccepted(
                _("%(value)s is not a value for a token", value=shown(value)),
                _("a colour, length, number or font list in CSS notation"),
                at,
            )
        return value

    def store(self, value: Mapping[str, Any]) -> Any:
        """See Kind."""
        return {name: dict(item) if isinstance(item, Mapping) else item for name, item in value.items()}
