"""Accounts in words: countries, and what a provider still needs, for people who know no field names."""

from __future__ import annotations

from collections.abc import Iterable

from babel import Locale
from babel.core import get_global
from flask_babel import get_locale
from flask_babel import gettext as _

from polyclinic.hooks.providers import AccountKind

#: Where specialists can have accounts of both kinds.
COUNTRIES = (
    "AT", "AU", "BE", "BG", "CA", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HK", "HR", "HU",
    "IE", "IT", "JP", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "NZ", "PL", "PT", "RO", "SE", "SG", "SI", "SK", "US",
)  # fmt: skip


def likely_country(zone: str | None) -> str:
    """Return the country of a time zone, "" where it is none of those that can be chosen."""
    country: str = get_global("zone_territories").get(zone or "", "")
    return country if country in COUNTRIES else ""


def country_choices() -> list[tuple[str, str]]:
    """Return the countries by name in the reader's language."""
    locale = get_locale() or Locale("en")
    named = [(code, locale.territories.get(code, code)) for code in COUNTRIES]
    return sorted(named, key=lambda one: one[1])


def kind_words() -> dict[AccountKind, str]:
    """Return what each kind of account is for."""
    return {
        "merchant": _("Patients pay you directly"),
        "recipient": _("You receive your share"),
    }


def requirement_words(requirements: Iterable[str]) -> list[str]:
    """Return what a provider still needs as a short list of things people have, each once, in the order given."""
    return list(dict.fromkeys(_said(requirement) for requirement in requirements))


def _said(requirement: str) -> str:
    """Find the words for a field such as ``individual.id_number``: the first whose part stands in its name."""
    lowered = requirement.lower()
    for parts, said in _words():
        if any(part in lowered for part in parts.split()):
            return said
    return _("another detail that the payment service will ask for")


def _words() -> tuple[tuple[str, str], ...]:
    return (
        ("external_account bank_account payout", _("a bank account for payouts")),
        ("terms_of_service tos_acceptance agreement", _("agreement to the terms of service")),
        ("document proof_of", _("a photo of an identity document")),
        ("id_number ids tax_id ssn", _("your tax or identity number")),
        ("dob date_of_birth", _("your date of birth")),
        ("address", _("your address")),
        ("phone", _("your phone number")),
        ("email", _("your e-mail address")),
        ("url website product_description mcc business_profile industry", _("what you do, in a few words")),
        ("statement", _("what patients see on their card statement")),
        ("representative owners relationship persons", _("who represents your practice")),
        ("name surname", _("your full name")),
    )
