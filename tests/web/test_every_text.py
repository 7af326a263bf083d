"""L2: on every page, in the pseudo-locale, no text stands outside gettext."""

import re
from collections.abc import Iterator

import html5lib
import pytest

from polyclinic.kernel.zones import is_zone
from polyclinic.web import catalogues
from polyclinic.web.i18n import LANGUAGE_COOKIE
from polyclinic.web.places import PlaceFlask
from support.cast import Cast
from support.client import Browser

SPOKEN = ("title", "aria-label", "placeholder", "alt", "data-tip")
SILENT = {"script", "style", "pre", "code", "template", "datalist"}
#: what people and files wrote, names of formats and languages: not the product's texts
DATA = re.compile(
    r"@|canary|https?://|^[\w.-]+\.(localhost|example)\b|^[A-Z]{3}$|^(API|Deutsch|English)$|\(UTC[+−\d:]*\)$"
    r"|^(Ada|Ben|Cleo|Sam|Lea|Olga|Oskar|(Pat|Quinn) \w+|Physiotherapist|Team North|Terms)$"
    r"|^(alpha|beta|gamma|Videosprechstunden sind .*)$"
    r"|^[a-z_]+\.[a-z_]+$|^how: test$"  # actions and details of the audit trail
)


def texts(html: str) -> Iterator[str]:
    """What a page says: text nodes, and attributes that are read out."""
    document = html5lib.parse(html, namespaceHTMLElements=False)

    def walk(node: object) -> Iterator[str]:
        tag = getattr(node, "tag", "")
        if not isinstance(tag, str) or tag in SILENT:
            return
        yield from (value for name in SPOKEN if (value := node.get(name)))  # type: ignore[attr-defined]  # an Element
        if tag not in ("option",) or "/" not in (node.text or ""):  # type: ignore[attr-defined]  # an Element
            yield node.text or ""  # type: ignore[attr-defined]  # an Element
        for child in node:  # type: ignore[attr-defined]  # an Element
            yield from walk(child)
            yield child.tail or ""

    yield from walk(document.find("body"))


def english(html: str) -> set[str]:
    """Texts with words that did not go through gettext."""
    found = (re.sub(r"\s+", " ", text).strip() for text in texts(html))
    return {text for text in found if re.search("[A-Za-z]{3}", text) and "⟦" not in text and not is_data(text)}


def is_data(text: str) -> bool:
    """Whether a text is somebody's, not the product's."""
    return bool(DATA.search(text)) or is_zone(text)


def test_a_text_outside_gettext_is_found() -> None:
    page = '<body><p>⟦Héllö⟧</p><p>Hello there</p><img alt="A face"><code>x = one</code></body>'
    assert english(page) == {"Hello there", "A face"}


def pages(app: PlaceFlask, place: str) -> list[str]:
    """Every page of a place that needs no id."""
    return [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.subdomain == place
        and not rule.arguments
        and "GET" in (rule.methods or ())
        and not rule.rule.startswith(("/api", "/static", "/styleguide"))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("place", ["portal", "specialists", "admin", "dev"])
@pytest.mark.parametrize("known", [False, True], ids=["visitor", "signed in"])
def test_every_text_of_every_page_goes_through_gettext(app: PlaceFlask, cast: Cast, place: str, known: bool) -> None:
    """L2: what stands outside the brackets of the pseudo-locale was written by a person or a file."""
    people = {"portal": cast.alpha.patient, "specialists": cast.sam, "admin": cast.olga}
    browser = Browser(app)
    if known and place in people:
        host = browser.sign_in(people[place])
    else:
        host = cast.alpha.host if place == "portal" else f"{place}.localhost"
    browser.keep(host, LANGUAGE_COOKIE, catalogues.PSEUDO)
    found, read = {}, 0
    for path in pages(app, place):
        answer = browser.get(host, path)
        if answer.mimetype == "text/html" and answer.status_code == 200:
            read += 1
            found[path] = english(answer.get_data(as_text=True))
    assert {path: texts for path, texts in found.items() if texts} == {}
    assert read, "no page was read"
