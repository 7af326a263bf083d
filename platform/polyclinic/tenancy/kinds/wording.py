"""The kind of a portal's own wording: the product's texts, said in its words (L2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from polyclinic.tenancy.kinds.core import Context, Kind, NotAccepted, serves, shown

PLACEHOLDER = re.compile(r"%\(\w+\)s")
#: Texts stand in pages and attributes as they are: nothing that could end either.
_MARKUP = re.compile(r"[<>&\"]")
LONGEST = 400


@dataclass(frozen=True)
class Wording(Kind[Mapping[str, Mapping[str, str]]]):
    """English texts of the product with other words per language; what is not named stays the product's."""

    name: str = field(default="wording", init=False)

    def expected(self) -> str:
        """See Kind."""
        return _("texts of the product as they stand in English, each with other words per language")

    def parse(self, raw: object, context: Context) -> Mapping[str, Mapping[str, str]]:
        """See Kind."""
        if not isinstance(raw, Mapping):
            raise self.refuse(raw)
        return {str(text): self._said(str(text), said, context) for text, said in raw.items()}

    def _said(self, text: str, said: object, context: Context) -> Mapping[str, str]:
        if not isinstance(said, Mapping) or not said:
            raise NotAccepted(_("%(value)s is not a text per language", value=shown(said)), self.expected(), (text,))
        return {str(locale): self._words(text, str(locale), words, context) for locale, words in said.items()}

    def _words(self, text: str, locale: str, words: object, context: Context) -> str:
        at = (text, locale)
        if context.locales and not serves(locale, context.locales):
            offered = _("one of %(offered)s", offered=", ".join(context.locales))
            raise NotAccepted(_("“%(locale)s” is not a language of this portal", locale=locale), offered, at)
        if not isinstance(words, str) or not 1 <= len(words.strip()) <= LONGEST or _MARKUP.search(words):
            plain = _("plain words of up to %(max)s characters without < > & and straight quotes", max=LONGEST)
            raise NotAccepted(_("the text for “%(locale)s” is not accepted", locale=locale), plain, at)
        wanted = set(PLACEHOLDER.findall(text))
        if set(PLACEHOLDER.findall(words)) - wanted or "%" in PLACEHOLDER.sub("", words):
            places = ", ".join(sorted(wanted)) or _("no placeholder")
            raise NotAccepted(_("%(value)s has another placeholder", value=shown(words)), places, at)
        return words.strip()

    def store(self, value: Mapping[str, Mapping[str, str]]) -> Any:
        """See Kind."""
        return {text: dict(said) for text, said in value.items()}
