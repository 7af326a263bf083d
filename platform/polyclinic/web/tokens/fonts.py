"""The font families a token may name: bundled ones (frontend/css/fonts.css) and the device's own."""

from __future__ import annotations

from typing import Final

_SANS = "'Noto Sans Arabic', 'Segoe UI', system-ui, sans-serif"
_SERIF = "'Noto Naskh Arabic', Georgia, 'Times New Roman', serif"

FAMILIES: Final[dict[str, str]] = {
    "atkinson": f"'Atkinson Hyperlegible Next', {_SANS}",
    "bricolage": f"'Bricolage Grotesque', {_SANS}",
    "figtree": f"'Figtree', {_SANS}",
    "literata": f"'Literata', {_SERIF}",
    "source-sans": f"'Source Sans 3', {_SANS}",
    "system-sans": _SANS,
    "system-serif": _SERIF,
}
