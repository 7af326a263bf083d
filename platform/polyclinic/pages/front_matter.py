"""A page's file: front matter in TOML between two lines “+++”, then Markdown; read, checked, written (Y1).

Every problem is told with its line, what was wrong and what was expected.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tomlkit
from flask_babel import gettext as _

from polyclinic.tenancy.kinds import Choice, Context, Integer, Kind, NotAccepted, Text, nearest
from polyclinic.tenancy.settings import dotted
from polyclinic.tenancy.toml_lines import lines_of
from polyclinic.tenancy.toml_writing import table_of

FENCE = "+++"
PLACEMENTS = ("header", "footer", "none")
#: Kinds that a file may choose; woven pages (home, specialists, profile) are their own kind.
KINDS = ("text", "questions", "contact", "agreement")
_SHORT, _LONG = Text(max=120), Text(max=600)
#: What stands once, in the file of the portal's first language.
SHARED: Mapping[str, Kind[Any]] = {
    "kind": Choice(KINDS),
    "placement": Choice(PLACEMENTS),
    "order": Integer(0, 999),
    "agreement": Text(max=60),
}
WORDS: Mapping[str, Kind[Any]] = {"title": _SHORT, "description": Text(max=300), "label": Text(max=40)}
PARTS: Mapping[str, Kind[Any]] = {
    "headline": _SHORT,
    "introduction": _LONG,
    "action": Text(max=40),
    "questions": Integer(0, 8),
}
#: Headings of the parts of a composed page.
HEADINGS = ("topics", "people", "steps", "services", "questions", "promises")
#: Lists of {title, text}: how many at most.
LISTS: Mapping[str, int] = {"steps": 5, "promises": 6}

Complain = Callable[[int, str, str], None]


@dataclass
class PageFile:
    """One file, read: its words in one language, and what it says of the page as a whole."""

    shared: dict[str, Any] = field(default_factory=dict)
    words: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """Where each key of the front matter stands."""
    body_line: int = 1


def read_page(text: str, complain: Complain) -> PageFile | None:
    """Read a file; problems are told, and None is returned where there is no front matter to read."""
    head, body, body_line = _split(text)
    if head is None:
        complain(1, _("the front matter is missing"), _("a line “+++”, keys such as title = “…”, and another “+++”"))
        return None
    try:
        table = tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        found_at = re.search(r"^(.*) \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        what = found_at[1] if found_at else str(error)
        line = int(found_at[2]) + 1 if found_at and found_at[2] else 1
        complain(line, _("this is not TOML: %(what)s", what=what), _("TOML as in https://toml.io"))
        return None
    lines = {dotted(path): line + 1 for path, line in lines_of(head).items()}
    found = PageFile(lines=lines, body_line=body_line)
    reading = _Reading(table, lines, complain)
    found.shared = reading.values(SHARED)
    found.words = {**reading.values(WORDS), "body": body}
    parts = reading.values(PARTS) | reading.lists()
    if headings := reading.headings():
        parts["headings"] = headings
    if parts:
        found.words["parts"] = parts
    reading.unknown()
    if "title" not in table:
        complain(1, _("“%(name)s” is missing", name="title"), WORDS["title"].expected())
    return found


def _split(text: str) -> tuple[str | None, str, int]:
    """Return front matter, body (without blank lines around) and the body's first line."""
    lines = text.split("\n")
    if lines[0].strip() != FENCE or FENCE not in [line.strip() for line in lines[1:]]:
        return None, "", 1
    end = next(index for index, line in enumerate(lines[1:], 1) if line.strip() == FENCE)
    rest = lines[end + 1 :]
    blank = next((index for index, line in enumerate(rest) if line.strip()), len(rest))
    return "\n".join(lines[1:end]) + "\n", "\n".join(rest).strip(), end + blank + 2


class _Reading:
    def __init__(self, table: Mapping[str, Any], lines: Mapping[str, int], complain: Complain) -> None:
        self._table, self._lines, self._complain = table, lines, complain

    def values(self, kinds: Mapping[str, Kind[Any]]) -> dict[str, Any]:
        return self._values(self._table, kinds, "")

    def lists(self) -> dict[str, list[dict[str, str]]]:
        found = {}
        for name, most in LISTS.items():
            if name not in self._table:
                continue
            items = self._table[name]
            if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
                self._wrong(name, _("this is not a list of tables"), f"[[{name}]]")
                continue
            if len(items) > most:
                self._wrong(name, _("there are %(count)s of them", count=len(items)), _("at most %(most)s", most=most))
            found[name] = [self._item(item, f"{name}[{place}]") for place, item in enumerate(items, 1)]
        return found

    def headings(self) -> dict[str, str]:
        table = self._table.get("headings", {})
        if not isinstance(table, Mapping):
            self._wrong("headings", _("this is not a table"), "[headings]")
            return {}
        self._only(table, HEADINGS, "headings.")
        return self._values(table, dict.fromkeys(HEADINGS, _SHORT), "headings.")

    def unknown(self) -> None:
        self._only(self._table, (*WORDS, *SHARED, *PARTS, *LISTS, "headings"), "")

    def _item(self, item: Mapping[str, Any], at: str) -> dict[str, str]:
        self._only(item, ("title", "text"), f"{at}.")
        for name in ("title", "text"):
            if name not in item:
                self._wrong(at, _("“%(name)s” is missing", name=name), _SHORT.expected())
        return self._values(item, {"title": _SHORT, "text": _LONG}, f"{at}.")

    def _values(self, table: Mapping[str, Any], kinds: Mapping[str, Kind[Any]], at: str) -> dict[str, Any]:
        found = {}
        for name, kind in kinds.items():
            if name not in table:
                continue
            try:
                found[name] = kind.parse(table[name], Context())
            except NotAccepted as refused:
                self._wrong(f"{at}{name}", refused.message, refused.expected)
        return found

    def _only(self, table: Mapping[str, Any], names: tuple[str, ...], at: str) -> None:
        for name in table:
            if name not in names:
                what = _("“%(name)s” is unknown here", name=name) + nearest(name, names)
                self._wrong(f"{at}{name}", what, _("one of %(names)s", names=", ".join(names)))

    def _wrong(self, at: str, message: str, expected: str) -> None:
        line = self._lines.get(at) or self._lines.get(at.rpartition(".")[0]) or 1
        self._complain(line, f"{at}: {message}", expected)


def write_page(shared: Mapping[str, Any], words: Mapping[str, Any]) -> str:
    """Write a file as `read_page` reads it; comments of an older file are not kept."""
    parts = words.get("parts", {})
    table = table_of({name: words[name] for name in WORDS if name in words} | dict(shared))
    for name in PARTS:
        if name in parts:
            table[name] = parts[name]
    if "headings" in parts:
        table["headings"] = table_of(parts["headings"])
    for name in LISTS:
        if name in parts:
            rows = tomlkit.aot()
            for row in parts[name]:
                rows.append(table_of(row))
            table[name] = rows
    document = tomlkit.document()
    for key, item in table.items():
        document[key] = item
    body = str(words.get("body", ""))
    written = document.as_string().strip()
    return f"{FENCE}\n{written}\n{FENCE}\n" + (f"\n{body}\n" if body else "")
