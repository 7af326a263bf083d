"""docs/settings.md, written from the definitions so that it cannot fall behind them."""

from __future__ import annotations

from typing import Any

from polyclinic.kernel.money import Money
from polyclinic.tenancy.kinds import Choice, Context, SetOf
from polyclinic.tenancy.settings import Catalogue, Setting

_INTRODUCTION = """# Settings

What a portal may choose. Each setting is defined once, in the `policy.py` of its feature; the console, portal files,
the API and this page read that definition. A value comes from the portal itself, else from the network's defaults, else
from the built-in default below. In `portal.toml` the part of a name before the dot is a table:

```toml
[booking]
minimum_notice = "12 h"
```

This page is generated: `polyclinic portals settings > docs/settings.md`.
"""

_DIRECTIONS = {
    "higher": "Teams and specialists may only raise it.",
    "lower": "Teams and specialists may only lower it.",
    "more": "Teams and specialists may only add to it.",
}


def settings_markdown(catalogue: Catalogue) -> str:
    """Write the page: one part per group, one entry per setting."""
    parts = [_INTRODUCTION]
    for group in catalogue.groups:
        parts.append(f"## {group}\n")
        parts.extend(_entry(setting) for setting in catalogue if setting.group == group)
    return "\n".join(parts)


def _entry(setting: Setting[Any]) -> str:
    lines = [f"### {setting.key}\n", f"{setting.label}: {setting.help}\n", f"* Type: {setting.kind.name}"]
    lines.append(f"* Accepts: {setting.kind.expected()}")
    if isinstance(setting.kind, Choice | SetOf) and setting.kind.later:
        lines.append(f"* Not available yet: {', '.join(f'“{choice}”' for choice in setting.kind.later)}")
    lines.append(f"* Default: {_default(setting)}")
    if not setting.network:
        lines.append("* Chosen by each portal; the network has no default for it.")
    if setting.stricter:
        lines.append(f"* {_DIRECTIONS[setting.stricter]}")
    return "\n".join(lines) + "\n"


def _default(setting: Setting[Any]) -> str:
    if setting.default is None:
        return "none, must be set" if setting.required else "none"
    if isinstance(setting.default, Money):
        return f"{setting.default.amount} {setting.default.currency}"
    plain = setting.kind.dump(setting.default, Context())
    if isinstance(plain, dict):
        return "; ".join(f"{name}: “{text}”" for name, text in plain.items()) or "nothing"
    if isinstance(plain, list):
        return ", ".join(f"“{item}”" for item in plain)
    return f"“{plain}”" if isinstance(plain, str) else str(plain)
