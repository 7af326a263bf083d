"""E1: integer minor units and a currency, zero- and three-decimal currencies included."""

from decimal import Decimal

import pytest
from babel import Locale
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from polyclinic.kernel.money import Money, exponent
from polyclinic.web.i18n import read_amount, write_amount

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


@pytest.mark.parametrize(
    ("currency", "digits"), [("RSD", 2), ("ALL", 2), ("LAK", 2), ("UGX", 0), ("MGA", 0), ("CLF", 4)]
)
def test_digits_are_our_own_where_cldr_rounds_to_cash(currency: str, digits: int) -> None:
    """E1: a dinar has a hundred paras in every book, whatever CLDR shows at a counter."""
    assert exponent(currency) == digits


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD", "ISK", "RSD"])
@pytest.mark.parametrize("locale", ["en", "de", "ar", "fr"])
@given(minor=st.integers(0, 10**9))
def test_what_a_form_shows_it_reads_back(currency: str, locale: str, minor: int) -> None:
    """E1, L2: an amount written in a language is the same amount when it is sent back."""
    money, known = Money(minor, currency), Locale.parse(locale)
    written = format_decimal(money.amount, locale=known, format=_pattern(exponent(currency)))
    assert read_amount(written, currency, known) == money


def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")


@pytest.mark.parametrize(
    ("text", "currency", "locale", "minor"),
    [
        ("80,50", "EUR", "de", 8050),
        ("1.200,50", "EUR", "de", 120050),
        ("80.50", "EUR", "en", 8050),
        ("9,800", "JPY", "en", 9800),
        ("9.800", "JPY", "de", 9800),
        ("1,250", "KWD", "de", 1250),
        ("7500", "ISK", "de", 7500),
    ],
)
def test_forms_read_amounts_in_the_readers_language(text: str, currency: str, locale: str, minor: int) -> None:
    """E1, L2: a comma is a decimal mark in German and a thousands separator in English."""
    assert read_amount(text, currency, Locale.parse(locale)) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency", "locale"),
    [("80.50", "EUR", "de"), ("80,505", "EUR", "de"), ("98,5", "JPY", "de"), ("viel", "EUR", "de"), ("", "EUR", "en")],
)
def test_forms_refuse_amounts_of_another_language_or_too_fine(text: str, currency: str, locale: str) -> None:
    """E1: never guessed: 80.50 is not 8,050 euros."""
    with pytest.raises(ValueError, match="amount"):
        read_amount(text, currency, Locale.parse(locale))


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        (8050, "EUR", "€80.50"),
        (8000, "EUR", "€80.00"),
        (9800, "JPY", "¥9,800"),
        (1250, "KWD", "KWD\u00a01.250"),
        (7500, "ISK", "ISK\u00a07,500"),
        (8050, "RSD", "RSD\u00a080.50"),
    ],
)
def test_amounts_are_written_with_all_their_digits(minor: int, currency: str, words: str) -> None:
    """E1: no digit is lost or made up on the way to a page, a mail or a PDF."""
    assert write_amount(Money(minor, currency), Locale.parse("en"), exponent(currency)) == words
