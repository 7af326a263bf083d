"""Stripe's currencies: how many decimals the API means, how small a charge may be, what Stripe takes for it."""

from __future__ import annotations

from decimal import Decimal

from polyclinic_stripe_simulator.errors import Refused

TWO_DECIMALS = """
aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc
cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd
kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php
pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs
wst xcd yer zar zmw
"""
ZERO_DECIMALS = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
ZERO_DECIMAL = frozenset(ZERO_DECIMALS.split())
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
ZERO_IN_LIFE = frozenset(["isk", "ugx"])
"""Two decimals on the API, none in life: amounts are multiples of 100."""
TWO_DECIMAL = frozenset(TWO_DECIMALS.split())
KNOWN = ZERO_DECIMAL | THREE_DECIMAL | ZERO_IN_LIFE | TWO_DECIMAL
SMALLEST = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
    "hkd": 400, "huf": 17500, "inr": 50, "isk": 7000, "jpy": 50, "kwd": 150, "mxn": 1000, "myr": 200, "nok": 300,
    "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "ugx": 200000, "usd": 50,
}  # fmt: skip
"""Minimum charges as Stripe publishes them; ISK, KWD and UGX by their worth of about 0.50 USD. Others: 50 units."""
LARGEST = 99_999_999


def decimals(currency: str) -> int:
    """How many decimals people see."""
    if currency in ZERO_DECIMAL | ZERO_IN_LIFE:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def exponent(currency: str) -> int:
    """How many decimals an amount of the API has."""
    return 2 if currency in ZERO_IN_LIFE else decimals(currency)


def formatted(amount: int, currency: str) -> str:
    """An amount for people: `80.00 EUR`, `8000 JPY`."""
    value = Decimal(amount).scaleb(-exponent(currency))
    return f"{value:,.{decimals(currency)}f} {currency.upper()}"


def check_currency(currency: str, param: str) -> str:
    """The currency in small letters; raises Refused."""
    if currency.lower() not in KNOWN:
        raise Refused(f"Invalid currency: {currency}. Stripe knows no such currency.", param=param)
    return currency.lower()


def check_amount(amount: int, currency: str, param: str = "amount", *, smallest: bool = True) -> int:
    """An amount that can be charged; raises Refused. `smallest=False` for refunds and transfers."""
    if amount < 1:
        raise Refused("This value must be greater than or equal to 1.", param=param, code="parameter_invalid_integer")
    if currency in ZERO_IN_LIFE and amount % 100:
        raise Refused(
            f"Invalid amount: {currency.upper()} has no decimals, although amounts are given with two. "
            "The amount must be a multiple of 100.",
            param=param,
            code="parameter_invalid_integer",
        )
    if currency in THREE_DECIMAL and amount % 10:
        raise Refused(
            f"Invalid amount: amounts in {currency.upper()} have three decimals, of which the last must be 0.",
            param=param,
            code="parameter_invalid_integer",
        )
    if smallest and amount < SMALLEST.get(currency, 50):
        least = formatted(SMALLEST.get(currency, 50), currency)
        raise Refused(f"Amount must be at least {least}", param=param, code="amount_too_small")
    if amount > LARGEST:
        raise Refused(
            f"Amount must be no more than {formatted(LARGEST, currency)}", param=param, code="amount_too_large"
        )
    return amount


def processing_fee(amount: int, currency: str) -> int:
    """What Stripe keeps of a card payment: 1.5 % and 0.25 EUR, or about as much."""
    fixed: int = 25 * 10 ** exponent(currency) // 100
    worth: int = {"jpy": 0, "isk": 0, "usd": 30, "gbp": 20}.get(currency, fixed)
    fee = (amount * 150 + 5000) // 10000 + worth
    return fee // 10 * 10 if currency in THREE_DECIMAL else int(fee)
