"""E1: integer minor units and a currency, zero- and three-decimal currencies included."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.money import Money, exponent

CURRENCIES = st.sampled_from(["EUR", "GBP", "JPY", "KWD", "ISK"])


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("GBP", 2), ("JPY", 0), ("ISK", 0), ("KWD", 3)])
def test_each_currency_has_its_own_digits(currency: str, digits: int) -> None:
    """E1: ISO 4217 decides, not a habit of two."""
    assert exponent(currency) == digits
    assert Money(1, currency).amount == Decimal(1).scaleb(-digits)


@given(st.integers(-(10**12), 10**12), CURRENCIES)
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    """E1: no amount changes on its way through text."""
    money = Money(minor, currency)
    assert Money.parse(f"{money.amount:f}", currency) == money


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), CURRENCIES)
def test_sums_are_exact(one: int, other: int, currency: str) -> None:
    """E1: adding and subtracting lose nothing."""
    assert Money(one, currency) + Money(other, currency) - Money(other, currency) == Money(one, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("0.001", "EUR"),
        ("1.5", "JPY"),
        ("0.0001", "KWD"),
        ("", "EUR"),
        ("a lot", "EUR"),
        ("NaN", "EUR"),
        ("1e99", "EUR"),
    ],
)
def test_amounts_that_do_not_exist_are_refused(text: str, currency: str) -> None:
    """E1: finer than the smallest unit, or no number at all."""
    with pytest.raises(ValueError, match="expected"):
        Money.parse(text, currency)


def test_currencies_do_not_mix() -> None:
    """E2: there is no conversion."""
    with pytest.raises(ValueError, match="no conversion"):
        Money(1, "EUR") + Money(1, "GBP")
    with pytest.raises(ValueError, match="not a currency"):
        Money(1, "EURO")
    with pytest.raises(TypeError):
        Money(1.5, "EUR")  # type: ignore[arg-type]  # the point of the test
