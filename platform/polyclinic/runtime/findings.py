"""What `polyclinic doctor` found: one line each, with what to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from polyclinic.runtime.trouble import Trouble


@dataclass(frozen=True)
class Finding:
    """The outcome of one check; `wrong` ones make the command fail, `note` ones do not."""

    state: Literal["ok", "note", "wrong"]
    title: str
    text: str


def ok(title: str, text: str) -> Finding:
    """All is well."""
    return Finding("ok", title, text)


def note(title: str, text: str) -> Finding:
    """Worth knowing; nothing is broken."""
    return Finding("note", title, text)


def wrong(title: str, text: str) -> Finding:
    """Something does not work; the text says what to do."""
    return Finding("wrong", title, text)


def judged(title: str, check: Callable[[], str]) -> Iterator[Finding]:
    """One finding: what the check returns is well, the Trouble it raises is wrong."""
    try:
        yield ok(title, check())
    except Trouble as trouble:
        yield wrong(title, str(trouble))
