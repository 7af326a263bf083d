"""What every kind of value shares: reading, writing, and refusing with what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from flask_babel import gettext as _

T = TypeVar("T")


class NotAccepted(ValueError):
    """A value that a kind refuses: `message` says what is wrong, `expected` what would be right."""

    def __init__(self, message: str, expected: str, at: tuple[str | int, ...] = ()) -> None:
        super().__init__(f"{message}; expected {expected}")
        self.message = message
        self.expected = expected
        self.at = at


class Unreadable(NotAccepted):
    """A value that cannot be judged because another one, reported on its own, is missing or wrong."""


@dataclass(frozen=True)
class Context:
    """What of the portal a kind may need to read a value."""

    currency: str | None = None
    locales: tuple[str, ...] = ()


def nearest(word: str, known: Sequence[str]) -> str:
    """Return " (did you mean …?)" for a likely slip of the pen, else nothing."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return " " + _("(did you mean “%(word)s”?)", word=close[0]) if close else ""


def shown(raw: object) -> str:
    """Quote a value for a sentence, shortened where it is long."""
    text = f"“{raw}”" if isinstance(raw, str) else str(raw)
    return text if len(text) <= 60 else text[:57] + "…"


def serves(locale: str, offered: Sequence[str]) -> bool:
    """Whether a text in `locale` can be shown on a portal with these languages: "en" serves "en_GB" too."""
    return locale in offered or any(code.partition("_")[0] == locale for code in offered)


class Kind(Generic[T]):
    """A type of value. `parse` and `dump` speak the plain form, `load` and `store` the database's JSON."""

    name: str = ""

    def expected(self) -> str:
        """Say in words what is accepted; used in messages and in the documentation."""
        raise NotImplementedError

    def parse(self, raw: object, context: Context) -> T:
        """Read the plain form. Raises NotAccepted."""
        raise NotImplementedError

    def dump(self, value: T, context: Context) -> Any:
        """Write the plain form; `parse` of it gives the value back."""
        return self.store(value)

    def store(self, value: T) -> Any:
        """Write the JSON that the database keeps."""
        return value

    def load(self, stored: Any) -> T:
        """Read the JSON that the database keeps."""
        return self.parse(stored, Context())

    def refuse(self, raw: object, why: str | None = None) -> NotAccepted:
        """Build the refusal of a value, by default "… is not accepted"."""
        return NotAccepted(why or _("%(value)s is not accepted", value=shown(raw)), self.expected())
