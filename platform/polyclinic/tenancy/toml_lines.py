"""Where in a TOML text each value stands, so that a wrong one can be shown with its line (Y1).

No TOML library of ours keeps lines for values that are well-formed but wrong. This scanner reads texts that `tomllib`
has accepted; it knows the shape of values, not their meaning (https://toml.io/en/v1.0.0).
"""

from __future__ import annotations

import re
import tomllib

from polyclinic.tenancy.settings import Path

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_GAP = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:\\.|[^"\\\n])*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:\\.|[^\\])*?"""(?:"{0,2}(?!"))', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?:'{0,2}(?!'))", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}\n#]+")


def lines_of(text: str) -> dict[Path, int]:
    """Return the line, counted from 1, of every table, key and array item of a well-formed TOML text."""
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        """How many tables each array of tables has so far."""

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError(f"unexpected text at offset {self._at}")
        self._at = found.end()
        return found.group()

    def _mark(self, path: Path) -> None:
        line = self._text.count("\n", 0, self._at) + 1
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], line)

    def _header(self) -> Path:
        repeated = self._text.startswith("[[", self._at)
        begin = self._at
        self._at += 2 if repeated else 1
        self._skip(_GAP)
        keys = self._key()
        self._skip(_GAP)
        self._at += 2 if repeated else 1
        path = (*self._resolved(keys[:-1]), keys[-1])
        if repeated:
            index = self._counts.get(path, 0)
            self._counts[path] = index + 1
            path = (*path, index)
        else:
            path = self._resolved(keys)
        end, self._at = self._at, begin
        self._mark(path)
        self._at = end
        return path

    def _resolved(self, keys: Path) -> Path:
        """Follow header keys through arrays of tables to their last table."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        begin = self._at
        path = table + self._key()
        end, self._at = self._at, begin
        self._mark(path)
        self._at = end
        self._skip(_GAP)
        self._at += 1  # the equals sign
        self._skip(_GAP)
        self._value(path)

    def _key(self) -> Path:
        keys: list[str] = []
        while True:
            keys.append(self._one_key())
            self._skip(_GAP)
            if not self._text.startswith(".", self._at):
                return tuple(keys)
            self._at += 1
            self._skip(_GAP)

    def _one_key(self) -> str:
        mark = self._text[self._at]
        if mark == '"':
            quoted = self._skip(_BASIC)
            return next(iter(tomllib.loads(f"{quoted} = 0")))
        if mark == "'":
            return self._skip(_LITERAL)[1:-1]
        return self._skip(_BARE)

    def _value(self, path: Path) -> None:
        if self._text.startswith('"""', self._at):
            self._skip(_LONG_BASIC)
        elif self._text.startswith("'''", self._at):
            self._skip(_LONG_LITERAL)
        elif self._text[self._at] == '"':
            self._skip(_BASIC)
        elif self._text[self._at] == "'":
            self._skip(_LITERAL)
        elif self._text[self._at] == "[":
            self._array(path)
        elif self._text[self._at] == "{":
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        self._skip(_BLANK)
        while self._text[self._at] != "]":
            self._mark((*path, index))
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1
                self._skip(_BLANK)
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        self._skip(_BLANK)
        while self._text[self._at] != "}":
            self._pair(path)
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1
                self._skip(_BLANK)
        self._at += 1
