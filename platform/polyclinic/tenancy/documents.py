"""A portal's folder, read: `portal.toml`, the texts beside it, and everything that is wrong with them (Y1)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, TypeVar

from flask_babel import gettext as _

from polyclinic.kernel.errors import Invalid
from polyclinic.tenancy.kinds import Context, Kind, NotAccepted, Unreadable, nearest
from polyclinic.tenancy.settings import Path, Problem, dotted
from polyclinic.tenancy.toml_lines import lines_of

T = TypeVar("T")
FILE = "portal.toml"
_SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}")


class WrongFiles(Invalid):
    """A portal's files cannot be used; `complaints` has one line per problem, each with file and line."""

    def __init__(self, complaints: Sequence[str]) -> None:
        """Keep every complaint, in the order of the file."""
        super().__init__("wrong-files", "\n".join(complaints))
        self.complaints = tuple(complaints)


@dataclass
class Document:
    """`portal.toml` of one folder with the line of each value, and the problems found so far."""

    folder: FilePath
    shown_as: str
    text: str
    tables: Mapping[str, Any]
    lines: Mapping[Path, int]
    context: Context = field(default_factory=Context)
    """Currency and languages, set by the settings section before others parse."""
    states: dict[str, Any] = field(default_factory=dict)
    """What earlier sections made of their tables."""
    problems: list[tuple[str, int, str]] = field(default_factory=list)
    """File beside portal.toml ("" for itself), line, complaint."""
    broken: set[str] = field(default_factory=set)
    """Sections that could not be read completely."""

    @property
    def slug(self) -> str:
        """The portal's slug: the name of its folder."""
        return self.folder.name

    def wrong(self, path: Path, message: str, expected: str) -> None:
        """Note what is wrong at a path."""
        line = self.line(path)
        complaint = f"{self.shown_as}:{line}: {dotted(path)}: {message}; {_('expected %(what)s', what=expected)}"
        self.problems.append(("", line, complaint))

    def wrong_beside(self, name: str, line: int, message: str, expected: str) -> None:
        """Note what is wrong in a file beside portal.toml."""
        shown = f"{self.shown_as.rpartition('/')[0] or '.'}/{name}"
        complaint = f"{shown}:{line}: {message}; {_('expected %(what)s', what=expected)}"
        self.problems.append((name, line, complaint))

    def report(self, problem: Problem) -> None:
        """Note a problem of a settings catalogue."""
        self.wrong(problem.path, problem.message, problem.expected)

    def line(self, path: Path) -> int:
        """Return the line of a path, or of the nearest thing around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1

    def items(self, name: str) -> list[tuple[Path, Mapping[str, Any]]]:
        """Return the tables of `[[name]]` with their paths; anything else is noted as wrong."""
        found = self.tables.get(name, [])
        if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
            self.wrong((name,), _("this is not a list of tables"), f"[[{name}]]")
            return []
        return [((name, index), item) for index, item in enumerate(found)]

    def known(self, path: Path, table: Mapping[str, Any], names: Sequence[str]) -> None:
        """Note every key of a table that is not one of `names`."""
        for name in table:
            if name not in names:
                self.wrong(
                    (*path, name),
                    _("“%(name)s” is unknown here", name=name) + nearest(name, names),
                    _("one of %(names)s", names=", ".join(names)),
                )

    def value(self, path: Path, table: Mapping[str, Any], name: str, kind: Kind[T]) -> T | None:
        """Read one value; None where it is absent or wrong (the latter is noted)."""
        if name not in table:
            return None
        try:
            return kind.parse(table[name], self.context)
        except Unreadable:
            return None  # the settings' section has said why: the currency
        except NotAccepted as refused:
            self.wrong((*path, name, *refused.at), refused.message, refused.expected)
            return None

    def required(self, path: Path, table: Mapping[str, Any], name: str, kind: Kind[T]) -> T | None:
        """Read one value that must be there; None where it is missing or wrong, which is noted."""
        if name not in table:
            self.wrong(path, _("“%(name)s” is missing", name=name), kind.expected())
            return None
        return self.value(path, table, name, kind)

    def text_file(self, path: Path, name: object) -> str | None:
        """Read a text that lies beside the file; None where it cannot be, which is noted."""
        expected = _("a text file inside the portal's folder, such as “agreements/terms.en.md”")
        if not isinstance(name, str) or not name:
            self.wrong(path, _("this is not the name of a file"), expected)
            return None
        file = (self.folder / name).resolve()
        if not file.is_relative_to(self.folder.resolve()):
            self.wrong(path, _("“%(name)s” is outside the portal's folder", name=name), expected)
            return None
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            self.wrong(path, _("“%(name)s” cannot be read", name=name), expected)
            return None

    def finish(self) -> None:
        """Raise WrongFiles with all problems in the order of files and lines, if there are any."""
        if self.problems:
            raise WrongFiles([complaint for _name, _line, complaint in sorted(self.problems)])


def read_document(folder: FilePath, shown_as: str | None = None) -> Document:
    """Read the folder of one portal; `shown_as` is how messages name its file. Raises WrongFiles."""
    file = folder / FILE
    shown = shown_as or str(file)
    if not _SLUG.fullmatch(folder.name):
        raise WrongFiles([f"{shown}: {_('the folder is no slug; expected lower-case letters, digits and hyphens')}"])
    try:
        text = file.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except OSError:
        raise WrongFiles([f"{shown}: {_('there is no such file; expected the portal.toml of a portal')}"]) from None
    except UnicodeDecodeError:
        raise WrongFiles([f"{shown}: {_('the file is not UTF-8 text')}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise WrongFiles([_syntax(shown, str(error))]) from None
    return Document(folder, shown, text, tables, lines_of(text))


def _syntax(shown: str, message: str) -> str:
    """Turn tomllib's "… (at line 3, column 9)" into file:line: …"""
    found = re.search(r"^(.*) \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = f":{found[2]}" if found and found[2] else ""
    what = found[1] if found else message
    return f"{shown}{line}: {_('this is not TOML: %(what)s', what=what)}; {_('expected TOML as in https://toml.io')}"
