"""The extracted document: which operations there are, what they take and what they answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("stripe.json")
REFERENCE = "#/components/schemas/"

Schema = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked of Stripe."""

    name: str
    """Method and path as the document writes them: `POST /v1/refunds`."""
    parameters: Schema
    response: Schema
    pattern: re.Pattern[str]

    @property
    def version(self) -> int:
        """1 or 2: form-encoded or JSON."""
        return 2 if " /v2/" in self.name else 1


@dataclass(frozen=True)
class Document:
    """What this simulator allows."""

    api_version: str
    schemas: dict[str, Schema]
    operations: tuple[Operation, ...]

    def resolve(self, schema: Schema) -> Schema:
        """A schema, or the one it refers to."""
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].removeprefix(REFERENCE)]
        return schema

    def find(self, method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
        """The operation of a request, and the ids in its path; None when there is none."""
        for operation in self.operations:
            found = operation.pattern.fullmatch(f"{method} {path}")
            if found:
                return operation, found.groups()
        return None


@cache
def stripe_document() -> Document:
    """The document that this package ships; read once."""
    content = json.loads(FILE.read_text())
    operations = [
        Operation(name, found["parameters"], found["response"], _pattern(name))
        for name, found in content["operations"].items()
    ]
    return Document(content["versions"]["api"], content["schemas"], tuple(operations))


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[^}]*\\\}", "([^/]+)", re.escape(name)))
