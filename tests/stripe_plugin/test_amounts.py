"""E1: amounts written to Stripe and read back, in currencies with two, no, three and two-but-none decimals."""

from __future__ import annotations

import pytest

from polyclinic.kernel.money import Money
from polyclinic_stripe.amounts import AmountRefused, from_stripe, least, refuse_amount, step, to_stripe


@pytest.mark.parametrize(
    ("typed", "currency", "wire"),
    [
        ("80.00", "EUR", 8000),
        ("8000", "JPY", 8000),
        ("12.340", "KWD", 12340),
        ("9000", "ISK", 900000),
        ("50000", "UGX", 5000000),
        ("120", "RSD", 12000),
        ("-40.50", "EUR", -4050),
    ],
)
def test_an_amount_is_written_in_stripes_units_and_read_back_the_same(typed: str, currency: str, wire: int) -> None:
    money = Money.parse(typed, currency)
    assert to_stripe(money) == wire
    assert from_stripe(wire, currency.lower()) == money


def test_what_has_no_number_at_stripe_is_not_sent() -> None:
    """E1: refused here, with our sentence, before Stripe rounds or refuses."""
    with pytest.raises(AmountRefused, match=r"12\.345 KWD"):
        to_stripe(Money(12345, "KWD"))
    with pytest.raises(AmountRefused, match="eight digits"):
        to_stripe(Money(10**8, "EUR"))
    with pytest.raises(AmountRefused, match="eight digits"):
        to_stripe(Money(10**6, "ISK"))
    with pytest.raises(AmountRefused, match="no whole number"):
        from_stripe(12345, "isk")


def test_prices_that_stripe_would_refuse_are_refused_when_typed() -> None:
    """E2: a price of one cent could be published and never be paid."""
    assert least("EUR") == Money(50, "EUR")
    assert least("JPY") == Money(50, "JPY")
    assert least("ISK") == Money(70, "ISK")
    assert least("KWD") == Money(150, "KWD")
    assert refuse_amount(Money(0, "EUR")) is None
    assert refuse_amount(Money(8000, "EUR")) is None
    assert "0.50 EUR" in str(refuse_amount(Money(49, "EUR")))
    assert "third decimal" in str(refuse_amount(Money(12345, "KWD")))
    assert "too large" in str(refuse_amount(Money(10**8, "JPY")))


def test_commissions_have_a_step_too() -> None:
    """E3: a commission of 1.855 KWD is no application fee."""
    assert [step(currency) for currency in ("EUR", "JPY", "KWD", "ISK", "UGX")] == [1, 1, 10, 1, 1]
