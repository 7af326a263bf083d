"""Kinds of words: texts, choices, addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from polyclinic.kernel.later import Later
from polyclinic.tenancy.kinds.core import Context, Kind, NotAccepted, nearest, serves, shown

if TYPE_CHECKING:
    import email_validator
else:
    email_validator = Later("email_validator")


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
            if context.locales and not serves(locale, context.locales):
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
        if context.locales and not any(serves(locale, context.locales[:1]) for locale in texts):
            raise self.refuse(
                raw, _("the portal's first language, “%(locale)s”, is missing", locale=context.locales[0])
            )
        return texts

    def store(self, value: Mapping[str, str]) -> Any:
        """See Kind."""
        return dict(value)


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
class Email(Kind[str]):
    """An e-mail address."""

    name: str = field(default="e-mail address", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("an e-mail address such as “hello@example.com”")

    def parse(self, raw: object, context: Context) -> str:
        """See Kind."""
        try:
            found = email_validator.validate_email(str(raw), check_deliverability=False, test_environment=True)
        except email_validator.EmailNotValidError:
            raise self.refuse(raw, _("%(value)s is not an e-mail address", value=shown(raw))) from None
        return found.normalized


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
