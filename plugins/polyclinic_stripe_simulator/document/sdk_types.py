"""What the installed Stripe SDK's types allow as parameters: newer than the published document, so they win.

Used when the document is extracted, never while the simulator runs.
"""

from __future__ import annotations

import ast
import importlib
import re
import types
import typing
from decimal import Decimal
from pathlib import Path
from typing import Any

import stripe
import typing_extensions

Schema = dict[str, Any]
OPTIONS = frozenset(stripe.RequestOptions.__annotations__)
NAMES = {**vars(typing), "StripeContext": stripe.StripeContext}  # what the SDK imports for type checkers only
SCALARS: dict[object, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    Decimal: {"type": "string", "format": "decimal"},
}


def parameter_types() -> dict[tuple[str, str], type]:
    """The parameter type of each call of the SDK, by method and path (its placeholders written as {})."""
    found: dict[tuple[str, str], type] = {}
    for file in sorted(Path(stripe.__file__).parent.rglob("_*_service.py")):
        tree = ast.parse(file.read_text())
        imports = {
            alias.name: node.module or ""
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            call, kind = _call(function), _annotation(function)
            if call and kind in imports:
                found[call] = getattr(importlib.import_module(imports[kind]), kind)
    return found


def anonymous(path: str) -> str:
    """A path whose placeholders have no names, to compare with another."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def schema_of(kind: Any) -> Schema:
    """The schema of a type of the SDK."""
    if kind in SCALARS:
        return SCALARS[kind]
    if typing_extensions.is_typeddict(kind):
        hints = typing_extensions.get_type_hints(kind, localns=NAMES)
        names = sorted(name for name in hints if name not in OPTIONS)
        required = sorted(set(kind.__required_keys__) & set(names))
        schema: Schema = {"type": "object", "properties": {name: schema_of(hints[name]) for name in names}}
        return {**schema, "required": required} if required else schema
    return _generic(kind)


def merged(document: Schema, sdk: Schema) -> Schema:
    """The parameters of the SDK with what only the document knows: lengths, formats, patterns."""
    if "properties" in document and "properties" in sdk:
        known = document["properties"]
        names = sdk["properties"]
        properties = {name: merged(known[name], inner) if name in known else inner for name, inner in names.items()}
        return {**sdk, "properties": properties}
    if "items" in document and "items" in sdk:
        return {**sdk, "items": merged(document["items"], sdk["items"])}
    if "anyOf" in sdk or "anyOf" in document or "additionalProperties" in sdk:
        return sdk
    kept = {} if "properties" in sdk else {key: document[key] for key in document if key not in ("enum", "anyOf")}
    return {**kept, **sdk}


def _call(function: ast.FunctionDef) -> tuple[str, str] | None:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_request":
            method, path = node.args[:2]
            if isinstance(path, ast.Call) and isinstance(path.func, ast.Attribute):
                path = path.func.value
            if isinstance(method, ast.Constant) and isinstance(path, ast.Constant):
                return str(method.value).upper(), anonymous(str(path.value))
    return None


def _annotation(function: ast.FunctionDef) -> str:
    for argument in function.args.args:
        if argument.arg == "params" and argument.annotation is not None:
            found = re.search(r"\w+Params", ast.unparse(argument.annotation))
            return found.group() if found else ""
    return ""


def _generic(kind: Any) -> Schema:
    origin, inner = typing_extensions.get_origin(kind), typing_extensions.get_args(kind)
    if origin in (typing.Literal, typing_extensions.Literal):
        return {"type": "string", "enum": list(inner)}
    if origin is list:
        return {"type": "array", "items": schema_of(inner[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(inner[1])}
    if origin in (typing.Union, types.UnionType):
        return _union([schema_of(choice) for choice in inner if choice is not type(None)])
    if kind is Any or getattr(origin, "__name__", "").startswith("Untyped"):
        return {"type": "object", "additionalProperties": schema_of(inner[-1]) if inner else {}}
    raise TypeError(f"{kind!r} is no type this knows how to write as a schema")


def _union(schemas: list[Schema]) -> Schema:
    """One of several; a list of words beside `str` only means that later versions may add words."""
    choices = [schema for number, schema in enumerate(schemas) if schema not in schemas[:number]]
    if any(choice.get("enum", [""]) != [""] for choice in choices):
        choices = [choice for choice in choices if choice != SCALARS[str]]
    return choices[0] if len(choices) == 1 else {"anyOf": choices}
