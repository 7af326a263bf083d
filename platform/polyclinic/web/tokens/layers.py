"""Reading what themes and portals set, stacking it, and filling in what follows from a brand's one or two colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import lazy_gettext as _l

from polyclinic.kernel.errors import Invalid
from polyclinic.web.tokens.colour import BLACK, WHITE, Colour, contrast, to_oklch, with_lightness
from polyclinic.web.tokens.definitions import COLOURS, DEFINITIONS, SCHEMES, Kind, Refused

Value = str | float | Colour


@dataclass(frozen=True, slots=True)
class Problem:
    """A token that cannot be used: which, what was given, what was expected."""

    token: str
    given: str
    expected: Any

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.token}: {self.given!r}; expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Layer:
    """What one theme or one portal sets; everything else is inherited."""

    shared: Mapping[str, Value] = field(default_factory=dict)
    light: Mapping[str, Colour] = field(default_factory=dict)
    dark: Mapping[str, Colour] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TokenSet:
    """A value for every token."""

    shared: Mapping[str, Value]
    light: Mapping[str, Colour]
    dark: Mapping[str, Colour]

    def scheme(self, name: str) -> Mapping[str, Colour]:
        """The colours of ``light`` or ``dark``."""
        return self.dark if name == "dark" else self.light


def find_problems(raw: object) -> list[Problem]:
    """Check ``{token: value, "light": {...}, "dark": {...}}`` as it comes from a file, a form or JSON."""
    return _read(raw)[1]


def parse_layer(raw: object, where: str) -> Layer:
    """Read a layer; ``where`` names its source in the refusal (Invalid, a message per token in ``fields``)."""
    layer, problems = _read(raw)
    if problems:
        raise Invalid(
            "tokens",
            _l("Some tokens in %(where)s cannot be used.", where=where),
            fields={
                problem.token: _l("%(given)s: expected %(expected)s.", given=problem.given, expected=problem.expected)
                for problem in problems
            },
        )
    return layer


def _read(raw: object) -> tuple[Layer, list[Problem]]:
    problems: list[Problem] = []
    if not isinstance(raw, Mapping):
        return Layer(), [Problem("tokens", _short(raw), _l("a table of tokens"))]
    shared = {key: value for key, value in raw.items() if key not in SCHEMES and key not in COLOURS}
    # A colour outside both tables is meant for light: `accent = "#0f6b5c"`.
    light = {key: value for key, value in raw.items() if key in COLOURS}
    given = raw.get("light", {})
    return (
        Layer(
            _read_table(shared, DEFINITIONS, "", problems),
            _read_table({**light, **given} if isinstance(given, Mapping) else given, COLOURS, "light.", problems),
            _read_table(raw.get("dark", {}), COLOURS, "dark.", problems),
        ),
        problems,
    )


def _read_table(raw: object, known: Mapping[str, Kind], prefix: str, problems: list[Problem]) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        problems.append(Problem(prefix.rstrip("."), _short(raw), _l("a table of colours")))
        return {}
    read: dict[str, Any] = {}
    for name, value in raw.items():
        kind = known.get(str(name))
        if kind is None:
            expected = _l("one of the tokens %(names)s", names=", ".join(known))
            problems.append(Problem(prefix + str(name), _short(value), expected))
            continue
        try:
            read[str(name)] = kind.read(value)
        except Refused as refused:
            problems.append(Problem(prefix + str(name), _short(value), refused.expected))
    return read


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def resolve(layers: Iterable[Layer]) -> TokenSet:
    """Stack layers, the most general first. The first must set every token (the base theme does).

    A layer that sets only ``accent`` or ``surface`` gets the roles that depend on it, and the other scheme's accent,
    derived from it: a brand needs one colour to begin with.
    """
    shared: dict[str, Value] = {}
    schemes: dict[str, dict[str, Colour]] = {name: {} for name in SCHEMES}
    for layer in layers:
        shared.update(layer.shared)
        for name in SCHEMES:
            own, other = (layer.light, layer.dark) if name == "light" else (layer.dark, layer.light)
            schemes[name].update(_derived(own, other, dark=name == "dark"))
            schemes[name].update(own)
    missing = [name for name in DEFINITIONS if name not in shared]
    missing += [f"{scheme}.{name}" for scheme in SCHEMES for name in COLOURS if name not in schemes[scheme]]
    if missing:
        raise Invalid("tokens", _l("No theme sets the tokens %(names)s.", names=", ".join(missing)))
    return TokenSet(shared, schemes["light"], schemes["dark"])


def _derived(own: Mapping[str, Colour], other: Mapping[str, Colour], *, dark: bool) -> dict[str, Colour]:
    result: dict[str, Colour] = {}
    accent = own.get("accent")
    if accent is None and "accent" in other:
        accent = with_lightness(other["accent"], 0.8, 0.12) if dark else with_lightness(other["accent"], 0.45)
    if accent is not None:
        result |= _around_accent(accent, dark=dark)
    surface = own.get("surface")
    if surface is not None:
        result |= _around_surface(surface)
    return result


def _around_accent(accent: Colour, *, dark: bool) -> dict[str, Colour]:
    deep = with_lightness(accent, 0.2, 0.05)
    ink = with_lightness(accent, max(0.8, accent.lightness)) if dark else accent
    return {
        "accent": accent,
        "accent_text": WHITE if contrast(WHITE, accent) >= 4.5 else deep,
        "accent_ink": ink,
        "accent_soft": with_lightness(accent, 0.29, 0.05) if dark else with_lightness(accent, 0.945, 0.04),
        "focus": ink,
    }


def _around_surface(surface: Colour) -> dict[str, Colour]:
    lightness, chroma, _ = to_oklch(surface)
    lit = contrast(BLACK, surface) >= contrast(WHITE, surface)
    steps = (
        (lightness + (1 - lightness) * 0.75, lightness - 0.028, lightness - 0.095, lightness - 0.4)
        if lit
        else (lightness + 0.04, lightness - 0.03, lightness + 0.12, lightness + 0.36)
    )
    names = ("surface_raised", "surface_sunken", "border", "border_strong")
    return {name: with_lightness(surface, step, max(chroma, 0.02)) for name, step in zip(names, steps, strict=True)}
