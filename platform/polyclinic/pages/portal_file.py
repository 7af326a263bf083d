"""Pages in a portal's folder: `pages/<name>.<locale>.md`, one file per page and language (Y1, §5)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.pages.front_matter import SHARED, PageFile, read_page, write_page
from polyclinic.pages.rules import FILE_NAME, NAME, RESERVED, placeholders
from polyclinic.tenancy.differences import State
from polyclinic.tenancy.documents import Document
from polyclinic.tenancy.files import PortalFile
from polyclinic.tenancy.kinds import nearest, serves
from polyclinic.tenancy.models import Page, Portal
from polyclinic.tenancy.pages import WOVEN
from polyclinic.web.markup import questions_of

FOLDER = "pages"
EXPECTED_NAME = "pages/how-it-works.en.md"
#: The order of a page that names none: after those that do.
LAST = 500


class PagesSection:
    """The Markdown files of a portal; the database keeps what they say."""

    name = "pages"
    tables: tuple[str, ...] = ()

    def __init__(self, facts: Collection[str]) -> None:
        """Know the names that may stand in `{{ … }}`."""
        self._facts = frozenset(facts)

    def parse(self, document: Document) -> State:
        """See Section."""
        read: dict[str, dict[str, PageFile]] = {}
        for file in sorted((document.folder / FOLDER).glob("*")):
            found = self._file(document, file)
            if found is not None:
                name, locale, page = found
                read.setdefault(name, {})[locale] = page
        state = {name: self._page(document, name, files) for name, files in sorted(read.items())}
        contacts = [name for name, page in state.items() if page["kind"] == "contact"]
        for name in contacts[1:]:
            what = _("“%(name)s” has the contact form already", name=contacts[0])
            document.wrong_beside(
                _path(name, document.context.locales[0]), 1, what, _("one page with kind = “contact”")
            )
        return state

    def _file(self, document: Document, file: FilePath) -> tuple[str, str, PageFile] | None:
        shown, locales = f"{FOLDER}/{file.name}", document.context.locales
        parts = FILE_NAME.fullmatch(file.name)
        if parts is None or not NAME.fullmatch(parts["name"]) or not file.is_file():
            expected = _("a name in lower-case letters and a language, such as “%(name)s”", name=EXPECTED_NAME)
            document.wrong_beside(shown, 1, _("this is not the name of a page's file"), expected)
            return None
        name, locale = parts["name"], parts["locale"]
        if name in RESERVED:
            what = _("the address /%(name)s is taken by the website itself", name=name)
            document.wrong_beside(shown, 1, what, _("another name"))
        if not serves(locale, locales):
            what = _("“%(locale)s” is not a language of this portal", locale=locale)
            document.wrong_beside(shown, 1, what, _("one of %(offered)s", offered=", ".join(locales)))
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            document.wrong_beside(shown, 1, _("the file is not UTF-8 text"), _("a text file"))
            return None
        page = read_page(text, lambda *problem: document.wrong_beside(shown, *problem))
        if page is None:
            return None
        self._check_facts(document, shown, page)
        return name, locale, page

    def _check_facts(self, document: Document, shown: str, page: PageFile) -> None:
        for line, name in placeholders(str(page.words.get("body", ""))):
            self._check_fact(document, shown, page.body_line + line, name)
        for path, text in _texts({key: value for key, value in page.words.items() if key != "body"}):
            for _line, name in placeholders(text):
                self._check_fact(document, shown, page.lines.get(path.removeprefix("parts."), 1), name)

    def _check_fact(self, document: Document, shown: str, line: int, name: str) -> None:
        if name not in self._facts:
            what = _("“{{ %(name)s }}” stands for nothing", name=name) + nearest(name, sorted(self._facts))
            document.wrong_beside(shown, line, what, _("“prices” or the name of a setting, such as “brand.name”"))

    def _page(self, document: Document, name: str, files: Mapping[str, PageFile]) -> dict[str, Any]:
        locales = document.context.locales
        first = next((locale for locale in files if serves(locale, locales[:1])), None)
        if first is None:
            shown = _path(name, next(iter(files)))
            what = _("the page in the portal's first language, “%(locale)s”, is missing", locale=locales[0])
            document.wrong_beside(shown, 1, what, _path(name, locales[0].partition("_")[0]))
        for locale, page in files.items():
            for key in page.shared if locale != first and first is not None else ():
                what = _("“%(name)s” is said once for all languages", name=key)
                document.wrong_beside(_path(name, locale), page.lines.get(key, 1), what, _path(name, first or ""))
        shared = dict(files[first].shared) if first else {}
        whole: dict[str, Any] = {
            "kind": name if name in WOVEN else shared.get("kind", "text"),
            "placement": shared.get("placement", "none"),
            "order": shared.get("order", LAST),
            "agreement": shared.get("agreement"),
            "texts": {locale: file.words for locale, file in files.items()},
        }
        self._check_kind(document, _path(name, first or locales[0]), name, whole, files)
        return whole

    def _check_kind(
        self, document: Document, shown: str, name: str, page: State, files: Mapping[str, PageFile]
    ) -> None:
        if name in WOVEN:
            for key in ("kind", "placement", "agreement"):
                line = next((file.lines[key] for file in files.values() if key in file.shared), None)
                if line is not None:
                    what = _("“%(key)s” means nothing on the page “%(name)s”", key=key, name=name)
                    document.wrong_beside(shown, line, what, _("title, description, the text and its parts"))
        if page["kind"] == "questions":
            for locale, file in files.items():
                if not questions_of(str(file.words.get("body", "")))[1]:
                    what = _("there is no question in the text")
                    expected = _("headings such as “## What does a visit cost?” with the answer below")
                    document.wrong_beside(_path(name, locale), file.body_line, what, expected)
        known = sorted(document.states.get("agreements", {}))
        if page["kind"] == "agreement" and page["agreement"] not in known:
            what = _("“%(slug)s” is no agreement of this portal", slug=page["agreement"] or "")
            document.wrong_beside(shown, 1, what, _("agreement = one of %(names)s", names=", ".join(known)))

    def verify(self, session: Session, document: Document, portal: Portal | None, wanted: State) -> None:
        """See Section: nothing that only the database knows can be wrong with a page."""

    def read(self, session: Session, portal: Portal) -> State:
        """See Section."""
        rows = session.scalars(select(Page).where(Page.portal_id == portal.id).order_by(Page.name))
        return {row.name: _state_of(row) for row in rows}

    def write(self, session: Session, actor: Actor, portal: Portal, wanted: State) -> None:
        """See Section: a page that leaves the folder is gone."""
        rows = {row.name: row for row in session.scalars(select(Page).where(Page.portal_id == portal.id))}
        for name in rows.keys() - wanted.keys():
            session.delete(rows[name])
        for name, page in wanted.items():
            row = rows.get(name) or Page(portal_id=portal.id, name=name)
            if name in rows and _state_of(row) == page:
                continue
            row.kind, row.placement, row.position = page["kind"], page["placement"], page["order"]
            row.agreement = page["agreement"]
            row.labels = {locale: words.get("label", words["title"]) for locale, words in page["texts"].items()}
            row.texts = page["texts"]
            row.changed_at = now(session)
            session.add(row)
        session.flush()

    def dump(self, file: PortalFile, before: State, after: State) -> None:
        """See Section: files that agree are not touched; what is nowhere in the database goes."""
        locales = file.context.locales
        for name, page in after.items():
            known = before.get(name, {"texts": {}})
            first = next((locale for locale in page["texts"] if serves(locale, locales[:1])), None)
            same = {key: known.get(key) for key in SHARED} == {key: page[key] for key in SHARED}
            for locale, words in page["texts"].items():
                if known["texts"].get(locale) == words and (same or locale != first):
                    continue
                file.texts[_path(name, locale)] = write_page(_shared(name, page) if locale == first else {}, words)
        for name, page in before.items():
            gone = page["texts"].keys() - after.get(name, {"texts": {}})["texts"].keys()
            file.removed.update(_path(name, locale) for locale in gone)


def _texts(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a page's words with its place: ("parts.steps[1].title", "…")."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for place, inner in enumerate(value, 1):
            yield from _texts(inner, f"{at}[{place}]")


def _path(name: str, locale: str) -> str:
    return f"{FOLDER}/{name}.{locale}.md"


def _state_of(row: Page) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "placement": row.placement,
        "order": row.position,
        "agreement": row.agreement,
        "texts": row.texts,
    }


def _shared(name: str, page: State) -> dict[str, Any]:
    """Return what the first language's file says of the whole page, without what goes without saying."""
    silent = {"kind": name if name in WOVEN else "text", "placement": "none", "order": LAST, "agreement": None}
    return {key: page[key] for key in SHARED if page[key] != silent[key]}
