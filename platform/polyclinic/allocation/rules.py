"""Pure decisions about who belongs together: what an allocation's source and history mean."""

from __future__ import annotations

from dataclasses import dataclass

#: Sources that establish a relationship by themselves: somebody decided that these two belong together (B1).
DECIDED_SOURCES = frozenset({"automated", "assisted", "programme", "transfer"})


@dataclass(frozen=True, slots=True)
class Relationship:
    """What connects one patient with one specialist on one portal, as far as decisions need it."""

    active: bool = False
    """Whether there is an active allocation."""
    source: str | None = None
    standing_permission: bool = False
    visits: int = 0
    """Appointments between them that are confirmed, in progress, completed or missed."""
    undecided: int = 0
    """Pending payments and open proposals between them."""


STRANGERS = Relationship()


def is_established(relationship: Relationship) -> bool:
    """Tell whether patient and specialist are past the first booking (B1).

    An allocation alone, or an appointment cancelled before it happened, does not establish.
    """
    if not relationship.active:
        return False
    return relationship.source in DECIDED_SOURCES or relationship.visits > 0
