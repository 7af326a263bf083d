"""What the navigation of a place shows: features add their entries, layouts print them.

A feature calls `add_entry(app, "portal", "portal_directory.browse", _l("Find a specialist"), icon="search")` in its
`init_app`; the layout of that place lists the entries by `order`, for those who may see them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flask import Flask, current_app, request, url_for

Needs = Literal["anyone", "visitor", "signed_in"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of a place's navigation."""

    place: str
    endpoint: str
    label: Any
    icon: str
    order: int = 50
    needs: Needs = "anyone"
    shortcut: str = ""
    """Keys pressed one after the other, such as "g c"; Specialist Portal only."""
    live: str = ""
    """Name of the live count beside the label."""
    group: str = "main"
    """main, account or footer."""
    method: str = "GET"
    """POST for what changes something, such as signing out."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What the endpoint's address is made with."""

    @property
    def url(self) -> str:
        """Its address on this place."""
        return url_for(self.endpoint, **dict(self.values))  # type: ignore[arg-type]  # names of the rule, none of url_for's

    @property
    def current(self) -> bool:
        """Whether the page belongs to it: same view, or another of the same blueprint."""
        here = request.endpoint or ""
        if self.values:
            return request.path == self.url
        return here == self.endpoint or (request.path != "/" and self.url != "/" and request.path.startswith(self.url))


def add_entry(app: Flask, place: str, endpoint: str, label: Any, icon: str, **more: Any) -> None:
    """Add one entry; see Entry for what else it may say."""
    entries: list[Entry] = app.extensions.setdefault("polyclinic.navigation", [])
    entries.append(Entry(place, endpoint, label, icon, **more))


def add_entries(app: Flask, provide: Callable[[str], Iterable[Entry]]) -> None:
    """Have ``provide(place)`` add entries that only the request knows: a portal's own pages."""
    app.extensions.setdefault("polyclinic.navigation.more", []).append(provide)


def entries_of(place: str, *, signed_in: bool, group: str = "main") -> list[Entry]:
    """The entries of `place` that this person may see, in order."""
    entries: list[Entry] = [*current_app.extensions.get("polyclinic.navigation", [])]
    for provide in current_app.extensions.get("polyclinic.navigation.more", []):
        entries += provide(place)
    hidden = "visitor" if signed_in else "signed_in"
    chosen = [entry for entry in entries if entry.place == place and entry.group == group and entry.needs != hidden]
    return sorted(chosen, key=lambda entry: entry.order)
