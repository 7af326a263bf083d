"""The working roles of the database, one for each way of acting (I1)."""

from __future__ import annotations

from typing import Literal

Role = Literal["door", "visitor", "patient", "specialist", "lead", "operator", "network", "relay", "job"]
ROLES: tuple[Role, ...] = (
    "door",
    "visitor",
    "patient",
    "specialist",
    "lead",
    "operator",
    "network",
    "relay",
    "job",
)
