"""Who may be seen on a portal, what may follow what, and whose price holds: values in, decisions out (S2, S3, E2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from flask_babel import lazy_gettext as _l

from polyclinic.kernel.errors import Conflict, Invalid, Refusal
from polyclinic.kernel.money import Money

PricingPolicy = Literal["fixed", "own", "range", "free"]

#: S2: what may follow a state of a person whom the network approves.
SPECIALIST_MOVES: Mapping[str, frozenset[str]] = {
    "draft": frozenset({"submitted"}),
    "submitted": frozenset({"changes_requested", "approved", "rejected"}),
    "changes_requested": frozenset({"submitted"}),
    "approved": frozenset({"suspended"}),
    "rejected": frozenset({"submitted"}),
    "suspended": frozenset({"approved"}),
}
#: S2: what may follow a state of a listing that a portal approves. It is ended, never deleted, and may begin anew.
LISTING_MOVES: Mapping[str, frozenset[str]] = {
    "applied": frozenset({"listed", "rejected", "ended"}),
    "listed": frozenset({"paused", "ended"}),
    "paused": frozenset({"listed", "ended"}),
    "rejected": frozenset({"applied", "listed"}),
    "ended": frozenset({"applied", "listed"}),
}
#: S3: what waits for the portal's approval before its public sees it; everything else goes live at once.
REVIEWED_FIELDS = ("title", "categories", "specializations")
LIVE_FIELDS = ("bio", "languages", "expertise", "image_key")
#: S5: what a profile should say before strangers choose by it.
EXPECTED_FIELDS = ("title", "bio", "languages", "categories", "expertise", "image_key")


@dataclass(frozen=True, slots=True)
class Pricing:
    """How a portal makes prices: its policy, its one currency, and the limits of ``range``."""

    policy: PricingPolicy
    currency: str
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class PriceRange:
    """The least and the most that something costs on a portal; equal where everybody asks the same."""

    low: Money
    high: Money

    @property
    def single(self) -> bool:
        """Whether there is one price."""
        return self.low == self.high


def refuse_specialist_move(state: str, wanted: str) -> Refusal | None:
    """Say why a specialist in ``state`` cannot become ``wanted``, or None."""
    if wanted in SPECIALIST_MOVES[state]:
        return None
    return Conflict(
        "specialist-state",
        _l("This specialist is “%(state)s” and cannot become “%(wanted)s” from there.", state=state, wanted=wanted),
        extra={"state": state},
    )


def refuse_listing_move(state: str, wanted: str) -> Refusal | None:
    """Say why a listing in ``state`` cannot become ``wanted``, or None."""
    if wanted in LISTING_MOVES[state]:
        return None
    return Conflict(
        "listing-state",
        _l("This listing is “%(state)s” and cannot become “%(wanted)s” from there.", state=state, wanted=wanted),
        extra={"state": state},
    )


def is_visible(specialist_state: str, listing_state: str) -> bool:
    """Whether the public of a portal sees somebody: the network approved the person, the portal the listing (S2)."""
    return specialist_state == "approved" and listing_state == "listed"


def has_capacity(capacity: int | None, active_allocations: int) -> bool:
    """Whether a listing takes another patient (S6); a capacity of None has no limit."""
    return capacity is None or active_allocations < capacity


def is_open(accepts_booking: bool, capacity: int | None, active_allocations: int) -> bool:
    """Whether a visible listing offers its times to somebody who is not yet its patient (B1)."""
    return accepts_booking and has_capacity(capacity, active_allocations)


def price_of(pricing: Pricing, service_minor: int | None, own_minor: int | None) -> Money | None:
    """Return what a service costs with a specialist, or None where it has no price and so cannot be booked (E2).

    On ``fixed`` the portal's price holds whatever the listing says. On ``own`` and ``range`` the listing's does; until
    there is one, what the portal suggests. A price outside a range is nobody's price: it was made under other limits.
    """
    if pricing.policy == "free":
        return Money(0, pricing.currency)
    if pricing.policy == "fixed":
        return None if service_minor is None else Money(service_minor, pricing.currency)
    minor = service_minor if own_minor is None else own_minor
    if minor is None or not _in_range(pricing, minor):
        return None
    return Money(minor, pricing.currency)


def _in_range(pricing: Pricing, minor: int) -> bool:
    if pricing.policy != "range" or minor == 0:
        return True  # a visit that costs nothing is below every limit on purpose
    low, high = pricing.minimum or 0, pricing.maximum
    return low <= minor and (high is None or minor <= high)


def refuse_price(pricing: Pricing, own_minor: int | None, field: str = "price") -> Refusal | None:
    """Say why a specialist may not ask a price on this portal, or None (E2)."""
    if own_minor is None:
        return None
    if pricing.policy == "free":
        return _price("price-free", _l("On this portal visits cost nothing: leave the price empty."), field)
    if pricing.policy == "fixed":
        return _price(
            "price-fixed", _l("On this portal one price list holds for everybody: leave the price empty."), field
        )
    if own_minor < 0:
        return _price("price-negative", _l("A price is zero or more."), field)
    if not _in_range(pricing, own_minor):
        low, high = Money(pricing.minimum or 0, pricing.currency), pricing.maximum
        most = "" if high is None else str(Money(high, pricing.currency).amount)
        return _price(
            "price-outside-range",
            _l(
                "On this portal a visit costs between %(low)s and %(high)s %(currency)s, or nothing.",
                low=str(low.amount),
                high=most,
                currency=pricing.currency,
            ),
            field,
        )
    return None


def _price(code: str, message: object, field: str) -> Invalid:
    return Invalid(code, message, fields={field: message})


def price_range(prices: list[Money]) -> PriceRange | None:
    """Return from the cheapest to the dearest of some prices in one currency, None where there is none."""
    if not prices:
        return None
    ordered = sorted(prices, key=lambda price: price.minor)
    return PriceRange(ordered[0], ordered[-1])


def missing_fields(profile: Mapping[str, object]) -> list[str]:
    """Return which of the expected fields of a profile are empty, in their order (S5)."""
    return [name for name in EXPECTED_FIELDS if not profile.get(name)]


def completeness(profile: Mapping[str, object]) -> int:
    """Return how complete a profile is, in percent (S5)."""
    return round(100 * (1 - len(missing_fields(profile)) / len(EXPECTED_FIELDS)))


def waiting_fields(profile: Mapping[str, object], approved: Mapping[str, object]) -> list[str]:
    """Return which reviewed fields differ from what the portal approved and wait for it (S3)."""
    return [name for name in REVIEWED_FIELDS if profile.get(name) != approved.get(name)]
