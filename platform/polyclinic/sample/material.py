"""The material the sample network is made of: `tenants/sample`, read and typed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from polyclinic.resources import shipped

PORTALS = ("physio", "mind", "nutrition")
PASSWORD = "rain on the window"  # noqa: S105 # printed by the demonstration; impossible in production
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PROFILE = ("title", "bio", "languages", "categories", "specializations", "expertise", "credentials")


@dataclass(frozen=True)
class SampleSpecialist:
    """One of the invented specialists."""

    key: str
    name: str
    email: str
    phone: str
    zone: str
    locale: str
    profile: dict[str, Any]
    busy: float
    """How full their weeks are, 0 to 1."""
    hours: tuple[tuple[int, int, int], ...]
    """Weekday (Monday is 0), begin and end in minutes of their wall clock."""

    @property
    def portrait(self) -> Path:
        """The picture's file."""
        return folder() / "portraits" / f"{self.key}.webp"


@dataclass(frozen=True)
class SampleOperator:
    """One of the invented operators; `portals` None means all."""

    name: str
    email: str
    role: str
    zone: str
    portals: tuple[str, ...] | None = None


OPERATORS = (
    SampleOperator("Margarethe Lund", "margarethe.lund@network.example", "owner", "Europe/Berlin"),
    SampleOperator("Idris Campbell", "idris.campbell@network.example", "support", "Europe/London", ("mind",)),
)


def folder() -> Path:
    """Where the material lies."""
    return shipped("tenants") / "sample"


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((folder() / name).read_text(encoding="utf-8"))


def vocabulary() -> dict[str, dict[str, dict[str, str]]]:
    """Return the words: kind -> slug -> text per language."""
    return {kind: words for kind, words in _read("vocabulary.toml").items() if kind != "team"}


def teams() -> list[dict[str, str]]:
    """Return the teams: slug and name."""
    return list(_read("vocabulary.toml")["team"])


def specialists() -> list[SampleSpecialist]:
    """Return the specialists in the order of the file."""
    return [
        SampleSpecialist(
            **{name: entry[name] for name in ("key", "name", "email", "phone", "zone", "locale", "busy")},
            profile={name: entry[name] for name in PROFILE},
            hours=tuple(_span(day, span) for day, spans in entry["hours"].items() for span in spans),
        )
        for entry in _read("specialists.toml")["specialist"]
    ]


def _span(day: str, span: str) -> tuple[int, int, int]:
    begin, _dash, end = span.partition("-")
    return WEEKDAYS.index(day), _minutes(begin), _minutes(end)


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def patient_names(slug: str) -> list[str]:
    """Return the names of a portal's patients."""
    return list(_read("patients.toml")[slug]["names"])


def reasons(slug: str) -> list[str]:
    """Return what a portal's patients write when they book; some write nothing."""
    return list(_read("patients.toml")[slug]["reasons"])
