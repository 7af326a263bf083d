"""Ids that requests of the API carry in bodies and queries: found in the OpenAPI documents, known here by name."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask

from support.bookings import HOUR, TEN
from support.routes import Parameter, Stage

_RULE = {"weekday": 6, "starts": "10:00", "ends": "12:00"}
_EXTRA = {"kind": "extra", "date": "2027-03-06", "starts": "10:00", "ends": "12:00"}
_HOLD = {"specialist_id": "listing of lea", "service_id": "service", "starts_at": (TEN + 5 * HOUR).isoformat()}
_DAYS = {"from": "2027-03-01", "to": "2027-03-08"}
_PORTAL = Parameter("alpha", (("another portal", "beta"),))
_SERVICE = Parameter("service", (("another portal's", "service of beta"),))
_VERSION = Parameter("version", (("another portal's", "version of beta"),))


@dataclass(frozen=True)
class Field:
    """What an id names, and what the request is otherwise made of (names of the stage, or plain values)."""

    parameter: Parameter
    rest: dict[str, Any]


#: place, method, path, field -> what it is; a field of the documents that is missing here fails.
FIELDS: dict[tuple[str, str, str, str], Field] = {
    ("portal", "GET", "/api/v1/specialists/{listing_id}/slots", "service"): Field(_SERVICE, _DAYS),
    ("portal", "POST", "/api/v1/consents", "versions[]"): Field(_VERSION, {"answer": "given"}),
    ("portal", "POST", "/api/v1/consents", "agreement_id"): Field(
        Parameter("agreement", (("another portal's", "agreement of beta"),)), {"answer": "withdrawn"}
    ),
    ("portal", "POST", "/api/v1/holds", "specialist_id"): Field(
        Parameter("listing of lea", (("another portal's", "listing of ben on beta"), ("the specialist's own", "lea"))),
        _HOLD,
    ),
    ("portal", "POST", "/api/v1/holds", "service_id"): Field(_SERVICE, _HOLD),
    ("portal", "POST", "/api/v1/appointments", "hold_id"): Field(
        Parameter(
            "hold of pat",
            (
                ("another portal's", "hold on beta"),
                ("another patient's", "hold of the other patient"),
                ("a guest's", "hold of a guest"),
            ),
        ),
        {"consents": ["version"]},
    ),
    ("portal", "POST", "/api/v1/appointments", "consents[]"): Field(_VERSION, {"hold_id": "hold of pat"}),
    ("specialists", "GET", "/api/v1/slots", "portal"): Field(_PORTAL, {"service": "service", **_DAYS}),
    ("specialists", "GET", "/api/v1/slots", "service"): Field(_SERVICE, {"portal": "alpha", **_DAYS}),
    ("specialists", "GET", "/api/v1/patients", "portal"): Field(_PORTAL, {}),
    ("specialists", "PUT", "/api/v1/listings/{listing_id}/services", "items[].service"): Field(
        _SERVICE, {"items": [{}]}
    ),
}
_PATIENT = Parameter("pat", (("another portal's", "patient of beta"),))
for _place, _name in (("specialists", "transactions"), ("admin", "charges"), ("admin", "refunds")):
    FIELDS[_place, "GET", f"/api/v1/{_name}", "portal"] = Field(_PORTAL, {})
    FIELDS[_place, "GET", f"/api/v1/{_name}", "patient"] = Field(_PATIENT, {})
for _path, _rest in (("availability-rules", _RULE), ("exceptions", _EXTRA)):
    for _method, _end in (("POST", ""), ("PUT", "/{entry_id}")):
        FIELDS["specialists", _method, f"/api/v1/{_path}{_end}", "portals[]"] = Field(_PORTAL, _rest)
        FIELDS["specialists", _method, f"/api/v1/{_path}{_end}", "services[]"] = Field(_SERVICE, _rest)

#: Ids in the paths of these requests, so that only the field is foreign.
PATH_IDS = {
    "/api/v1/specialists/{listing_id}/slots": "listing of lea",
    "/api/v1/listings/{listing_id}/services": "listing of ada",
    "/api/v1/availability-rules/{entry_id}": "rule of ada",
    "/api/v1/exceptions/{entry_id}": "exception of ada",
}


def documented(app: Flask) -> Iterator[tuple[str, str, str, str]]:
    """Every field of a request that is an id, as the documents of all places have them."""
    for place, api in app.extensions["polyclinic.apis"].items():
        document = api.spec.to_dict()
        schemas = document.get("components", {}).get("schemas", {})
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if isinstance(operation, dict):
                    for name in _ids_of(operation, schemas):
                        yield place, method.upper(), path, name


def _ids_of(operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    for one in operation.get("parameters", []):
        if one.get("in") == "query" and one.get("schema", {}).get("format") == "uuid":
            yield one["name"]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield from _ids_in(content["schema"], schemas)


def _ids_in(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    for name, value in schema.get("properties", {}).items():
        items = value.get("items", {})
        if value.get("format") == "uuid" and not value.get("readOnly"):
            yield name
        elif items.get("format") == "uuid":
            yield f"{name}[]"
        else:
            yield from (f"{name}[].{inner}" for inner in _ids_in(items, schemas))
            yield from (f"{name}.{inner}" for inner in _ids_in(value, schemas))


def request_with(stage: Stage, key: tuple[str, str, str, str], value: Any) -> tuple[str, dict[str, Any]]:
    """Return path and fields of a request whose one field names ``value``."""
    _, _, path, field = key
    if path in PATH_IDS:
        path = path.partition("{")[0] + str(stage.ids[PATH_IDS[path]]) + path.partition("}")[2]
    rest = _named(stage, copy.deepcopy(FIELDS[key].rest))
    name, bracket, inner = field.partition("[]")
    if inner:
        rest[name][0][inner.removeprefix(".")] = str(value)
    else:
        rest[name] = [str(value)] if bracket else str(value)
    return path, rest


def _named(stage: Stage, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _named(stage, one) for name, one in value.items()}
    if isinstance(value, list):
        return [_named(stage, one) for one in value]
    return str(stage.ids.get(value, value)) if isinstance(value, str) else value
