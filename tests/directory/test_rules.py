"""Who may be seen, what may follow what, whose price holds: pure decisions."""

import pytest

from polyclinic.directory.rules import (
    LISTING_MOVES,
    SPECIALIST_MOVES,
    Pricing,
    completeness,
    has_capacity,
    is_open,
    is_visible,
    missing_fields,
    price_of,
    price_range,
    refuse_listing_move,
    refuse_price,
    refuse_specialist_move,
    waiting_fields,
)
from polyclinic.kernel.money import Money

FIXED, OWN, FREE = Pricing("fixed", "EUR"), Pricing("own", "GBP"), Pricing("free", "EUR")
RANGE = Pricing("range", "JPY", minimum=6000, maximum=12000)


@pytest.mark.parametrize(
    ("pricing", "service", "own", "price"),
    [
        (FIXED, 8000, None, Money(8000, "EUR")),
        (FIXED, 8000, 100, Money(8000, "EUR")),
        (FIXED, None, 9000, None),
        (OWN, None, 7500, Money(7500, "GBP")),
        (OWN, None, None, None),
        (OWN, 6000, None, Money(6000, "GBP")),
        (OWN, 6000, 7500, Money(7500, "GBP")),
        (RANGE, None, 9000, Money(9000, "JPY")),
        (RANGE, None, 6000, Money(6000, "JPY")),
        (RANGE, None, 12000, Money(12000, "JPY")),
        (RANGE, None, 5999, None),
        (RANGE, None, 12001, None),
        (RANGE, 0, None, Money(0, "JPY")),
        (FREE, 8000, 9000, Money(0, "EUR")),
    ],
)
def test_the_price_follows_the_portals_policy(
    pricing: Pricing, service: int | None, own: int | None, price: Money | None
) -> None:
    """E2: fixed is the portal's, own and range the listing's; without one there is nothing to book."""
    assert price_of(pricing, service, own) == price


@pytest.mark.parametrize(
    ("pricing", "own", "code"),
    [
        (FIXED, 8000, "price-fixed"),
        (FIXED, 0, "price-fixed"),
        (FREE, 8000, "price-free"),
        (OWN, -1, "price-negative"),
        (RANGE, 5000, "price-outside-range"),
        (RANGE, 20000, "price-outside-range"),
        (RANGE, -6000, "price-negative"),
    ],
)
def test_nobody_makes_a_price_that_the_portal_does_not_allow(pricing: Pricing, own: int, code: str) -> None:
    """E2: on a fixed-price portal nobody can charge another price, not even the same one or none."""
    refusal = refuse_price(pricing, own)
    assert refusal is not None
    assert (refusal.code, list(refusal.fields)) == (code, ["price"])


@pytest.mark.parametrize(("pricing", "own"), [(FIXED, None), (OWN, 7500), (OWN, 0), (RANGE, 6000), (RANGE, 0)])
def test_allowed_prices_pass(pricing: Pricing, own: int | None) -> None:
    """E2."""
    assert refuse_price(pricing, own) is None


def test_only_an_approved_person_with_a_listed_listing_is_visible() -> None:
    """S2: two layers, and nobody is visible to patients before both."""
    seen = {(p, x) for p in SPECIALIST_MOVES for x in LISTING_MOVES if is_visible(p, x)}
    assert seen == {("approved", "listed")}


def test_no_state_is_skipped() -> None:
    """S2: nobody is approved without having submitted, nobody is listed again without having been paused or ended."""
    assert refuse_specialist_move("draft", "approved") is not None
    assert refuse_specialist_move("submitted", "approved") is None
    assert refuse_specialist_move("suspended", "approved") is None
    assert refuse_listing_move("applied", "paused") is not None
    assert refuse_listing_move("listed", "listed") is not None
    assert refuse_listing_move("ended", "listed") is None


@pytest.mark.parametrize(
    ("moves", "states"), [(SPECIALIST_MOVES, set(SPECIALIST_MOVES)), (LISTING_MOVES, set(LISTING_MOVES))]
)
def test_every_state_can_be_left_for_a_known_one(moves: dict[str, frozenset[str]], states: set[str]) -> None:
    """S2: no state is a trap, and no move leads nowhere."""
    assert all(after and after <= states for after in moves.values())


def test_capacity_counts_active_allocations() -> None:
    """S6: no limit by default; a full listing takes nobody new, nor does one that takes no bookings."""
    assert has_capacity(None, 500)
    assert has_capacity(2, 1)
    assert not has_capacity(2, 2)
    assert not has_capacity(0, 0)
    assert is_open(True, None, 9)
    assert not is_open(False, None, 0)


def test_a_price_range_is_from_the_cheapest_to_the_dearest() -> None:
    """E1: whole minor units."""
    span = price_range([Money(9000, "JPY"), Money(6000, "JPY")])
    assert span is not None
    assert (span.low.minor, span.high.minor, span.single) == (6000, 9000, False)
    assert price_range([]) is None


def test_completeness_names_what_is_missing() -> None:
    """S5."""
    profile = {"title": {"en": "Physio"}, "bio": {}, "languages": ["en"], "categories": [], "expertise": ["x"]}
    assert missing_fields(profile) == ["bio", "categories", "image_key"]
    assert completeness(profile) == 50


def test_reviewed_fields_wait_and_others_do_not() -> None:
    """S3."""
    approved = {"title": {"en": "Physio"}, "categories": [], "specializations": []}
    profile = approved | {"title": {"en": "Doctor"}, "bio": {"en": "New"}}
    assert waiting_fields(profile, approved) == ["title"]
