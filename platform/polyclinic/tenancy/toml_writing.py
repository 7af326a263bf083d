"""Changing a TOML document where it differs and nowhere else, so that comments and layout stay (Y1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

import tomlkit
from tomlkit.items import AoT, InlineTable, Item, Table

Plain = Mapping[str, Any]


def item_of(value: Any) -> Item:
    """Make a TOML item of a plain value; mappings inside lists and texts per language become inline tables."""
    if isinstance(value, Mapping):
        pairs = (f"{tomlkit.key(key).as_string()} = {item_of(inner).as_string()}" for key, inner in value.items())
        return tomlkit.value(f"{{ {', '.join(pairs)} }}")
    if isinstance(value, list):
        array = tomlkit.array()
        for inner in value:
            array.append(item_of(inner))
        return array
    item: Item = tomlkit.item(value)
    return item


def table_of(value: Plain) -> Table:
    """Make a table whose own mappings are tables only where they hold further mappings or are called tokens."""
    table = tomlkit.table()
    for key, inner in value.items():
        table[key] = item_of(inner)
    return table


def update_table(table: MutableMapping[str, Any], before: Plain, after: Plain) -> None:
    """Bring a table from one plain value to another, key by key; what is equal in both stays as it is written."""
    for key in before:
        if key not in after and key in table:
            del table[key]
    for key, value in after.items():
        if before.get(key) == value and key in table:
            continue
        old = table.get(key)
        if isinstance(old, Table | InlineTable) and isinstance(value, Mapping) and isinstance(before.get(key), Mapping):
            update_table(old, before[key], value)
        else:
            _set(table, key, value)


def _set(table: MutableMapping[str, Any], key: str, value: Any) -> None:
    old = table.get(key)
    item = item_of(value)
    if isinstance(old, Item):
        item.trivia.comment, item.trivia.comment_ws = old.trivia.comment, old.trivia.comment_ws
    if old is not None or not isinstance(table, Table):
        table[key] = item
        return
    # What trails a table, blank lines and the next table's heading comment, stays behind a new key.
    body = table.value.body
    trailing: list[Any] = []
    while body and body[-1][0] is None:
        trailing.insert(0, body.pop())
    table[key] = item
    body.extend(trailing)


def update_list(
    toml: MutableMapping[str, Any],
    name: str,
    before: Sequence[Plain],
    after: Sequence[Plain],
    key_of: Callable[[Plain], str],
) -> None:
    """Bring an array of tables `[[name]]` from one list of plain items to another; items are known by `key_of`."""
    if list(before) == list(after):
        return
    old = toml.get(name)
    by_key = {key_of(item): item for item in old} if isinstance(old, AoT) else {}
    known = {key_of(item): item for item in before}
    if isinstance(old, AoT) and [key_of(item) for item in after] == [key_of(item) for item in old]:
        for item in after:
            update_table(by_key[key_of(item)], known[key_of(item)], item)
        return
    fresh = tomlkit.aot()
    for item in after:
        kept = by_key.get(key_of(item))
        if kept is None:
            fresh.append(table_of(item))
        else:
            update_table(kept, known[key_of(item)], item)
            fresh.append(kept)
    if name in toml:
        del toml[name]
    if after:
        toml[name] = fresh
