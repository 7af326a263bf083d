"""E3, E4, E8: commission and share to the cent, and what of them goes back, whatever the steps."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.money import Money
from polyclinic.payments.commission import CommissionTerms, commission_of, commission_returned
from polyclinic.payments.refund_rules import Returnable, commission_part, refund_terms, refuse_refund

AMOUNTS = st.integers(1, 10**7)
BPS = st.integers(0, 10_000)
LIMITS = st.one_of(st.none(), st.integers(0, 10**6))


@pytest.mark.parametrize(
    ("amount", "terms", "kept"),
    [
        (8000, CommissionTerms("commission", 1500), 1200),
        (8050, CommissionTerms("commission", 1500), 1208),
        (1, CommissionTerms("commission", 5000), 1),
        (8000, CommissionTerms("commission", 1500, minimum=2000), 2000),
        (1000, CommissionTerms("commission", 1500, minimum=2000), 1000),
        (8000, CommissionTerms("commission", 1500, maximum=500), 500),
        (8000, CommissionTerms("share", 2000), 1600),
        (8001, CommissionTerms("share", 2000), 1600),
        (9800, CommissionTerms("nothing", 1500), 0),
    ],
)
def test_commission_is_rounded_half_up_between_its_limits(amount: int, terms: CommissionTerms, kept: int) -> None:
    """E3, E4: clamp(round(amount × %), min, max), never above the amount; a share is rounded, the rest is kept."""
    assert commission_of(amount, terms) == kept


@given(AMOUNTS, BPS, st.integers(0, 10**6), LIMITS)
def test_commission_and_share_are_the_whole(amount: int, bps: int, low: int, high: int | None) -> None:
    """E3: nothing is lost or made between platform and specialist."""
    for earns in ("commission", "share", "nothing"):
        kept = commission_of(amount, CommissionTerms(earns, bps, low, high))  # type: ignore[arg-type]  # the literals
        assert 0 <= kept <= amount


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=12), st.fractions(0, 1))
def test_any_steps_of_refunds_give_back_exactly_everything(steps: list[int], kept: Fraction) -> None:
    """E3, E8: the last partial refund takes the rounding rest, and no step more than itself."""
    amount = sum(steps)
    commission = int(amount * kept)
    refunded = returned = 0
    for step in steps:
        part = commission_returned(commission, amount, refunded, returned, step)
        assert 0 <= part <= step
        refunded, returned = refunded + step, returned + part
    assert returned == commission


def test_three_thousand_random_splits_sum_to_the_cent() -> None:
    """E3, E4, E8: charge, commission, share and up to six refunds of each, three thousand times."""
    chance = random.Random(20261125)  # cases, not secrets
    drifted = 0
    for _case in range(3000):
        amount = chance.randint(50, 50_000)
        terms = CommissionTerms(chance.choice(("commission", "share")), chance.randint(0, 4000))
        commission = commission_of(amount, terms)
        cuts = sorted({chance.randint(1, amount) for _cut in range(chance.randint(0, 5))} | {amount})
        steps = [high - low for low, high in zip([0, *cuts], cuts, strict=False)]
        refunded = returned = share_back = naive = 0
        for step in steps:
            part = commission_returned(commission, amount, refunded, returned, step)
            refunded, returned, share_back = refunded + step, returned + part, share_back + step - part
            naive += round(commission * step / amount)
        assert (refunded, returned, share_back) == (amount, commission, amount - commission)
        drifted += naive != commission
    assert drifted > 100, "the control: rounding each part by itself must be seen to drift"


def test_a_platform_that_keeps_its_commission_gives_none_back() -> None:
    """E3: switchable per portal, frozen with the charge."""
    charge = Returnable(8000, 800)
    assert commission_part(charge, 4000, return_commission=True) == 400
    assert commission_part(charge, 4000, return_commission=False) == 0


def test_a_refund_names_its_rule_and_never_exceeds_what_is_left() -> None:
    """E8, B6: full from the specialist, the rest after the fee from a late patient, nothing above the charge."""
    paid, none, fee = Money(8000, "EUR"), Money(0, "EUR"), Money(4000, "EUR")
    assert refund_terms(paid, none, none, "patient").reason == "free_cancellation"
    late = refund_terms(paid, none, fee, "patient")
    assert (late.back, late.reason) == (Money(4000, "EUR"), "late_cancellation")
    assert refund_terms(paid, Money(6000, "EUR"), fee, "patient").back == none
    assert refund_terms(paid, none, none, "specialist").reason == "specialist_cancelled"
    charge = Returnable(8000, 800, refunded=6000)
    assert refuse_refund(charge, 2000, paid=True, disputed=False) is None
    for amount, paid_, disputed, code in (
        (2001, True, False, "refund-above-charge"),
        (0, True, False, "refund-above-charge"),
        (1, False, False, "charge-not-paid"),
        (1, True, True, "charge-disputed"),
    ):
        refusal = refuse_refund(charge, amount, paid=paid_, disputed=disputed)
        assert refusal is not None
        assert refusal.code == code
