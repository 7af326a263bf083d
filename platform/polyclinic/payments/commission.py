"""Pure arithmetic of commission and share: what the platform keeps, and what of it goes back with a refund (E3–E5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Earns = Literal["commission", "share", "nothing"]
WHOLE_BPS = 10_000
"""A hundred percent in hundredths of a percent."""


@dataclass(frozen=True, slots=True)
class CommissionTerms:
    """How the platform is paid for a visit: frozen on the charge."""

    earns: Earns
    bps: int
    """What the platform takes, in hundredths of a percent of the amount."""
    minimum: int = 0
    maximum: int | None = None
    """In minor units of the charge's currency."""


def commission_of(amount: int, terms: CommissionTerms) -> int:
    """Return what the platform keeps of ``amount`` minor units, never above it.

    A commission is rounded half up to whole minor units and held between its limits (E3). With a share it is the
    share that is rounded half up, and the platform keeps the rest (E4).
    """
    if terms.earns == "nothing":
        return 0
    if terms.earns == "share":
        return amount - part_of(amount, WHOLE_BPS - terms.bps)
    kept = max(part_of(amount, terms.bps), terms.minimum)
    if terms.maximum is not None:
        kept = min(kept, terms.maximum)
    return min(kept, amount)


def part_of(amount: int, bps: int) -> int:
    """Return ``bps`` hundredths of a percent of an amount, rounded half up."""
    return (amount * bps + WHOLE_BPS // 2) // WHOLE_BPS


def commission_returned(commission: int, amount: int, refunded: int, returned: int, more: int, unit: int = 1) -> int:
    """Return how much commission goes back with a refund of ``more``, after ``refunded`` and ``returned`` did.

    Cumulative floors: whatever the steps, a charge refunded in whole has given back its commission in whole; each part
    rounded by itself would drift. Held within the step, because a refund that failed may have taken a cent along.
    ``unit`` is the multiple that every amount must be.
    """
    part = commission * (refunded + more) // amount // unit * unit - returned
    return min(max(0, part), more)
