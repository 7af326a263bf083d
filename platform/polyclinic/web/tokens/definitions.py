"""Every token with its kind and limits; docs/themes.md is checked against this list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _l

from polyclinic.web.tokens.colour import Colour
from polyclinic.web.tokens.fonts import FAMILIES

SCHEMES: Final = ("light", "dark")


class Refused(ValueError):
    """A value that a token does not take; ``expected`` is a sentence for the person who wrote it."""

    def __init__(self, expected: Any) -> None:
        """Keep what would have been taken."""
        super().__init__(str(expected))
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    options: tuple[str, ...]

    def read(self, value: object) -> str:
        """Return the word."""
        if not isinstance(value, str) or value not in self.options:
            raise Refused(_l("one of %(options)s", options=", ".join(self.options)))
        return value


@dataclass(frozen=True, slots=True)
class Number:
    """A number within limits."""

    least: float
    most: float

    def read(self, value: object) -> float:
        """Return the number; texts of digits count, as settings arrive from forms."""
        try:
            number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None or not self.least <= number <= self.most:
            raise Refused(_l("a number from %(least)g to %(most)g", least=self.least, most=self.most))
        return number


_LENGTH = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)(px|rem|em)")


@dataclass(frozen=True, slots=True)
class Length:
    """A length in one unit within limits, such as 12px; nothing else, so no CSS can ride along."""

    unit: str
    least: float
    most: float

    def read(self, value: object) -> str:
        """Return the length, normalised."""
        found = _LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None or found[2] != self.unit or not self.least <= float(found[1]) <= self.most:
            raise Refused(
                _l(
                    "a length from %(least)g%(unit)s to %(most)g%(unit)s",
                    least=self.least,
                    most=self.most,
                    unit=self.unit,
                )
            )
        return f"{float(found[1]):g}{self.unit}"


@dataclass(frozen=True, slots=True)
class ColourKind:
    """An opaque colour as #rgb or #rrggbb."""

    def read(self, value: object) -> Colour:
        """Return the colour."""
        try:
            return Colour.parse(value.strip() if isinstance(value, str) else "")
        except ValueError as broken:
            raise Refused(_l("a colour such as #1f6f5c")) from broken


Kind = Choice | Number | Length | ColourKind

DEFINITIONS: Final[Mapping[str, Kind]] = {
    "font_display": Choice(tuple(FAMILIES)),
    "font_text": Choice(tuple(FAMILIES)),
    "type_base": Length("rem", 0.875, 1.375),
    "type_ratio": Number(1.08, 1.4),
    "text_leading": Number(1.3, 1.9),
    "heading_weight": Number(300, 800),
    "heading_tracking": Number(-0.05, 0.1),
    "heading_leading": Number(1.0, 1.4),
    "radius": Length("px", 0, 40),
    "control_radius": Length("px", 0, 999),
    "border_width": Length("px", 0, 3),
    "shadow": Choice(("none", "soft", "lifted")),
    "density": Choice(("compact", "regular", "generous")),
    "motion": Choice(("none", "calm", "brisk")),
    "measure": Length("rem", 30, 60),
    "page_width": Length("rem", 48, 96),
    "header": Choice(("plain", "band", "centred")),
    "composition": Choice(("split", "centred", "stacked")),
    "card": Choice(("raised", "outlined", "filled")),
    "imagery": Choice(("round", "arch", "square")),
    "icons": Choice(("line", "light", "bold", "duotone")),
    "schemes": Choice(("both", "light", "dark")),
}

_COLOUR = ColourKind()
COLOURS: Final[Mapping[str, ColourKind]] = dict.fromkeys(
    (
        "surface",
        "surface_raised",
        "surface_sunken",
        "text",
        "text_muted",
        "accent",
        "accent_text",
        "accent_ink",
        "accent_soft",
        "border",
        "border_strong",
        "positive",
        "positive_soft",
        "caution",
        "caution_soft",
        "critical",
        "critical_text",
        "critical_soft",
        "focus",
        "spot_1",
        "spot_2",
        "spot_3",
    ),
    _COLOUR,
)

# Choices that templates and layout styles read as data-… attributes of <html>.
ATTRIBUTES: Final = ("header", "composition", "card", "imagery", "density")
