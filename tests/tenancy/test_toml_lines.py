"""The lines of a TOML text, against the standard library's reading of it (Y1)."""

import tomllib
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.resources import shipped
from polyclinic.tenancy.toml_lines import lines_of

TEXT = '''
# comment = "not a key"
title = "a [table] = { in a string }" # and a "comment"
1234 = 0
"quoted.key"."in" = 'lit'

[brand.tokens]  # colours
accent = "#fff"
long = """
not = "a key"
[nor a table]"""
literal = \'\'\'
x = 1\'\'\'
after = [1, 2,
  3, # three
  { slug = "a", buffers = [
      5] },
]

[[services]]
slug = "one"
name = { de = "Eins", en = "One" }
[[services.prices]]
at = 2020-01-01T00:00:00Z
[[services.prices]]
at = 07:32:00

[[services]]
slug = "two"
nested.deep.key = true
[services.extra]
x = 1
'''


def test_every_value_has_the_line_where_it_stands() -> None:
    """Y1: file and line."""
    lines = lines_of(TEXT)
    wanted = {
        ("title",): 3,
        ("quoted.key", "in"): 5,
        ("brand",): 7,
        ("brand", "tokens", "accent"): 8,
        ("brand", "tokens", "literal"): 12,
        ("brand", "tokens", "after", 2): 15,
        ("brand", "tokens", "after", 3, "buffers", 0): 17,
        ("services", 0): 20,
        ("services", 0, "name", "en"): 22,
        ("services", 0, "prices", 1, "at"): 26,
        ("services", 1, "slug"): 29,
        ("services", 1, "nested", "deep", "key"): 30,
        ("services", 1, "extra", "x"): 32,
    }
    assert {path: lines.get(path) for path in wanted} == wanted


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Every path in what tomllib read."""
    pairs: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    return {path} | {found for key, inner in pairs for found in paths_of(inner, (*path, key))}


def test_the_paths_are_those_that_tomllib_reads() -> None:
    assert set(lines_of(TEXT)) == paths_of(tomllib.loads(TEXT)) - {()}


LEAVES = st.booleans() | st.integers(-9999, 9999) | st.text(max_size=12) | st.floats(-9, 9)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


@given(tables=st.dictionaries(st.text(), VALUES, max_size=5))
def test_any_document_that_tomlkit_writes_has_a_line_for_each_path(tables: dict[str, Any]) -> None:
    """Y1: the scanner reads whatever TOML there is."""
    text = tomlkit.dumps(tables)
    lines = lines_of(text)
    assert set(lines) == paths_of(tomllib.loads(text)) - {()}
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@pytest.mark.parametrize("slug", ["physio", "mind", "nutrition"])
def test_the_sample_portals_are_read_completely(slug: str) -> None:
    """Y1."""

    text = (shipped("tenants") / slug / "portal.toml").read_text(encoding="utf-8")
    assert set(lines_of(text)) == paths_of(tomllib.loads(text)) - {()}
