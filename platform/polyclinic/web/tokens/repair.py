"""Contrast below WCAG AA, repaired with the smallest change of lightness (L1, L3).

Backgrounds first: ``surface`` is never touched, and one of black and white always reaches 4.58 on it, so every other
background is moved, if at all, until that same ink reaches 4.5 there too. Then each foreground moves towards that ink
until it suffices on all its backgrounds: the end of the way always does, so every pair can be met. Colours of text on
fills come last, as the fills may have moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from polyclinic.web.tokens.colour import BLACK, WHITE, Colour, contrast, with_lightness
from polyclinic.web.tokens.definitions import SCHEMES
from polyclinic.web.tokens.layers import TokenSet

TEXT: Final = 4.5  # WCAG 2.2, 1.4.3
OUTLINE: Final = 3.0  # WCAG 2.2, 1.4.11
_STEPS: Final = 256

_SURFACES: Final = ("surface", "surface_raised", "surface_sunken")
_SOFT: Final = ("accent_soft", "positive_soft", "caution_soft", "critical_soft")
_SPOTS: Final = ("spot_1", "spot_2", "spot_3")


@dataclass(frozen=True, slots=True)
class Pair:
    """A foreground that must be readable on each of its backgrounds."""

    foreground: str
    backgrounds: tuple[str, ...]
    least: float


PAIRS: Final = (
    Pair("text", (*_SURFACES, *_SOFT, *_SPOTS), TEXT),
    Pair("text_muted", _SURFACES, TEXT),
    Pair("accent_ink", (*_SURFACES, "accent_soft"), TEXT),
    Pair("positive", (*_SURFACES, "positive_soft"), TEXT),
    Pair("caution", (*_SURFACES, "caution_soft"), TEXT),
    Pair("critical", (*_SURFACES, "critical_soft"), TEXT),
    Pair("border_strong", _SURFACES, OUTLINE),
    Pair("focus", _SURFACES, OUTLINE),
)
FILLS: Final = (Pair("accent_text", ("accent",), TEXT), Pair("critical_text", ("critical",), TEXT))


@dataclass(frozen=True, slots=True)
class Repair:
    """One colour that was changed, and why."""

    scheme: str
    token: str
    before: str
    after: str
    against: str
    ratio_before: float
    ratio_after: float

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.scheme}.{self.token}: {self.before} → {self.after} on {self.against} "
            f"({self.ratio_before:.2f} → {self.ratio_after:.2f})"
        )


def repair_contrast(tokens: TokenSet) -> tuple[TokenSet, tuple[Repair, ...]]:
    """Return tokens whose every pair meets its ratio, and what was changed; unchanged where all is well."""
    repairs: list[Repair] = []
    light, dark = (_repair_scheme(name, tokens.scheme(name), repairs) for name in SCHEMES)
    return TokenSet(tokens.shared, light, dark), tuple(repairs)


def _repair_scheme(scheme: str, colours: Mapping[str, Colour], repairs: list[Repair]) -> dict[str, Colour]:
    fixed = dict(colours)
    if not any(_failing(pair, fixed) for pair in (*PAIRS, *FILLS)):
        return fixed
    ink = _ink(fixed["text"], fixed["surface"])
    away = WHITE if ink == BLACK else BLACK
    for name in (*_SURFACES[1:], *_SOFT, *_SPOTS):
        if contrast(ink, fixed[name]) < TEXT:
            # Only the foreground's own way decides here, so the "background" of this comparison is the ink itself.
            _change(scheme, name, _first_enough(fixed[name], away, [ink], TEXT), {"ink": ink}, fixed, repairs)
    for pair in PAIRS:
        _meet(scheme, pair, (ink,), fixed, repairs)
    for pair in FILLS:
        _meet(scheme, pair, (BLACK, WHITE), fixed, repairs)
    return fixed


def _ink(text: Colour, surface: Colour) -> Colour:
    """Black or white: the one on the text's side of the surface where that suffices, else the other."""
    meant = BLACK if text.lightness < surface.lightness else WHITE
    other = WHITE if meant == BLACK else BLACK
    return meant if contrast(meant, surface) >= TEXT else other


def _failing(pair: Pair, colours: Mapping[str, Colour]) -> bool:
    own = colours[pair.foreground]
    return any(contrast(own, colours[name]) < pair.least for name in pair.backgrounds)


def _meet(
    scheme: str, pair: Pair, towards: tuple[Colour, ...], fixed: dict[str, Colour], repairs: list[Repair]
) -> None:
    if not _failing(pair, fixed):
        return
    backgrounds = {name: fixed[name] for name in pair.backgrounds}
    own = fixed[pair.foreground]
    ways = [_first_enough(own, end, list(backgrounds.values()), pair.least) for end in towards]
    enough = [way for way in ways if all(contrast(way, colour) >= pair.least for colour in backgrounds.values())]
    best = min(enough, key=lambda way: abs(way.lightness - own.lightness))
    _change(scheme, pair.foreground, best, backgrounds, fixed, repairs)


def _first_enough(colour: Colour, end: Colour, against: Sequence[Colour], least: float) -> Colour:
    """Go from ``colour`` towards black or white; the first colour that suffices, else the end itself.

    Contrast grows along the way once the backgrounds are passed, so that halving finds the nearest step.
    """
    start, goal = colour.lightness, (1.0 if end == WHITE else 0.0)
    enough, too_little, found = _STEPS, 0, end
    while enough - too_little > 1:
        step = (enough + too_little) // 2
        candidate = with_lightness(colour, start + (goal - start) * step / _STEPS)
        if all(contrast(candidate, other) >= least for other in against):
            enough, found = step, candidate
        else:
            too_little = step
    return found


def _change(
    scheme: str,
    token: str,
    after: Colour,
    against: Mapping[str, Colour],
    fixed: dict[str, Colour],
    repairs: list[Repair],
) -> None:
    before = fixed[token]
    worst = min(against, key=lambda name: contrast(before, against[name]))
    repairs.append(
        Repair(
            scheme,
            token,
            before.hex,
            after.hex,
            worst,
            round(contrast(before, against[worst]), 2),
            round(contrast(after, against[worst]), 2),
        )
    )
    fixed[token] = after
