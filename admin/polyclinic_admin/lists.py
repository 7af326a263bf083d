"""Read-only lists on Flask-Admin: search, facets, sorting and paging are its; what a cell looks like is ours (O1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import request
from flask_admin.contrib.sqla import ModelView
from sqlalchemy import ColumnElement

from polyclinic.web.db import db
from polyclinic_admin.access import OperatorsOnly


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: words, perhaps a link, a badge with a tone, or a time (UTC)."""

    text: str = ""
    href: str = ""
    tone: str = ""
    at: dt.datetime | None = None
    hue: int | None = None


@dataclass(frozen=True, slots=True)
class Facet:
    """A choice that narrows the list: its name in the address, its label, and the values with their words."""

    name: str
    label: Any
    choices: Callable[[], Sequence[tuple[str, Any]]]
    where: Callable[[str], ColumnElement[bool]]
    """The condition for a value that is one of the choices."""


class ReadOnlyList(OperatorsOnly, ModelView):  # type: ignore[misc]  # Flask-Admin carries no types
    """A list that nobody can write through: every write of the console is a form that calls a service."""

    can_create = can_edit = can_delete = can_export = False
    can_view_details = False
    column_display_actions = False
    can_set_page_size = False
    page_size = 50
    list_template = "console/list.html"
    facets: ClassVar[tuple[Facet, ...]] = ()
    lead: ClassVar[Any] = ""
    empty_title: ClassVar[Any] = ""
    empty_text: ClassVar[Any] = ""

    def __init__(self, model: Any, **options: Any) -> None:
        """Show ``model``; ``options`` are Flask-Admin's name, endpoint and url."""
        super().__init__(model, db, **options)

    def get_query(self) -> Any:
        """Narrow by the facets of the address; the database narrows by the operator's scope."""
        return super().get_query().filter(*self._conditions())

    def get_count_query(self) -> Any:
        """Count what ``get_query`` lists."""
        return super().get_count_query().filter(*self._conditions())

    def _get_list_extra_args(self) -> Any:
        """Read the address; a page before the first is the first."""
        asked = super()._get_list_extra_args()
        asked.page = max(asked.page or 0, 0)
        return asked

    def chosen(self) -> Mapping[str, str]:
        """Return the facets' values in the address, known ones only."""
        found: dict[str, str] = {}
        for facet in self.facets:
            value = request.args.get(facet.name, "")
            if value and value in {known for known, _label in facet.choices()}:
                found[facet.name] = value
        return found

    def _conditions(self) -> list[ColumnElement[bool]]:
        chosen = self.chosen()
        return [facet.where(chosen[facet.name]) for facet in self.facets if facet.name in chosen]
