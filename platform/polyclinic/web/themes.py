"""Themes as folders: `themes/<slug>/theme.toml`, `templates/`, `static/`, and a parent (L1). Knows no Flask."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from flask_babel import lazy_gettext as _l

from polyclinic.kernel.errors import Invalid
from polyclinic.web.tokens import COLOURS, Layer, TokenSet, parse_layer, resolve

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}")
_KEYS = frozenset({"name", "extends", "tokens", "pdf"})


HEADERS: Final = ("plain", "block", "letterhead", "tiles")


@dataclass(frozen=True, slots=True)
class Print:
    """How documents on paper look: composition of the head, families (in `fonts/`), the colour that accents."""

    header: str = "plain"
    display: str = "Figtree"
    text: str = "Figtree"
    accent: str = "accent_ink"
    """The name of a colour token; its light value is printed."""


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme folder, read and checked; `chain` is itself, its parent, its parent's parent."""

    slug: str
    name: str
    folder: Path
    layer: Layer
    parent: Theme | None = None
    pdf: Print = Print()

    @property
    def chain(self) -> tuple[Theme, ...]:
        """The theme and its ancestors, nearest first."""
        return (self,) if self.parent is None else (self, *self.parent.chain)

    @property
    def template_folders(self) -> list[Path]:
        """Where its templates are looked for, nearest first."""
        return [theme.folder / "templates" for theme in self.chain]

    @property
    def stylesheets(self) -> list[Path]:
        """Its own style sheets: theme.css, then the others by name."""
        return sorted((self.folder / "static").glob("*.css"), key=lambda sheet: (sheet.name != "theme.css", sheet.name))

    @property
    def font_folders(self) -> list[Path]:
        """Where the TrueType files of its `pdf` families lie, nearest first; documents are set with these alone."""
        return [folder for theme in self.chain if (folder := theme.folder / "fonts").is_dir()]

    def tokens(self, *overrides: Layer) -> TokenSet:
        """A value for every token: the ancestors', its own, then `overrides` (a portal's)."""
        return resolve([*(theme.layer for theme in reversed(self.chain)), *overrides])

    def static_file(self, path: str) -> tuple[Theme, str] | None:
        """The theme of the chain that has the static file `path`; the caller joins safely."""
        for theme in self.chain:
            if (theme.folder / "static" / path).is_file():
                return theme, path
        return None


def read_themes(folders: Iterable[Path]) -> dict[str, Theme]:
    """Read every theme below `folders`; a later folder replaces a theme of the same slug.

    Raises Invalid naming file, key and what was expected.
    """
    found = {
        path.parent.name: path for folder in folders for path in sorted(folder.glob("*/theme.toml")) if path.is_file()
    }
    themes: dict[str, Theme] = {}
    for slug in found:
        _read(slug, found, themes, ())
    return themes


def _read(slug: str, found: Mapping[str, Path], themes: dict[str, Theme], below: tuple[str, ...]) -> Theme:
    if slug in themes:
        return themes[slug]
    path = found[slug]
    where = f"{slug}/theme.toml"
    table = _table(slug, path, where)
    extends = table.get("extends")
    if extends is not None and (extends not in found or extends in (*below, slug)):
        others = ", ".join(sorted(set(found) - {slug, *below}))
        raise _wrong(where, "extends", str(extends), _l("one of the themes %(names)s, in no circle", names=others))
    parent = None if extends is None else _read(str(extends), found, themes, (*below, slug))
    layer = parse_layer(table.get("tokens", {}), where)
    pdf = _print(table.get("pdf", {}), parent.pdf if parent else Print(), where)
    themes[slug] = Theme(slug, str(table.get("name", slug)), path.parent, layer, parent, pdf)
    return themes[slug]


def _print(given: object, inherited: Print, where: str) -> Print:
    """Read `[pdf]`; what it does not say is the parent's."""
    known = [key.name for key in fields(Print)]
    if not isinstance(given, Mapping):
        raise _wrong(where, "pdf", str(given), _l("a table with some of %(names)s", names=", ".join(known)))
    for key, value in given.items():
        options = {"header": HEADERS, "accent": tuple(COLOURS)}.get(key)
        if key not in known:
            raise _wrong(where, f"pdf.{key}", str(value), _l("one of the keys %(names)s", names=", ".join(known)))
        if not isinstance(value, str) or (options is not None and value not in options):
            expected = _l("one of %(options)s", options=", ".join(options)) if options else _l("the name of a family")
            raise _wrong(where, f"pdf.{key}", str(value), expected)
    return replace(inherited, **given)


def _table(slug: str, path: Path, where: str) -> dict[str, object]:
    if not _SLUG.fullmatch(slug):
        raise _wrong(where, "slug", slug, _l("a folder name of lower-case letters, digits and hyphens"))
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise _wrong(where, "file", str(broken), _l("TOML in UTF-8")) from broken
    for key in table:
        if key not in _KEYS:
            raise _wrong(where, key, str(table[key]), _l("one of the keys %(names)s", names=", ".join(sorted(_KEYS))))
    return table


def _wrong(where: str, key: str, given: str, expected: object) -> Invalid:
    return Invalid(
        "theme",
        _l("The theme file %(where)s cannot be used.", where=where),
        fields={key: _l("%(given)s: expected %(expected)s.", given=given, expected=expected)},
    )
