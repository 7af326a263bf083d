"""What a portal's own texts may quote of its settings: `{{ booking.free_cancellation }}` becomes "24 hours".

A price list that is typed into a page is wrong from the next change on; a page that quotes the setting never is.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final, Literal

from babel import dates, numbers
from flask import Flask, current_app
from markupsafe import Markup, escape

from polyclinic.tenancy.kinds import Currency, Duration, Email, Integer, Kind, LocalizedText, Percent, Text, Zone
from polyclinic.tenancy.settings import Setting, Settings
from polyclinic.web.i18n import current_language, localized

#: Kinds whose values can stand in a sentence.
QUOTABLE: Final[tuple[type[Kind[Any]], ...]] = (Text, LocalizedText, Email, Duration, Percent, Integer, Currency, Zone)
#: Blocks that take the place of a whole paragraph: name -> what draws them (see add_block).
_BLOCKS = "polyclinic.facts.blocks"
_SETTINGS = "polyclinic.facts.settings"
PRICES = "prices"
PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_.-]*)\s*\}\}")
_PARAGRAPH = re.compile(r"<p>\s*\{\{\s*([A-Za-z0-9_.-]*)\s*\}\}\s*</p>")


_HOUR, _DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def facts_of(settings: Iterable[Setting[Any]]) -> list[str]:
    """Return every name that may stand in `{{ … }}`."""
    return [PRICES, *(setting.key for setting in settings if isinstance(setting.kind, QUOTABLE))]


def add_block(app: Flask, name: str, draw: Callable[[], Markup]) -> None:
    """Have `{{ name }}` alone in a paragraph replaced by what ``draw`` returns on that page."""
    app.extensions.setdefault(_BLOCKS, {})[name] = draw


def say_duration(span: dt.timedelta) -> str:
    """A length of time in one unit: "24 hours", "14 days", "30 minutes"."""
    unit: Literal["minute", "hour", "day"] = "hour"
    if span % _HOUR:
        unit = "minute"
    elif span >= 3 * _DAY and not span % _DAY:
        unit = "day"
    return dates.format_timedelta(span, granularity=unit, threshold=1000, locale=current_language().locale)


def say(value: Any) -> str:
    """A setting's value as a sentence needs it."""
    if value is None:
        return ""
    if isinstance(value, dt.timedelta):
        return say_duration(value)
    if isinstance(value, Decimal):
        return numbers.format_percent(value / 100, locale=current_language().locale, decimal_quantization=False)
    return localized(value) if isinstance(value, dict) else str(value)


def fill_text(text: str, settings: Settings) -> str:
    """Replace the placeholders of a plain text; a name that is no setting stays as it is."""
    return PLACEHOLDER.sub(lambda found: _said(found[1], settings, found[0]), text)


def fill_html(html: Markup, settings: Settings) -> Markup:
    """Replace the placeholders of rendered Markdown: addresses become links, blocks take their paragraph's place."""
    blocks: dict[str, Callable[[], Markup]] = current_app.extensions.get(_BLOCKS, {})

    def block(found: re.Match[str]) -> str:
        return str(blocks[found[1]]()) if found[1] in blocks else found[0]

    def inline(found: re.Match[str]) -> str:
        return _linked(found[1], _said(found[1], settings, found[0]))

    whole = _PARAGRAPH.sub(block, str(html))
    return Markup(PLACEHOLDER.sub(inline, whole))  # noqa: S704  # clean HTML, and values escaped by _linked


def _said(name: str, settings: Settings, otherwise: str) -> str:
    known: dict[str, Setting[Any]] = current_app.extensions[_SETTINGS]
    return say(settings.find(known[name])) if name in known else otherwise


def _linked(name: str, text: str) -> str:
    safe = str(escape(text))
    if name.endswith("email"):
        return f'<a href="mailto:{safe}">{safe}</a>'
    if name.endswith("phone"):
        return f'<a href="tel:{escape(text.replace(" ", ""))}"><bdi>{safe}</bdi></a>'
    return safe


def init_app(app: Flask, settings: Iterable[Setting[Any]]) -> None:
    """Know the settings by name."""
    app.extensions[_SETTINGS] = {setting.key: setting for setting in settings if isinstance(setting.kind, QUOTABLE)}
