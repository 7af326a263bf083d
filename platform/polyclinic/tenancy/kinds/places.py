"""Kinds that describe a portal's place in the world and its look: languages, currency, zone, design tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.numbers import list_currencies
from flask_babel import gettext as _

from polyclinic.kernel.zones import zone_names
from polyclinic.tenancy.kinds.core import Context, Kind, NotAccepted, nearest, shown


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
        if not isinstance(raw, str) or raw not in zone_names():
            known = sorted(zone_names())
            raise self.refuse(raw, _("%(value)s is not a time zone", value=shown(raw)) + nearest(str(raw), known))
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
