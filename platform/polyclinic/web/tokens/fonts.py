"""The font families a token may name: bundled ones (frontend/css/fonts.css) and the device's own."""

from __future__ import annotations

from typing import Final

_SANS = "'Noto Sans Arabic', 'Segoe UI', system-ui, sans-serif"
_ROUND = "'Hiragino Maru Gothic ProN', 'Noto Sans Arabic', 'Noto Sans JP', 'Segoe UI', system-ui, sans-serif"
_SERIF = "'Noto Naskh Arabic', Georgia, 'Times New Roman', serif"

FAMILIES: Final[dict[str, str]] = {
    "archivo": f"'Archivo', {_SANS}",
    "atkinson": f"'Atkinson Hyperlegible Next', {_SANS}",
    "bricolage": f"'Bricolage Grotesque', {_SANS}",
    "figtree": f"'Figtree', {_SANS}",
    "instrument": f"'Instrument Sans', {_SANS}",
    "literata": f"'Literata', {_SERIF}",
    "newsreader": f"'Newsreader', {_SERIF}",
    "rounded": f"'M PLUS Rounded 1c', {_ROUND}",
    "source-sans": f"'Source Sans 3', {_SANS}",
    "system-sans": _SANS,
    "system-serif": _SERIF,
}
