"""Agreements in a portal's file: `[[agreements]]`, with one Markdown file per language (Y1, K1)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.consents.models import Agreement, AgreementVersion
from polyclinic.consents.rules import text_hash
from polyclinic.kernel.actor import Actor
from polyclinic.tenancy.differences import State
from polyclinic.tenancy.documents import Document
from polyclinic.tenancy.files import PortalFile
from polyclinic.tenancy.kinds import Boolean, Choice, Duration, Integer, Text, duration_in_words, serves
from polyclinic.tenancy.models import Portal
from polyclinic.tenancy.settings import Path
from polyclinic.tenancy.toml_writing import update_list

SLUG = Text(max=60, pattern=r"[a-z][a-z0-9]*(-[a-z0-9]+)*", example="terms")
GATE = Choice(("registration", "booking"), later=("joining",))
VALID_FOR = Duration(timedelta(days=1), timedelta(days=3650))
_TITLE = re.compile(r"\A#[ \t]+(?P<title>[^\n]{1,200}?)[ \t]*\n\s*(?P<body>\S.*)\Z", re.DOTALL)


class AgreementsSection:
    """`[[agreements]]`: what is asked, where, and its exact words; a published version never changes (K1)."""

    name = "agreements"
    tables = ("agreements",)

    def parse(self, document: Document) -> State:
        """See Section."""
        state: State = {}
        for position, (path, table) in enumerate(document.items("agreements")):
            document.known(path, table, ["slug", "gate", "required", "version", "valid_for", "text"])
            slug = document.required(path, table, "slug", SLUG)
            if slug in state:
                document.wrong((*path, "slug"), _("“%(slug)s” is there twice", slug=slug), _("a slug of its own"))
            required = document.value(path, table, "required", Boolean())
            valid_for = document.value(path, table, "valid_for", VALID_FOR)
            values = {
                "gate": document.required(path, table, "gate", GATE),
                "required": required is not False,
                "valid_days": valid_for.days if valid_for else None,
                "version": document.required(path, table, "version", Integer(1, 9999)),
                "texts": self._texts(document, path, table),
                "position": position,
            }
            if slug:
                state[slug] = values
        return state

    def _texts(self, document: Document, path: Path, table: Mapping[str, Any]) -> State:
        names = table.get("text")
        here = (*path, "text")
        expected = _("a file per language, such as { en = “agreements/terms.en.md” }")
        if not isinstance(names, Mapping) or not names:
            document.wrong(here if "text" in table else path, _("the agreement has no text"), expected)
            return {}
        locales = document.context.locales
        for locale in names:
            if not serves(locale, locales):
                what = _("“%(locale)s” is not a language of this portal", locale=locale)
                document.wrong((*here, locale), what, ", ".join(locales))
        if not any(serves(locale, locales[:1]) for locale in names):
            document.wrong(here, _("the text in “%(locale)s” is missing", locale=locales[0]), expected)
        texts: State = {}
        for locale, name in names.items():
            text = document.text_file((*here, locale), name)
            found = _TITLE.match(text) if text is not None else None
            if found:
                texts[locale] = {"title": found["title"], "body": found["body"]}
            elif text is not None:
                what = _("“%(name)s” has no title or no text", name=name)
                document.wrong((*here, locale), what, _("a first line “# Title” and the text below it"))
        return texts

    def verify(self, session: Session, document: Document, portal: Portal | None, wanted: State) -> None:
        """See Section: a version that is published is fixed; other words need a higher number (K1)."""
        published = self._published(session, portal) if portal else {}
        for (path, _table), (slug, values) in zip(document.items("agreements"), wanted.items(), strict=True):
            versions = published.get(slug, {})
            newest = max(versions, default=0)
            if values["version"] < newest:
                what = _("version %(version)s is older than the published one", version=values["version"])
                document.wrong((*path, "version"), what, _("%(newest)s or higher", newest=newest))
                continue
            for locale, text in versions.get(values["version"], {}).items():
                if values["texts"].get(locale) != text:
                    what = _(
                        "version %(version)s in “%(locale)s” is published with other words",
                        version=values["version"],
                        locale=locale,
                    )
                    document.wrong((*path, "text", locale), what, _("version = %(next)s", next=newest + 1))

    def _published(self, session: Session, portal: Portal) -> dict[str, dict[int, State]]:
        """Return every published text: slug -> version -> locale -> title and body."""
        rows = session.execute(
            select(Agreement.slug, AgreementVersion)
            .join(AgreementVersion, AgreementVersion.agreement_id == Agreement.id)
            .where(Agreement.portal_id == portal.id, AgreementVersion.portal_id == portal.id)
            .order_by(AgreementVersion.locale)
        )
        found: dict[str, dict[int, State]] = defaultdict(lambda: defaultdict(dict))
        for slug, version in rows:
            found[slug][version.version][version.locale] = {"title": version.title, "body": version.body}
        return found

    def read(self, session: Session, portal: Portal) -> State:
        """See Section: the newest version of each active agreement."""
        published = self._published(session, portal)
        rows = session.scalars(
            select(Agreement).where(Agreement.portal_id == portal.id, Agreement.active).order_by(Agreement.position)
        )
        state: State = {}
        for index, row in enumerate(rows):
            newest = max(published[row.slug], default=0)
            state[row.slug] = {
                "gate": row.gate,
                "required": row.required,
                "valid_days": row.valid_days,
                "version": newest,
                "texts": dict(published[row.slug][newest]),
                "position": index,
            }
        return state

    def write(self, session: Session, actor: Actor, portal: Portal, wanted: State) -> None:
        """See Section: an agreement that leaves the file is asked no longer; what was answered stays."""
        rows = {row.slug: row for row in session.scalars(select(Agreement).where(Agreement.portal_id == portal.id))}
        published = self._published(session, portal)
        for slug, row in rows.items():
            row.active = slug in wanted
        for slug, values in wanted.items():
            row = rows.get(slug) or Agreement(portal_id=portal.id, slug=slug, active=True)
            row.gate, row.required, row.position = values["gate"], values["required"], values["position"]
            row.valid_days = values["valid_days"]
            session.add(row)
            session.flush()
            known = published[slug][values["version"]] if slug in published else {}
            for locale, text in values["texts"].items():
                if locale not in known:
                    session.add(_version(portal, row, values["version"], locale, text))
        session.flush()

    def dump(self, file: PortalFile, before: State, after: State) -> None:
        """See Section: a changed text goes into the file that the table already names, else into one of its own."""
        old_names = {
            str(item["slug"]): dict(item["text"]) for item in file.toml.get("agreements", []) if "text" in item
        }
        for slug, values in after.items():
            names = _names(slug, values, old_names.get(slug, {}))
            for locale, text in values["texts"].items():
                if before.get(slug, {}).get("texts", {}).get(locale) != text:
                    file.texts[names[locale]] = f"# {text['title']}\n\n{text['body']}"
        old, new = (
            [_plain(slug, state[slug], _names(slug, state[slug], old_names.get(slug, {}))) for slug in state]
            for state in (before, after)
        )
        update_list(file.toml, "agreements", old, new, key_of=lambda item: str(item["slug"]))


def _version(portal: Portal, agreement: Agreement, version: int, locale: str, text: State) -> AgreementVersion:
    return AgreementVersion(
        portal_id=portal.id,
        agreement_id=agreement.id,
        version=version,
        locale=locale,
        title=text["title"],
        body=text["body"],
        hash=text_hash(text["body"]),
    )


def _names(slug: str, values: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    return {locale: str(known.get(locale, f"agreements/{slug}.{locale}.md")) for locale in values["texts"]}


def _plain(slug: str, values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    plain: dict[str, Any] = {"slug": slug, "gate": values["gate"]}
    if not values["required"]:
        plain["required"] = False
    if values["valid_days"]:
        plain["valid_for"] = duration_in_words(timedelta(days=values["valid_days"]))
    return plain | {"version": values["version"], "text": dict(names)}
