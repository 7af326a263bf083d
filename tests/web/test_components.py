"""Components: documented with their signatures, styled by tokens only, mirrored by logical properties."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import render_template_string

from polyclinic.kernel.money import Money
from polyclinic.resources import PACKAGE, shipped
from polyclinic.web.formats import initials, say_left, say_money, say_time
from polyclinic.web.places import PlaceFlask
from polyclinic.web.styleguide import NOW
from polyclinic.web.tokens import COLOURS, DEFINITIONS
from support.cast import Cast
from support.client import Browser
from support.source import ROOT

THEMES = shipped("themes")
FRONTEND = ROOT / "platform" / "frontend"
STYLES = [*sorted((FRONTEND / "css").glob("*.css")), *sorted(THEMES.glob("*/static/**/*.css"))]
MACROS = sorted((THEMES / "base" / "templates" / "components").glob("*.html"))


def test_every_component_is_documented_with_its_signature() -> None:
    """docs/components.md is what authors of pages read."""
    documented = (ROOT / "docs" / "components.md").read_text()
    signatures = [
        found for path in MACROS for found in re.findall(r"{% macro ([a-z]\w*\([^%]*?\)) -?%}", path.read_text())
    ]
    assert len(signatures) > 40
    assert [signature for signature in signatures if f"`{signature}`" not in documented] == []


def test_every_component_comes_with_the_one_import() -> None:
    """`{% import "ui.html" as ui %}` brings them all."""
    offered = (THEMES / "base" / "templates" / "ui.html").read_text()
    names = [name for path in MACROS for name in re.findall(r"{% macro ([a-z]\w*)\(", path.read_text())]
    assert [name for name in names if not re.search(rf"_\w+\.{name}\b", offered)] == []


def test_every_component_stands_in_the_styleguide() -> None:
    """LOOKS: a living page of all of them; one that is missing there is one nobody looks at."""
    page = (PACKAGE / "web" / "templates" / "styleguide.html").read_text()
    names = [name for path in MACROS for name in re.findall(r"{% macro ([a-z]\w*)\(", path.read_text())]
    assert [name for name in names if f"ui.{name}(" not in page] == []


def test_the_styleguide_shows_states_that_come_only_with_a_pointer_or_the_keyboard() -> None:
    """Hover, focus and active stand still there; the styles know them by `data-state`."""
    page = (PACKAGE / "web" / "templates" / "styleguide.html").read_text()
    styles = "".join(path.read_text() for path in STYLES)
    for state in ("hover", "focus", "active"):
        assert f'"data-state": "{state}"' in page
        assert f"[data-state='{state}']" in styles


def test_every_token_is_documented() -> None:
    """L1: docs/themes.md has a line for each."""
    documented = (ROOT / "docs" / "themes.md").read_text()
    assert [name for name in (*DEFINITIONS, *COLOURS) if f"`{name}`" not in documented] == []


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_take_colours_from_tokens_and_sides_from_the_reading_direction(path: Path) -> None:
    """STYLE "CSS"; L2: no colour outside tokens, no left and right outside logical properties."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    colours = re.findall(r":[^;{]*(#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\()", text)
    assert colours == []
    sides = "(?:left|right|top|bottom)"
    physical = rf"(?<!area-)\b(?:margin|padding|border|inset)-{sides}\b|(?:^|[\s;{{]){sides}\s*:"
    assert re.findall(physical, text) == []
    assert re.findall(r"(?:text-align|float)\s*:\s*(?:left|right)", text) == []
    assert re.findall(r"(?:^|[\s;{])(?:width|height|(?:min|max)-(?:width|height))\s*:", text) == []


def test_every_icon_used_is_in_the_sprite() -> None:
    """A missing icon would be an empty square."""
    known = set(json.loads((FRONTEND / "icons.json").read_text()))
    used: set[str] = set()
    for path in (*THEMES.rglob("*.html"), *PACKAGE.rglob("templates/**/*.html")):
        text = path.read_text()
        used |= set(re.findall(r"icon(?:_name|_end)?=\"([a-z0-9-]+)\"", text))
        used |= set(re.findall(r"\bicon\(\"([a-z0-9-]+)\"", text))
    assert used - known == set()


@pytest.mark.parametrize("theme", sorted(path.parent.name for path in THEMES.glob("*/theme.toml")))
def test_the_styleguide_draws_every_component_in_every_theme(cast: Cast, browser: Browser, theme: str) -> None:
    """The living page of all components and states."""
    answer = browser.get("dev.localhost", f"/styleguide?theme={theme}")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    for word in ("error-summary", "slot-input", "specialist-card", "countdown", "dialog", "skeleton"):
        assert f'class="{word}' in page or f" {word}" in page
    assert 'aria-current="step"' in page
    assert browser.get("dev.localhost", "/styleguide?theme=nobody").status_code == 404
    assert browser.get(cast.alpha.host, "/styleguide").status_code == 404


def test_times_name_their_zone_and_the_readers_where_they_differ(app: PlaceFlask) -> None:
    """LOOKS "Time"; L2: "Tue 24 Nov, 14:00–14:50 (Berlin) · 13:00 for you"."""
    with app.app_context():
        end = NOW.replace(minute=50)
        assert str(say_time(NOW, end, "Europe/Berlin", "Europe/London", "en")) == (
            "Tue 24 Nov, 14:00–14:50 (Berlin) · 13:00 for you"
        )
        assert str(say_time(NOW, end, "Europe/Berlin", "Europe/Paris", "en")) == "Tue 24 Nov, 14:00–14:50 (Berlin)"
        assert say_time(NOW, None, "Europe/Berlin", "Pacific/Auckland", "en").yours == "Wed 25 Nov, 02:00 for you"
        assert say_time(NOW, end, "Europe/Berlin", None, "de").text == "Di., 24. Nov., 14:00–14:50"


def test_money_has_its_currency_and_no_needless_zeros(app: PlaceFlask) -> None:
    """LOOKS "Money"; E1."""
    with app.app_context():
        assert say_money(Money(8000, "EUR"), "en") == "€80"
        assert say_money(Money(8050, "EUR"), "en") == "€80.50"
        assert say_money(Money(8000, "EUR"), "en", exact=True) == "€80.00"
        assert say_money(Money(8000, "EUR"), "de") == "80\u00a0€"
        assert say_money(Money(12345, "JPY"), "en") == "¥12,345"


def test_small_words() -> None:
    """LOOKS "People", "Countdown"."""
    assert initials("Dr Amara Okonkwo") == "AO"
    assert initials("Prof. Dr. Yuki") == "Y"
    assert initials("Maximiliane von Hohenstein-Wartenburg") == "MW"
    assert initials("…") == "·"
    assert [say_left(seconds) for seconds in (0, -5, 59, 581, 7505)] == ["0:00", "0:00", "0:59", "9:41", "2:05:05"]


def test_what_people_typed_keeps_its_own_direction(cast: Cast, app: PlaceFlask) -> None:
    """L2: a telephone number reads "+49 30 …" on a right-to-left page too; rendered values stay as they are."""
    source = '{% import "ui.html" as ui %}{{ ui.definitions([("A", "+49 30 <1>"), ("B", "<b>x</b>"|safe)]) }}'
    with app.test_request_context("/", base_url=f"http://{cast.alpha.host}:8000"):
        shown = render_template_string(source)
    assert "<dd><bdi>+49 30 &lt;1&gt;</bdi></dd>" in shown
    assert "<dd><b>x</b></dd>" in shown
