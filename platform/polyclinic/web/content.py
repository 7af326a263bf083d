"""A portal's own words on its pages: read for the reader's language, quoted settings filled in, rendered safely."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, has_request_context, request, session, url_for
from markupsafe import Markup
from werkzeug.routing import BaseConverter, ValidationError

from polyclinic.tenancy.pages import PageLink, PageText, get_page_text
from polyclinic.tenancy.policy import LOCALES
from polyclinic.web.auth import current_actor, current_session
from polyclinic.web.facts import fill_html, fill_text
from polyclinic.web.i18n import Language, current_language
from polyclinic.web.markup import questions_of, render_markdown
from polyclinic.web.places import ENVIRON_KEY, current_portal
from polyclinic.web.theming import current_look

#: The page that says where to find help now; files name it so in every language.
CRISIS = "crisis"
#: What serves a page at its address; the feature of pages has it.
SHOW = "portal_pages.show"


_NOTHING = Markup("")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one page, ready for a template; an absent page is all empty, so that templates fall back."""

    name: str = ""
    title: str = ""
    description: str = ""
    body: Markup = _NOTHING
    lang: str = ""
    """The language of the words where it is not the page's own."""
    direction: str = ""
    parts: Mapping[str, Any] | None = None

    def part(self, name: str) -> Any:
        """A part of a composed page, or nothing."""
        return (self.parts or {}).get(name) or ""

    def heading(self, name: str) -> str:
        """The portal's own heading for a part of a page, or nothing."""
        headings = (self.parts or {}).get("headings", {})
        return str(headings.get(name, ""))


class PageName(BaseConverter):
    """In an address, the name of a page that this portal has; any other is no address at all (404)."""

    regex = "[a-z][a-z0-9-]*"
    part_isolating = True

    def to_python(self, value: str) -> str:
        """Take the name of a page with an address of its own."""
        place = request.environ.get(ENVIRON_KEY) if has_request_context() else None
        portal = place.portal if place is not None else None
        if portal is None or not any(link.name == value and link.served for link in portal.pages):
            raise ValidationError
        return value


def reading_order() -> Sequence[str]:
    """The languages in which the reader would like a text: theirs, then the portal's."""
    return (current_language().code, *current_portal().settings.get(LOCALES))


def page_text(name: str) -> PageText | None:
    """A page of this portal in the reader's language; asks the database only for pages that there are."""
    portal = current_portal()
    if not any(link.name == name for link in portal.pages):
        return None
    return get_page_text(current_session(), portal.id, name, reading_order())


def words_of(text: PageText | None, body: str | None = None) -> Words:
    """Fill and render a page's words; ``body`` stands for its text where another one is shown."""
    if text is None:
        return Words()
    settings = current_portal().settings
    language = Language(text.locale)
    foreign = language.locale.language != current_language().locale.language
    return Words(
        text.name,
        fill_text(text.title, settings),
        fill_text(text.description, settings),
        rendered(text.body if body is None else body),
        language.tag if foreign else "",
        language.direction if foreign else "",
        _filled(text.parts),
    )


def rendered(markdown: str) -> Markup:
    """Markdown of this portal as safe HTML with its settings filled in."""
    return fill_html(render_markdown(markdown), current_portal().settings)


def _filled(value: Any) -> Any:
    if isinstance(value, str):
        return fill_text(value, current_portal().settings)
    if isinstance(value, Mapping):
        return {key: _filled(inner) for key, inner in value.items()}
    return [_filled(inner) for inner in value] if isinstance(value, list) else value


def woven(name: str) -> Words:
    """The portal's words for a page of the product: "home", "specialists", "profile"."""
    return words_of(page_text(name))


def first_questions(most: int) -> list[tuple[str, Markup]]:
    """The first questions of this portal's page of questions, with their answers."""
    named = next((link.name for link in current_portal().pages if link.kind == "questions"), None)
    text = page_text(named) if named and most else None
    if text is None:
        return []
    settings = current_portal().settings
    found = questions_of(text.body)[1][:most]
    return [(fill_text(one.question, settings), rendered(one.answer)) for one in found]


def label_of(link: PageLink) -> str:
    """What navigation calls a page, in the reader's language."""
    codes = [code for locale in reading_order() for code in (locale, locale.partition("_")[0])]
    return next((link.labels[code] for code in codes if code in link.labels), next(iter(link.labels.values())))


def page_href(kind: str) -> str:
    """The address of this portal's first page of a kind, or nothing."""
    found = next((link for link in current_portal().pages if link.kind == kind and link.served), None)
    return url_for(SHOW, name=found.name) if found else ""


def crisis_href() -> str:
    """The address of the portal's page on where to find help now, or nothing."""
    named = any(link.name == CRISIS and link.served for link in current_portal().pages)
    return url_for(SHOW, name=CRISIS) if named else ""


def kept_page(draw: Callable[[], str], *parts: object) -> Response:
    """An answer that browsers keep and ask about: its ETag changes with the words, the look, the reader, the language.

    ``parts`` are whatever else the page depends on. A message that is shown once makes the page new.
    """
    if "_flashes" in session:
        return Response(draw(), mimetype="text/html")
    if request.if_none_match.contains_weak(_etag(parts)):
        answer = Response(status=304)
    else:
        answer = Response(draw(), mimetype="text/html")
    answer.set_etag(_etag(parts), weak=True)  # drawn first: the page's forms may have begun a session
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _etag(parts: Sequence[object]) -> str:
    actor = current_actor()
    more = (current_language().code, current_look().digest, request.cookies.get("look"), actor.kind, actor.id)
    known = (*parts, *more, session.get("csrf_token"))
    return hashlib.sha256(repr(known).encode()).hexdigest()[:24]
