"""The smallest object that a schema allows: what handlers fill in."""

from __future__ import annotations

from typing import Any

from polyclinic_stripe_simulator.document.stripe_document import Schema, stripe_document

EMPTY: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}


def build(kind: str, **fields: Any) -> dict[str, Any]:
    """An object of a schema: what must be there, null where that is allowed, and `fields`."""
    return {**_smallest(stripe_document().schemas[kind]), **fields}


def _smallest(schema: Schema) -> dict[str, Any]:
    required = schema.get("required", ())
    found: dict[str, Any] = {}
    for name, inner in schema.get("properties", {}).items():
        if inner.get("nullable"):
            found[name] = None
        elif name in required:
            found[name] = _least(inner)
    return found


def _least(schema: Schema) -> Any:
    schema = stripe_document().resolve(schema)
    if "anyOf" in schema:
        return _least(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type", "object") == "object":
        return _smallest(schema)
    found = EMPTY[schema["type"]]
    return list(found) if isinstance(found, list) else found
