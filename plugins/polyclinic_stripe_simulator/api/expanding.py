"""`expand`: put objects in the place of their ids, as far as the document allows."""

from __future__ import annotations

from typing import Any

from polyclinic_stripe_simulator.api.calls import Call
from polyclinic_stripe_simulator.document.stripe_document import Schema
from polyclinic_stripe_simulator.errors import Refused
from polyclinic_stripe_simulator.objects.checkout import line_items
from polyclinic_stripe_simulator.objects.listing import whole
from polyclinic_stripe_simulator.store import Object

DEEPEST = 4


def expanded(call: Call, schema: Schema, answer: Object, wanted: list[str]) -> Object:
    """The answer with what was asked for; raises Refused where there is nothing to expand."""
    for path in wanted:
        parts = path.split(".")
        if len(parts) > DEEPEST:
            raise Refused(f"You cannot expand more than {DEEPEST} levels of a property ({path}).", param="expand")
        _expand(call, schema, answer, parts, path)
    return answer


def _expand(call: Call, schema: Schema, found: Any, parts: list[str], path: str) -> None:
    schema = _of(call, schema, found)
    name, *rest = parts
    inner = schema.get("properties", {}).get(name)
    if inner is None:
        raise Refused(f"This property cannot be expanded ({path}).", param="expand")
    if isinstance(found, list):
        for one in found:
            _expand(call, schema, one, parts, path)
        return
    if name == "data" and found.get("object") == "list":
        for one in found["data"]:
            if rest:
                _expand(call, inner["items"], one, rest, path)
        return
    value = found.get(name)
    if isinstance(value, str) and inner.get("expandable"):
        value = found[name] = call.store.get(value) or value
    elif value is None and (found.get("object"), name) in INCLUDED:
        value = found[name] = INCLUDED[found["object"], name](call, found)
    elif not inner.get("expandable") and not (rest and isinstance(value, dict)):
        raise Refused(f"This property cannot be expanded ({path}).", param="expand")
    if rest and isinstance(value, dict):
        _expand(call, inner, value, rest, path)


def _of(call: Call, schema: Schema, found: Any) -> Schema:
    """The choice of a schema that an object was made by."""
    schema = call.simulation.document.resolve(schema)
    for choice in schema.get("anyOf", ()):
        resolved = call.simulation.document.resolve(choice)
        kinds = resolved.get("properties", {}).get("object", {}).get("enum", ())
        if isinstance(found, dict) and found.get("object") in kinds:
            return resolved
    return schema


def _refunds(call: Call, charge: Object) -> Object:
    found = [one for one in call.store.all("refund") if one["charge"] == charge["id"]]
    return whole(found, f"/v1/charges/{charge['id']}/refunds")


INCLUDED = {("checkout.session", "line_items"): line_items, ("charge", "refunds"): _refunds}
"""What is no id in the object, but left out until it is asked for."""
