"""The table of transitions, who sees slots, what cancelling means: pure decisions (B1, B5, B6)."""

import datetime as dt
import itertools
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.allocation.models import SOURCES
from polyclinic.allocation.rules import STRANGERS, Relationship, is_established
from polyclinic.booking.models import STATES
from polyclinic.booking.rules import (
    TRANSITIONS,
    Action,
    Bookable,
    CancellationPolicy,
    Party,
    can_cancel,
    can_complete,
    cancellation_terms,
    clean_details,
    hold_status,
    may_see_slots,
    refuse_transition,
)
from polyclinic.kernel.errors import Conflict, Forbidden, Invalid
from polyclinic.kernel.money import Money
from support.calendars import START

HOUR = dt.timedelta(hours=1)
ACTIONS: tuple[Action, ...] = get_args(Action)
PARTIES: tuple[Party, ...] = get_args(Party)
#: Written down a second time on purpose: the whole table, by hand.
ALLOWED = {
    ("pending_payment", "cancel"): ("cancelled", {"patient", "specialist", "operator", "system"}),
    ("pending_payment", "pay"): ("confirmed", {"system"}),
    ("pending_payment", "expire"): ("cancelled", {"system"}),
    ("cancelled", "pay_late"): ("confirmed", {"system"}),
    ("confirmed", "cancel"): ("cancelled", {"patient", "specialist", "operator", "system"}),
    ("confirmed", "complete"): ("completed", {"specialist"}),
    ("in_progress", "complete"): ("completed", {"specialist"}),
}


@pytest.mark.parametrize(("state", "action", "by"), list(itertools.product(STATES, ACTIONS, PARTIES)))
def test_every_state_action_and_party(state: str, action: Action, by: Party) -> None:
    """B5: what is not in the table is refused; what is, only to those it names."""
    refusal = refuse_transition(state, action, by)
    if (state, action) not in ALLOWED:
        assert isinstance(refusal, Conflict)
        return
    to, parties = ALLOWED[state, action]
    assert TRANSITIONS[state, action].to == to
    assert to in STATES
    assert (refusal is None) == (by in parties)
    assert refusal is None or isinstance(refusal, Forbidden)


@pytest.mark.parametrize("by", PARTIES)
def test_cancelling_ends_where_completing_begins(by: Party) -> None:
    """B5: at the start, to the second."""
    before, at = START - dt.timedelta(seconds=1), START
    assert can_cancel("confirmed", by, START, before) is None
    assert can_cancel("confirmed", by, START, at) is not None
    assert can_complete("confirmed", by, START, before) is not None
    assert (can_complete("confirmed", by, START, at) is None) == (by == "specialist")


@given(
    minor=st.integers(0, 10**7),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    percent=st.decimals(0, 100, places=2),
    free=st.integers(0, 14 * 24 * 60),
    minutes=st.integers(-20_000, 20_000),
    by=st.sampled_from(PARTIES),
)
def test_a_fee_is_due_only_from_a_late_patient(
    minor: int, currency: str, percent: Decimal, free: int, minutes: int, by: Party
) -> None:
    """B6, E1: never more than the price, whole minor units, and nothing before the limit."""
    policy = CancellationPolicy.from_json(CancellationPolicy(dt.timedelta(minutes=free), percent).as_json())
    moment = START - dt.timedelta(minutes=minutes)
    terms = cancellation_terms(START, Money(minor, currency), policy, moment, by)
    assert terms.free_until == START - dt.timedelta(minutes=free)
    assert terms.late == (by == "patient" and minutes < free)
    assert 0 <= terms.fee.minor <= terms.late_fee.minor <= minor
    assert terms.fee == (terms.late_fee if terms.late else Money(0, currency))
    assert abs(Decimal(terms.late_fee.minor) - Decimal(minor) * percent / 100) <= Decimal("0.5")


def test_the_policy_of_old_rows_is_read() -> None:
    """B6: a whole number in a stored policy means percent, too."""
    policy = CancellationPolicy.from_json({"free_until": 86400, "late_fee": 100})
    assert policy == CancellationPolicy(dt.timedelta(days=1), Decimal(100))


RELATIONSHIPS = st.builds(
    Relationship,
    st.booleans(),
    st.none() | st.sampled_from(SOURCES),
    st.booleans(),
    st.integers(0, 2),
    st.integers(0, 1),
)
LISTINGS = st.builds(
    Bookable,
    st.sets(st.sampled_from(["browse", "request", "automated"])),
    st.just("Ada"),
    st.booleans(),
    st.none() | st.integers(0, 3),
    st.integers(0, 4),
)


@given(listing=LISTINGS, relationship=RELATIONSHIPS)
def test_slots_are_shown_by_all_of_b1(listing: Bookable, relationship: Relationship) -> None:
    """B1: mode, listing, capacity, and no established relationship without permission."""
    room = listing.capacity is None or listing.active_allocations < listing.capacity or relationship.active
    allowed = (
        "browse" in listing.modes
        and listing.accepts_booking
        and room
        and not relationship.undecided
        and (not is_established(relationship) or relationship.standing_permission)
    )
    assert (may_see_slots(listing, relationship) is None) == allowed


def test_the_page_says_who_proposes_next() -> None:
    """B1: established patients read how it goes on, by the specialist's name."""
    listing = Bookable({"browse"}, "Ada Berg", True, None, 0)
    assert may_see_slots(listing, STRANGERS) is None
    refusal = may_see_slots(listing, Relationship(True, "browse", False, 1))
    assert refusal is not None
    assert refusal.code == "specialist-proposes"


@given(minutes=st.integers(-60, 60), state=st.sampled_from(["open", "booked", "released", "expired"]))
def test_a_hold_is_dead_from_its_last_instant(minutes: int, state: str) -> None:
    """C5: at ``expires_at`` it is over, whatever is stored; what is booked stays booked."""
    found = hold_status(state, START, START + dt.timedelta(minutes=minutes))
    assert found == (state if state != "open" else "expired" if minutes >= 0 else "live")


@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=2500))
def test_details_are_clean_or_refused_by_field(name: str, phone: str, message: str) -> None:
    """B2: whatever is typed; nothing that PostgreSQL cannot keep, and each field says what is wrong."""
    try:
        found = clean_details(name, phone, message)
    except Invalid as refusal:
        assert set(refusal.fields) <= {"name", "phone", "message"}
        return
    assert found.name == " ".join(found.name.split())
    assert 0 < len(found.name) <= 120
    assert not any("\x00" in text for text in (found.name, found.phone, found.message))
    assert clean_details(found.name, found.phone, found.message) == found


@pytest.mark.parametrize("phone", ["", "+49 30 123456", "030/123-456", "(030) 1234", "+81-3-1234-5678"])
def test_phones_as_people_write_them(phone: str) -> None:
    if phone.startswith("("):
        with pytest.raises(Invalid):
            clean_details("Pat", phone)
    else:
        assert clean_details("Pat", phone).phone == phone
