"""Design tokens: what is refused, what is derived, how contrast is repaired."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyclinic.kernel.errors import Invalid
from polyclinic.resources import shipped
from polyclinic.web.tokens import (
    COLOURS,
    DEFINITIONS,
    PAIRS,
    SCHEMES,
    TokenSet,
    find_problems,
    parse_layer,
    repair_contrast,
    resolve,
    stylesheet,
)
from polyclinic.web.tokens.colour import HUE_STEPS, Colour, contrast, from_oklch, hue_step, to_oklch
from polyclinic.web.tokens.repair import FILLS

BASE = parse_layer(tomllib.loads((shipped("themes") / "base" / "theme.toml").read_text())["tokens"], "base")
PLAIN = stylesheet(resolve([BASE]))
colours = st.builds(Colour, *[st.integers(0, 255)] * 3)
palettes = st.fixed_dictionaries(dict.fromkeys(COLOURS, colours))


def token_set(light: dict[str, Colour], dark: dict[str, Colour]) -> TokenSet:
    return TokenSet(BASE.shared, light, dark)


def failing(tokens: TokenSet) -> list[str]:
    return [
        f"{scheme} {pair.foreground} on {background}"
        for scheme in SCHEMES
        for pair in (*PAIRS, *FILLS)
        for background in pair.backgrounds
        if contrast(tokens.scheme(scheme)[pair.foreground], tokens.scheme(scheme)[background]) < pair.least
    ]


@settings(deadline=None)
@given(light=palettes, dark=palettes)
def test_after_repair_every_pair_is_readable_whatever_the_colours(
    light: dict[str, Colour], dark: dict[str, Colour]
) -> None:
    """L1: contrast below WCAG AA is repaired; L3."""
    repaired, repairs = repair_contrast(token_set(light, dark))
    assert failing(repaired) == []
    changed = {
        (scheme, name)
        for scheme in SCHEMES
        for name in COLOURS
        if repaired.scheme(scheme)[name] != token_set(light, dark).scheme(scheme)[name]
    }
    assert changed == {(repair.scheme, repair.token) for repair in repairs if repair.before != repair.after}


@settings(deadline=None)
@given(light=palettes)
def test_colours_that_are_readable_already_are_not_touched(light: dict[str, Colour]) -> None:
    """L1: only what is too weak is changed, and the surface never."""
    once, _ = repair_contrast(token_set(light, light))
    twice, repairs = repair_contrast(once)
    assert repairs == ()
    assert twice == once
    assert once.light["surface"] == light["surface"]


@pytest.mark.parametrize("slug", ["base", "specialists", "console"])
def test_shipped_themes_need_no_repair(slug: str) -> None:
    """L1: our own themes are designed, not repaired."""
    chain = []
    while slug:
        table: dict[str, Any] = tomllib.loads((shipped("themes") / slug / "theme.toml").read_text())
        chain.insert(0, parse_layer(table["tokens"], slug))
        slug = table.get("extends", "")
    _, repairs = repair_contrast(resolve(chain))
    assert [str(repair) for repair in repairs] == []


def test_a_repair_is_the_smallest_step_and_says_what_it_did() -> None:
    """L1: repaired and reported."""
    weak = parse_layer({"light": {"text_muted": "#b8b8b8"}}, "portal.toml")
    repaired, repairs = repair_contrast(resolve([BASE, weak]))
    (repair,) = repairs
    assert (repair.scheme, repair.token, repair.before) == ("light", "text_muted", "#b8b8b8")
    assert repair.ratio_before < 4.5 <= repair.ratio_after < 4.7
    assert repaired.light["text_muted"].hex == repair.after


@pytest.mark.parametrize(
    ("raw", "token", "expected"),
    [
        ({"light": {"accent": "url(https://example.org/a)"}}, "light.accent", "a colour such as #1f6f5c"),
        ({"light": {"accent": "#12345"}}, "light.accent", "a colour such as #1f6f5c"),
        ({"dark": {"surface": "red; } body { display: none"}}, "dark.surface", "a colour such as #1f6f5c"),
        ({"radius": "12px; } </style><script>"}, "radius", "a length from 0px to 40px"),
        ({"radius": "2em"}, "radius", "a length from 0px to 40px"),
        ({"radius": "900px"}, "radius", "a length from 0px to 40px"),
        ({"font_text": "'x', url(//evil)"}, "font_text", "one of archivo, atkinson, bricolage"),
        ({"type_ratio": "nan"}, "type_ratio", "a number from 1.08 to 1.4"),
        ({"type_ratio": True}, "type_ratio", "a number from 1.08 to 1.4"),
        ({"density": "@import"}, "density", "one of compact, regular, generous"),
        ({"colour": "#fff"}, "colour", "one of the tokens"),
        ({"light": "white"}, "light", "a table of colours"),
        ("white", "tokens", "a table of tokens"),
    ],
)
def test_a_wrong_token_is_named_with_what_was_expected(raw: object, token: str, expected: str) -> None:
    """L1: values are validated; nothing that could carry CSS is taken."""
    (problem,) = find_problems(raw)
    assert problem.token == token
    assert str(problem.expected).startswith(expected)
    with pytest.raises(Invalid) as refused:
        parse_layer(raw, "portal.toml")
    assert list(refused.value.fields) == [token]


@settings(deadline=None)
@given(value=st.text() | st.integers() | st.floats() | st.none() | st.booleans())
def test_no_value_of_any_token_can_leave_its_declaration(value: object) -> None:
    """L1: whatever is given, the stylesheet contains only what the kinds let through."""
    for raw in [{name: value} for name in DEFINITIONS if name != "schemes"] + [{"light": {"accent": value}}]:
        if find_problems(raw):
            continue
        css = stylesheet(resolve([BASE, parse_layer(raw, "test")]))
        assert [mark for mark in css if mark in "{}<"] == [mark for mark in PLAIN if mark in "{}<"]
        assert not any(word in css.lower() for word in ("url(", "@import", "</", "javascript", "expression("))


def test_a_brand_needs_one_colour() -> None:
    """L1: from an accent follow the roles around it, in both schemes; a child theme's own roles win."""
    tokens, _ = repair_contrast(resolve([BASE, parse_layer({"accent": "#8a2be2"}, "portal.toml")]))
    assert tokens.light["accent"].hex == "#8a2be2"
    assert tokens.light["accent_soft"] != BASE.light["accent_soft"]
    assert abs(to_oklch(tokens.dark["accent"])[2] - to_oklch(tokens.light["accent"])[2]) < 8
    assert failing(tokens) == []
    own = parse_layer({"light": {"accent": "#8a2be2", "accent_soft": "#ffffff"}}, "portal.toml")
    assert resolve([BASE, own]).light["accent_soft"].hex == "#ffffff"


def test_a_theme_that_sets_too_little_says_which_tokens_are_missing() -> None:
    """L1: the first theme of a chain sets every token."""
    with pytest.raises(Invalid) as refused:
        resolve([parse_layer({"radius": "4px"}, "lonely")])
    assert "font_text" in str(refused.value.message)
    assert "light.surface" in str(refused.value.message)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_badge_hue_is_readable(scheme: str) -> None:
    """L3: the lightness of ink and back is the same for all portals' hues (css/hues.css)."""
    css = stylesheet(resolve([BASE]))
    block = css.splitlines()[2 if scheme == "light" else 4]
    ink, soft = (float(block.split(f"--hue-{name}: ")[1].split(";")[0]) for name in ("ink", "soft"))
    for step in range(HUE_STEPS):
        hue = step * 360 / HUE_STEPS
        assert contrast(from_oklch(ink, 0.1, hue), from_oklch(soft, 0.042, hue)) >= 4.5
        assert hue_step(from_oklch(0.6, 0.12, hue)) == step


def test_colours_survive_the_way_through_oklch() -> None:
    """L1: repairing lightness keeps the hue."""
    for text in ("#1d5b4f", "#e0a030", "#000000", "#ffffff", "#ff00ff", "#0000ff"):
        assert from_oklch(*to_oklch(Colour.parse(text))).hex == text
