"""What the pages are looked at in: widths, modes, languages; and which of it somebody asked for with ONLY=."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Scheme = Literal["light", "dark"]

#: Width and height of a phone, a tablet and a desk, in CSS pixels (LOOKS).
SIZES = {390: 844, 820: 1180, 1440: 900}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
#: German has the longest words; the pseudo-locale has none that were translated and reads from the right.
LANGUAGES = ("de", "en", "rtl")
PSEUDO = "ar_XB"
#: English by night shows nothing that German by night does not; it is looked at where somebody asks for it.
PLAINEST = ("en", "dark")


@dataclass(frozen=True, order=True)
class Cell:
    """One way to look at a page."""

    width: int
    scheme: Scheme
    language: str

    def __str__(self) -> str:
        """Name it in a report: "390 dark de"."""
        return f"{self.width} {self.scheme} {self.language}"

    @property
    def viewport(self) -> Any:
        """The window, as Playwright wants it."""
        return {"width": self.width, "height": SIZES[self.width]}


@dataclass
class Only:
    """What was asked for: nothing in a group means all of it; words that are no width, mode or language name pages."""

    widths: set[int] = field(default_factory=set)
    schemes: set[str] = field(default_factory=set)
    languages: set[str] = field(default_factory=set)
    looks: set[str] = field(default_factory=set)
    words: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str, looks: tuple[str, ...]) -> Only:
        """Read ``physio,390,dark``; raises ValueError for a number that is no width."""
        only = cls()
        for word in filter(None, (part.strip() for part in text.split(","))):
            if word.isdigit():
                if int(word) not in SIZES:
                    raise ValueError(f"ONLY names the width {word}; expected one of {', '.join(map(str, SIZES))}")
                only.widths.add(int(word))
            elif word in SCHEMES:
                only.schemes.add(word)
            elif word in LANGUAGES:
                only.languages.add(word)
            elif word in looks:
                only.looks.add(word)
            else:
                only.words.append(word)
        return only

    def languages_of(self, offered: tuple[str, ...]) -> list[str]:
        """Return the languages to look at, of those that a place has."""
        return [one for one in offered if not self.languages or one in self.languages]

    def cells(self, language: str, reads_again: bool) -> Iterator[Cell]:
        """Each way in one language; a page that reads its width when it opens goes through the modes first."""
        ways = [
            Cell(width, scheme, language)
            for width in sorted(SIZES, reverse=True)
            for scheme in SCHEMES
            if (not self.widths or width in self.widths)
            and (scheme in self.schemes if self.schemes else (language, scheme) != PLAINEST)
        ]
        yield from ways if reads_again else sorted(ways, key=lambda way: way.scheme, reverse=True)

    def wants(self, look: str, title: str) -> bool:
        """Whether a page of a look is among what was asked for."""
        return (not self.looks or look in self.looks) and (
            not self.words or any(word in f"{look} {title}" for word in self.words)
        )
