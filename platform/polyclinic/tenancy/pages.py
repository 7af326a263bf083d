"""Pages that a portal wrote: which there are, and their words in a reader's language (§5)."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.tenancy.models import Page

#: Pages of the product that take words from a file of this name; they have addresses of their own.
WOVEN = ("home", "specialists", "profile")


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page as navigation and addresses know it."""

    name: str
    kind: str
    placement: str
    labels: Mapping[str, str] = field(hash=False)
    changed_at: dt.datetime | None = None
    """What is kept of a page is kept until this changes."""

    @property
    def served(self) -> bool:
        """Whether it has an address of its own."""
        return self.name not in WOVEN


@dataclass(frozen=True, slots=True)
class PageText:
    """A page in one language."""

    name: str
    kind: str
    agreement: str | None
    locale: str
    """The language of these words, which may not be the reader's."""
    title: str
    description: str
    body: str
    """Markdown."""
    parts: Mapping[str, Any] = field(default_factory=dict)
    """What a composed page is made of: headline, steps, headings …"""
    changed: str = ""
    """Changes with the words."""


def page_links(session: Session, portal_id: uuid.UUID) -> tuple[PageLink, ...]:
    """Return the pages of a portal in their order, without their texts."""
    rows = session.execute(
        select(Page.name, Page.kind, Page.placement, Page.labels, Page.changed_at)
        .where(Page.portal_id == portal_id)
        .order_by(Page.position, Page.name)
    )
    return tuple(PageLink(row.name, row.kind, row.placement, row.labels, row.changed_at) for row in rows)


def get_page_text(session: Session, portal_id: uuid.UUID, name: str, locales: Sequence[str]) -> PageText | None:
    """Return a page in the first of some languages that it has, else in any; None where there is no such page."""
    row = session.execute(select(Page).where(Page.portal_id == portal_id, Page.name == name)).scalar_one_or_none()
    if row is None:
        return None
    return text_of(row, locales)


def get_page_texts(session: Session, portal_id: uuid.UUID, kind: str, locales: Sequence[str]) -> list[PageText]:
    """Return all pages of a kind, by their order."""
    rows = session.scalars(
        select(Page).where(Page.portal_id == portal_id, Page.kind == kind).order_by(Page.position, Page.name)
    )
    return [text_of(row, locales) for row in rows]


def text_of(page: Page, locales: Sequence[str]) -> PageText:
    """Return the words of a page in the first of some languages that it has: "en" serves "en_GB"."""
    wanted = [code for locale in locales for code in (locale, locale.partition("_")[0])]
    locale = next((code for code in wanted if code in page.texts), next(iter(page.texts)))
    text = page.texts[locale]
    return PageText(
        page.name,
        page.kind,
        page.agreement,
        locale,
        text["title"],
        text.get("description", ""),
        text.get("body", ""),
        text.get("parts", {}),
        hashlib.sha256(repr(sorted(text.items())).encode()).hexdigest()[:16],
    )
