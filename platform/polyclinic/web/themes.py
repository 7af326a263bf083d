"""Themes as folders: `themes/<slug>/theme.toml`, `templates/`, `static/`, and a parent (L1). Knows no Flask."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flask_babel import lazy_gettext as _l

from polyclinic.kernel.errors import Invalid
from polyclinic.web.tokens import Layer, TokenSet, parse_layer, resolve

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}")
_KEYS = frozenset({"name", "extends", "tokens"})


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme folder, read and checked; `chain` is itself, its parent, its parent's parent."""

    slug: str
    name: str
    folder: Path
    layer: Layer
    parent: Theme | None = None

    @property
    def chain(self) -> tuple[Theme, ...]:
        """The theme and its ancestors, nearest first."""
        return (self,) if self.parent is None else (self, *self.parent.chain)

    @property
    def template_folders(self) -> list[Path]:
        """Where its templates are looked for, nearest first."""
        return [theme.folder / "templates" for theme in self.chain]

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
    themes[slug] = Theme(slug, str(table.get("name", slug)), path.parent, layer, parent)
    return themes[slug]


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
