"""Nested parameters in forms and query strings: `line_items[0][price_data][unit_amount]=8000`."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

PART = re.compile(r"\[([^\[\]]*)\]")
DEEPEST = 20


class MalformedForm(ValueError):
    """A name that cannot be read, or two that contradict each other; the text names it."""


def decode(encoded: str) -> dict[str, Any]:
    """Nested dictionaries and lists of texts; raises MalformedForm."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        _put(root, _parts(name), value, name)
    return {key: _listed(inner) for key, inner in root.items()}


def _parts(name: str) -> list[str]:
    head = name.partition("[")[0]
    parts = [head, *PART.findall(name)]
    if not head or len(parts) > DEEPEST or name != head + "".join(f"[{part}]" for part in parts[1:]):
        raise MalformedForm(name)
    return parts


def _put(root: dict[str, Any], parts: list[str], value: str, name: str) -> None:
    here = root
    for number, part in enumerate(parts):
        key = str(len(here)) if part == "" else part
        if number == len(parts) - 1:
            if isinstance(here.get(key), dict):
                raise MalformedForm(name)
            here[key] = value
        else:
            here = here.setdefault(key, {})
            if not isinstance(here, dict):
                raise MalformedForm(name)


def _listed(node: Any) -> Any:
    """Dictionaries whose keys count from 0 are lists."""
    if not isinstance(node, dict):
        return node
    inner = {key: _listed(value) for key, value in node.items()}
    numbers = sorted(int(key) for key in inner if key.isdecimal())
    if inner and len(numbers) == len(inner) and numbers == list(range(len(numbers))):
        return [inner[str(number)] for number in numbers]
    return inner
