"""A portal's own words over the product's texts, in every page of that portal (L2, `brand.wording`).

Templates, forms and navigation all ask gettext's domain for translations; on a portal that has its own words the
domain answers with them first. Several plural forms are one text with " | " between them. A language that the portal
gives no words for keeps the product's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

from babel.support import NullTranslations
from flask import g, has_request_context, request
from flask_babel import Babel, Domain, get_locale

from polyclinic.tenancy.policy import BRAND_WORDING
from polyclinic.web import catalogues
from polyclinic.web.places import ENVIRON_KEY

FORMS = " | "


class Worded:
    """Translations with some texts replaced; everything else is asked of `inner`."""

    def __init__(self, inner: NullTranslations, words: Mapping[str, str]) -> None:
        """Put `words` (English text to own text) over `inner`."""
        self._inner, self._words = inner, words

    def __getattr__(self, name: str) -> Any:
        """Whatever else a catalogue can do."""
        return getattr(self._inner, name)

    def ugettext(self, message: str) -> str:
        """The portal's words, or the catalogue's."""
        return self._words.get(message) or str(self._inner.ugettext(message))

    def ungettext(self, singular: str, plural: str, number: int) -> str:
        """The same for a text with plural forms."""
        if singular not in self._words:
            return str(self._inner.ungettext(singular, plural, number))
        forms = self._words[singular].split(FORMS)
        form = self._inner.plural(number) if hasattr(self._inner, "plural") else int(number != 1)
        return forms[min(int(form), len(forms) - 1)]


class PortalDomain(Domain):
    """The domain of all texts; inside a request of a portal its wording lies on top."""

    def get_translations(self) -> Any:
        """See Domain."""
        inner = super().get_translations()
        if not has_request_context():
            return inner
        code = str(get_locale())
        kept: dict[str, Any] = g.setdefault("worded", {})
        if code not in kept:
            kept[code] = inner  # what is asked while the wording itself is read
            words = _words_in(code)
            if words:
                kept[code] = Worded(inner, words)
        return kept[code]


def _words_in(code: str) -> Mapping[str, str]:
    """The wording of the request's portal in a language; none in the pseudo-locale, which is generated."""
    place = request.environ.get(ENVIRON_KEY)
    if place is None or place.portal is None or code == catalogues.PSEUDO:
        return {}
    wording: Mapping[str, Mapping[str, str]] = place.portal.settings.get(BRAND_WORDING)
    said = {text: words.get(code) or words.get(code.partition("_")[0]) for text, words in wording.items()}
    return {text: words for text, words in said.items() if words}


class PortalBabel(Babel):
    """Flask-Babel with that domain."""

    @cached_property
    def domain_instance(self) -> PortalDomain:
        """One for all requests: it keeps the catalogues it has read."""
        return PortalDomain()


@cache
def known_texts() -> frozenset[str]:
    """Every text that can be said otherwise: the source catalogue's, those with plural forms by their singular."""
    texts = (message.id for message in catalogues.read(catalogues.SOURCE) if message.id)
    return frozenset(text if isinstance(text, str) else text[0] for text in texts)
