"""E6, I4: operators see money of their portals, with the ledger's sums, and nothing of messages."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import open_session
from polyclinic.payments.ledger_sums import LedgerSum, ledger_sums
from support.client import Browser
from support.money import Till


@pytest.fixture
def busy(till: Till) -> Till:
    """Three payment models on Alpha, one of them with a refund, and one on Beta."""
    cast, alpha, beta = till.cast, till.cast.alpha, till.cast.beta
    charge = till.charge(alpha, alpha.patient, cast.ada, 8000, commission=800, fee=145)
    till.give_back(charge, 4000, 400)
    till.charge(alpha, alpha.patient, cast.sam, 5000, model="platform_charge", commission=1000, fee=90)
    till.charge(alpha, alpha.patient, cast.sam, 3000, model="external_invoice", commission=300)
    till.charge(beta, beta.patient, cast.ben, 7000, "GBP", commission=700)
    return till


def sums(till: Till, actor: Actor) -> dict[str, LedgerSum]:
    with open_session(till.engine, actor.scope()) as session:
        return {one.currency: one for one in ledger_sums(session)}


def test_the_sums_are_those_of_the_ledger_in_ones_scope(busy: Till) -> None:
    """E6: what arrived, went back, is the platform's, the provider's, the specialists': it all adds up."""
    found = sums(busy, busy.cast.olga)
    euros = found["EUR"]
    assert (euros.received, euros.returned, euros.commission, euros.fees) == (16000, 4000, 1700, 235)
    assert euros.specialists == 16000 - 4000 - 1700 - 235
    assert found["GBP"].received == 7000
    assert set(sums(busy, busy.cast.oskar)) == {"EUR"}, "Oskar is of Alpha alone"


def test_lists_show_money_of_ones_portals_and_no_words_of_patients(busy: Till, browser: Browser) -> None:
    """I1, I4: three lists, narrowed by portal and state, with the sums above."""
    cast = busy.cast
    browser.sign_in(cast.oskar)
    for path, count in (("/charges/", 3), ("/payments/", 2), ("/refunds/", 1)):
        page = browser.get(cast.admin_host, path).get_data(as_text=True)
        assert "€160.00" in page, "the ledger's sum"
        assert "£" not in page
        assert page.count("<tr>") == 1 + 1 + 1 + count, path
    none = browser.get(cast.admin_host, "/charges/?state=void").get_data(as_text=True)
    assert "€80.00" not in none


def test_held_back_payments_are_found(busy: Till, browser: Browser) -> None:
    """E7: what the provider tells otherwise than asked waits for a human, who sees why."""
    with busy.owner.begin() as connection:
        connection.execute(text("UPDATE payment SET quarantine = 'another amount' WHERE amount_minor = 5000"))
    browser.sign_in(busy.cast.olga)
    page = browser.get(busy.cast.admin_host, "/payments/?look=quarantine").get_data(as_text=True)
    assert "another amount" in page
    assert "€80.00" not in page
