"""Check parameters and answers against their schemas. Both are closed at every depth: what is not named is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from polyclinic_stripe_simulator.document.stripe_document import Document, Operation, Schema
from polyclinic_stripe_simulator.errors import Refused, required

SCALARS: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "boolean": (bool,), "number": (int, float)}
REMOVED_TYPES = "payment_method_types"


class Mismatch(Exception):
    """An answer of ours that Stripe's document does not allow: a mistake in the simulator."""


def checked_parameters(document: Document, operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters with their types; raises Refused with Stripe's words."""
    if REMOVED_TYPES in given and REMOVED_TYPES not in operation.parameters["properties"]:
        raise Refused(
            f"The parameter `{REMOVED_TYPES}` is no longer supported in API version {document.api_version}. Use "
            "`allowed_payment_method_types`, `excluded_payment_method_types` or dynamic payment methods instead.",
            param=REMOVED_TYPES,
            code=f"{REMOVED_TYPES}_no_longer_supported",
        )
    unknown = list(_unknown(operation.parameters, given, ""))
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        raise Refused(
            f"Received unknown parameter{plural}: {', '.join(unknown)}", param=unknown[0], code="parameter_unknown"
        )
    return dict(_coerced(operation.parameters, given, "", strict=operation.name.startswith("POST /v2/")))


def _unknown(schema: Schema, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list) and "items" in schema:
        for number, inner in enumerate(value):
            yield from _unknown(schema["items"], inner, f"{path}[{number}]")
    elif isinstance(value, dict) and "anyOf" in schema:
        choices = [list(_unknown(choice, value, path)) for choice in schema["anyOf"] if _shaped(choice, value)]
        yield from min(choices, key=len, default=[])
    elif isinstance(value, dict) and "properties" in schema:
        for name, inner in value.items():
            below = f"{path}[{name}]" if path else name
            if name not in schema["properties"]:
                yield below
            else:
                yield from _unknown(schema["properties"][name], inner, below)


def _shaped(schema: Schema, value: Any) -> bool:
    kind = schema.get("type")
    return (kind == "object") == isinstance(value, dict) and (kind == "array") == isinstance(value, list)


def _coerced(schema: Schema, value: Any, path: str, *, strict: bool) -> Any:
    if "anyOf" in schema:
        return _first(schema["anyOf"], value, path, strict=strict)
    kind = schema.get("type", "object")
    if kind == "object":
        return _object(schema, value, path, strict=strict)
    if kind == "array":
        if isinstance(value, dict):
            raise Refused(f"Invalid array {path}: its places must count from 0", param=path)
        if not isinstance(value, list):
            raise Refused("Invalid array", param=path)
        return [_coerced(schema["items"], inner, f"{path}[{n}]", strict=strict) for n, inner in enumerate(value)]
    return _scalar(schema, value, path, strict=strict)


def _first(choices: list[Schema], value: Any, path: str, *, strict: bool) -> Any:
    refusals = []
    for choice in sorted(choices, key=lambda choice: not _shaped(choice, value)):
        try:
            return _coerced(choice, value, path, strict=strict)
        except Refused as refusal:
            refusals.append(refusal)
    raise refusals[0]


def _object(schema: Schema, value: Any, path: str, *, strict: bool) -> Any:
    if not isinstance(value, dict):
        raise Refused("Invalid object", param=path or None)
    names = schema.get("properties")
    if names is None:
        inner = schema.get("additionalProperties")
        inner = inner if isinstance(inner, dict) and inner else {"type": "string"}
        return {name: _coerced(inner, found, f"{path}[{name}]", strict=strict) for name, found in value.items()}
    for name in schema.get("required", ()):
        if value.get(name) in (None, ""):
            raise required(f"{path}[{name}]" if path else name)
    return {
        name: _coerced(names[name], found, f"{path}[{name}]" if path else name, strict=strict)
        for name, found in value.items()
        if found is not None or strict
    }


def _scalar(schema: Schema, value: Any, path: str, *, strict: bool) -> Any:
    kind = schema["type"]
    if strict:
        if value is not None and not _is(kind, value):
            raise Refused(f"Invalid {path}: expected a {kind}", param=path, code="invalid_type")
    elif not isinstance(value, str):
        raise Refused(f"Invalid {kind}: {path} holds more than one value", param=path)
    elif kind != "string":
        value = _parsed(kind, value, path)
    if isinstance(value, str):
        _check_text(schema, value, path)
    return value


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, SCALARS[kind]) and (kind == "boolean") == isinstance(value, bool)


def _parsed(kind: str, value: str, path: str) -> Any:
    if kind == "boolean":
        if value in ("true", "false"):
            return value == "true"
        raise Refused(f"Invalid boolean: {value}", param=path)
    if kind == "integer" and not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise Refused(f"Invalid integer: {value}", param=path, code="parameter_invalid_integer")
    try:
        return int(value) if kind == "integer" else float(value)
    except ValueError:
        raise Refused(f"Invalid number: {value}", param=path) from None


def _check_text(schema: Schema, value: str, path: str) -> None:
    allowed = schema.get("enum")
    if allowed and value not in allowed:
        words = ", ".join(word or "an empty string" for word in allowed)
        raise Refused(f"Invalid {path}: must be one of {words}", param=path)
    longest = schema.get("maxLength")
    if longest and len(value) > longest:
        raise Refused(f"Invalid string: {value[:20]}…; must be at most {longest} characters", param=path)


def check_answer(document: Document, schema: Schema, value: Any, *, nulls: bool = False) -> None:
    """Raise Mismatch where an answer is not what the document says; with `nulls` (v2) anything optional may be null."""
    for problem in _problems(document, schema, value, "answer", nulls):
        raise Mismatch(problem)


def _problems(document: Document, schema: Schema, value: Any, path: str, nulls: bool) -> Iterator[str]:
    if value is None:
        if not schema.get("nullable") and not nulls:
            yield f"{path} is null"
        return
    schema = document.resolve(schema)
    if "anyOf" in schema:
        found = [list(_problems(document, choice, value, path, nulls)) for choice in schema["anyOf"]]
        if all(found):
            yield min(found, key=lambda problems: (problems[0].count("."), len(problems[0])))[0]
    elif schema.get("type") == "array" or isinstance(value, list):
        if not isinstance(value, list) or "items" not in schema:
            yield f"{path} is {value!r}, not as the document says"
            return
        for number, inner in enumerate(value):
            yield from _problems(document, schema["items"], inner, f"{path}.{number}", nulls)
    elif schema.get("type", "object") == "object":
        yield from _object_problems(document, schema, value, path, nulls)
    elif not _is(schema["type"], value):
        yield f"{path} is {value!r}, no {schema['type']}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{path} is {value!r}, none of {schema['enum']}"


def _object_problems(document: Document, schema: Schema, value: Any, path: str, nulls: bool) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is {value!r}, no object"
        return
    names = schema.get("properties")
    if not names:
        return
    for name in schema.get("required", ()):
        if name not in value or (value[name] is None and not names[name].get("nullable")):
            yield f"{path}.{name} is missing"
    for name, inner in value.items():
        if name not in names:
            yield f"{path}.{name} is unknown"
        else:
            yield from _problems(document, names[name], inner, f"{path}.{name}", nulls)
