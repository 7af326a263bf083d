"""Colours in sRGB and OKLCH, and the contrast of WCAG 2.2.

OKLab after Björn Ottosson (https://bottosson.github.io/posts/oklab/, CSS Color 4 §9); relative luminance and contrast
ratio as WCAG 2.2 defines them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


@dataclass(frozen=True, slots=True)
class Colour:
    """An opaque sRGB colour in 8-bit channels: what a stylesheet carries and an eye sees."""

    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str) -> Colour:
        """Read ``#rgb`` or ``#rrggbb``; ValueError for anything else."""
        if not _HEX.fullmatch(text):
            raise ValueError(f"{text!r} is not a colour such as #1f6f5c")
        digits = text[1:] if len(text) == 7 else "".join(2 * digit for digit in text[1:])
        return cls(int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16))

    @property
    def hex(self) -> str:
        """``#rrggbb`` in lower case."""
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def lightness(self) -> float:
        """Perceived lightness, 0 black to 1 white (OKLCH)."""
        return to_oklch(self)[0]


BLACK = Colour(0, 0, 0)
WHITE = Colour(255, 255, 255)


def _linear(channel: int) -> float:
    value = channel / 255
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _encoded(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * math.pow(value, 1 / 2.4) - 0.055


@lru_cache(maxsize=4096)
def luminance(colour: Colour) -> float:
    """Relative luminance, WCAG 2.2."""
    return 0.2126 * _linear(colour.red) + 0.7152 * _linear(colour.green) + 0.0722 * _linear(colour.blue)


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio of two colours, 1 to 21, WCAG 2.2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def to_oklch(colour: Colour) -> tuple[float, float, float]:
    """Return lightness 0–1, chroma and hue in degrees."""
    r, g, b = _linear(colour.red), _linear(colour.green), _linear(colour.blue)
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    medium = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b_axis = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(a, b_axis), math.degrees(math.atan2(b_axis, a)) % 360


def _channels(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def from_oklch(lightness: float, chroma: float, hue: float) -> Colour:
    """Return the nearest colour that sRGB can show, giving up chroma before lightness and hue."""
    if lightness <= 0:
        return BLACK
    if lightness >= 1:
        return WHITE
    fits, over = 0.0, chroma
    if all(-1e-4 <= channel <= 1.0001 for channel in _channels(lightness, chroma, hue)):
        fits = chroma
    else:
        for _ in range(18):
            middle = (fits + over) / 2
            if all(-1e-4 <= channel <= 1.0001 for channel in _channels(lightness, middle, hue)):
                fits = middle
            else:
                over = middle
    eight = [round(255 * _encoded(min(1.0, max(0.0, channel)))) for channel in _channels(lightness, fits, hue)]
    return Colour(*eight)


def with_lightness(colour: Colour, lightness: float, chroma: float | None = None) -> Colour:
    """Return the colour of the same hue at another lightness, and chroma at most ``chroma``."""
    _, own, hue = to_oklch(colour)
    return from_oklch(lightness, own if chroma is None else min(own, chroma), hue)


HUE_STEPS = 24


def hue_step(colour: Colour, steps: int = HUE_STEPS) -> int:
    """Return which of the evenly spaced badge hues (``.hue-0`` … ``.hue-23``) is nearest to the colour."""
    return round(to_oklch(colour)[2] / (360 / steps)) % steps
