"""The same pages on the cast's stage: addresses with the ids that the matrix of routes knows as somebody's own (I2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from support.looks.pages import pages
from support.routes import NAMES, Stage, rows


@dataclass(frozen=True)
class Address:
    """A page of a place with ids of the stage in it."""

    endpoint: str
    path: str


def addresses(stage: Stage, place: str) -> Iterator[Address]:
    """Every page of a place; a new one is there as soon as the matrix of routes knows its ids."""
    app = stage.desk.app
    known = {(row.place, row.endpoint): row for row in rows(app) if row.method == "GET"}
    for page in pages(app):
        if page.place != place:
            continue
        row = known.get((page.place, page.endpoint))
        if row is None:
            yield Address(page.endpoint, _named(page.path))
            continue
        ids = {
            name: str(stage.ids[parameter.own])
            for name, parameter in zip(row.names, row.parameters, strict=True)
            if parameter is not None
        }
        yield Address(page.endpoint, row.address(ids))


def _named(path: str) -> str:
    """A path with the names that it asks for, which are no ids."""
    for part, named in NAMES.items():
        path = path.replace(part, named)
    return path
