"""What differs between two states of a portal: the file's, the database's, what was applied last (Y1).

A state is nested JSON objects; lists and scalars are leaves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

State = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """One leaf, or one whole item, that is in one state and not so in the other."""

    path: tuple[str, ...]
    kind: Literal["added", "changed", "removed"]
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        """Write it as a line of a plan, marked +, ~ or -."""
        name = ".".join(self.path)
        if self.kind == "added":
            return f"+ {name} = {shortened(self.after)}"
        if self.kind == "removed":
            return f"- {name} (was {shortened(self.before)})"
        return f"~ {name}: {shortened(self.before)} -> {shortened(self.after)}"


def shortened(value: Any) -> str:
    """Write a JSON value on one line of at most 72 characters."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 72 else text[:71] + "…"


def differences(before: Mapping[str, Any], after: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[Difference]:
    """Return what it takes to come from one state to the other, in the order of the keys."""
    return list(_differences(before, after, path))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Difference]:
    for key in [*before, *(key for key in after if key not in before)]:
        here = (*path, key)
        if key not in after:
            yield Difference(here, "removed", before[key])
        elif key not in before:
            yield Difference(here, "added", None, after[key])
        elif isinstance(before[key], Mapping) and isinstance(after[key], Mapping):
            yield from _differences(before[key], after[key], here)
        elif before[key] != after[key]:
            yield Difference(here, "changed", before[key], after[key])


def drift(applied: Mapping[str, Any] | None, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Difference]:
    """Return what was changed in the database since the last apply and is not what the file wants now.

    A portal that no file was ever applied to has no drift.
    """
    if applied is None:
        return []
    open_paths = {difference.path for difference in differences(found, wanted)}
    return [
        difference
        for difference in differences(applied, found)
        if any(_overlap(difference.path, path) for path in open_paths)
    ]


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def in_order_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> State:
    """Return `after` with what both have in the order of `before`: an order that means nothing is no difference."""
    return {key: after[key] for key in [*(key for key in before if key in after), *after]}
