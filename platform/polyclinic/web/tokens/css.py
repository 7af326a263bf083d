"""Tokens as CSS custom properties: the only place where a colour or length of a look is written into a stylesheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from polyclinic.web.tokens.colour import Colour
from polyclinic.web.tokens.fonts import FAMILIES
from polyclinic.web.tokens.layers import TokenSet

LAYERS: Final = "@layer reset, tokens, base, components, layout, theme, utilities;"

_DENSITY: Final = {"compact": 0.8, "regular": 1.0, "generous": 1.15}
_CONTROL: Final = {"compact": 2.25, "regular": 2.75, "generous": 3.125}
_SPACES: Final = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.5)
_MOTION: Final = {"none": ("0ms", "0ms"), "calm": ("180ms", "320ms"), "brisk": ("100ms", "180ms")}
_SHADOWS: Final = {
    "none": ("none", "none"),
    "soft": (
        "0 1px 2px color-mix(in oklab, var(--shadow-ink) 7%, transparent), "
        "0 4px 16px color-mix(in oklab, var(--shadow-ink) 6%, transparent)",
        "0 2px 6px color-mix(in oklab, var(--shadow-ink) 9%, transparent), "
        "0 16px 40px color-mix(in oklab, var(--shadow-ink) 14%, transparent)",
    ),
    "lifted": (
        "0 1px 0 color-mix(in oklab, var(--shadow-ink) 10%, transparent), "
        "0 8px 24px color-mix(in oklab, var(--shadow-ink) 11%, transparent)",
        "0 4px 12px color-mix(in oklab, var(--shadow-ink) 14%, transparent), "
        "0 28px 64px color-mix(in oklab, var(--shadow-ink) 22%, transparent)",
    ),
}
_PHONE, _DESK = 24.375, 90.0  # 390 and 1440 CSS pixels, in rem


def stylesheet(tokens: TokenSet) -> str:
    """Write the whole stylesheet: shared properties, and light and dark by device and by ``data-theme``."""
    light, dark = _colours(tokens.light), _colours(tokens.dark)
    schemes = tokens.shared["schemes"]
    first = dark if schemes == "dark" else light
    parts = [
        LAYERS,
        "@layer tokens {",
        f":root {{ color-scheme: {'dark' if schemes == 'dark' else 'light'}; {_shared(tokens)} {first} }}",
    ]
    if schemes == "both":
        parts += [
            "@media screen and (prefers-color-scheme: dark) {"
            f" :root:not([data-theme='light']) {{ color-scheme: dark; {dark} }} }}",
            f"@media screen {{ :root[data-theme='dark'] {{ color-scheme: dark; {dark} }} }}",
        ]
    return "\n".join([*parts, "}", ""])


def _shared(tokens: TokenSet) -> str:
    values = tokens.shared
    density = str(values["density"])
    fast, slow = _MOTION[str(values["motion"])]
    near, far = _SHADOWS[str(values["shadow"])]
    radius = float(str(values["radius"]).removesuffix("px"))
    properties = {
        "font-display": FAMILIES[str(values["font_display"])],
        "font-text": FAMILIES[str(values["font_text"])],
        **_type_scale(float(str(values["type_base"]).removesuffix("rem")), float(str(values["type_ratio"]))),
        **_space_scale(_DENSITY[density]),
        "control-height": f"{_CONTROL[density]:g}rem",
        "leading": f"{values['text_leading']:g}",
        "heading-leading": f"{values['heading_leading']:g}",
        "heading-weight": f"{values['heading_weight']:g}",
        "heading-tracking": f"{values['heading_tracking']:g}em",
        "radius-s": f"{radius / 2:g}px",
        "radius-m": f"{radius:g}px",
        "radius-l": f"{radius * 1.75:g}px",
        "radius-control": str(values["control_radius"]),
        "radius-round": "999px",
        "line": str(values["border_width"]),
        "hairline": "1px",
        "shadow-1": near,
        "shadow-2": far,
        "motion-fast": fast,
        "motion-slow": slow,
        "ease": "cubic-bezier(0.2, 0.7, 0.2, 1)",
        "measure": str(values["measure"]),
        "page-width": str(values["page_width"]),
    }
    return _declarations(properties)


def _type_scale(base: float, ratio: float) -> dict[str, str]:
    """Six steps, the upper four fluid: a phone gets the same order with smaller jumps."""
    narrow = 1 + (ratio - 1) * 0.62
    steps = {"type-1": f"{max(0.8125, base / 1.15):.4g}rem", "type-2": f"{base:.4g}rem"}
    for power in range(1, 5):
        steps[f"type-{power + 2}"] = _fluid(base * narrow**power, base * ratio**power)
    return steps


def _space_scale(density: float) -> dict[str, str]:
    """Eight steps, the upper three fluid."""
    scale = {f"space-{step}": f"{size * density:.4g}rem" for step, size in enumerate(_SPACES[:5], 1)}
    for step, size in enumerate(_SPACES[5:], 6):
        scale[f"space-{step}"] = _fluid(size * density * 0.66, size * density)
    return scale


def _fluid(least: float, most: float) -> str:
    slope = (most - least) / (_DESK - _PHONE)
    return f"clamp({least:.4g}rem, {least - slope * _PHONE:.4g}rem + {slope * 100:.4g}vw, {most:.4g}rem)"


def _colours(colours: Mapping[str, Colour]) -> str:
    properties = {name.replace("_", "-"): colour.hex for name, colour in colours.items()}
    lit = colours["surface"].lightness > 0.5
    # A header on the accent: by night a wide light band would glare.
    dark_enough = lit or colours["accent"].lightness < 0.55
    properties["band"] = colours["accent" if dark_enough else "accent_soft"].hex
    properties["band-ink"] = colours["accent_text" if dark_enough else "text"].hex
    properties["shadow-ink"] = colours["text"].hex if lit else "#000000"
    properties["hue-ink"] = "0.42" if lit else "0.84"
    properties["hue-soft"] = "0.94" if lit else "0.31"
    properties["hue-fill"] = "0.62" if lit else "0.72"
    return _declarations(properties)


def _declarations(properties: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in properties.items())
