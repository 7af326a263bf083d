"""Pure decisions about a specialist's patients."""

from __future__ import annotations

from typing import Literal

Status = Literal["new", "active", "ended"]
STATUSES: tuple[Status, ...] = ("new", "active", "ended")


def status_of(allocation_state: str, visits: int) -> Status:
    """Return where a patient stands with a specialist: new until the first completed visit (N1)."""
    if allocation_state == "ended":
        return "ended"
    return "active" if visits else "new"
