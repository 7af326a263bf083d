"""E11: transactions of a specialist over all portals, of a patient, of operators; their sums are the ledger's."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import open_session
from polyclinic.payments.transactions import Filters, list_transactions, month_bounds, totals_of
from support.client import Browser
from support.money import MOMENT, Till

DAY = dt.timedelta(days=1)


def rows(till: Till, actor: Actor, filters: Filters = Filters(), **options: Any) -> list[Any]:  # noqa: B008  # frozen
    with till.app.app_context(), open_session(till.engine, actor.scope()) as session:
        return list_transactions(session, actor, filters, **options)[0]


def totals(till: Till, actor: Actor, filters: Filters = Filters()) -> dict[str, Any]:  # noqa: B008  # frozen
    with till.app.app_context(), open_session(till.engine, actor.scope()) as session:
        return {total.currency: total for total in totals_of(session, actor, filters)}


@pytest.fixture
def busy(till: Till) -> Till:
    """Sam on Alpha (euros) and on Beta (pounds) with every state that money has, and Ada on Alpha."""
    cast, alpha, beta = till.cast, till.cast.alpha, till.cast.beta
    till.charge(alpha, alpha.patient, cast.sam, 8000, commission=800, fee=145, at=MOMENT)
    part = till.charge(alpha, alpha.patient, cast.sam, 6000, commission=600, at=MOMENT + DAY)
    till.give_back(part, 2000, 200, at=MOMENT + 2 * DAY)
    way = till.charge(alpha, alpha.other_patient, cast.sam, 5000, commission=500, at=MOMENT + 3 * DAY)
    till.give_back(way, 5000, 500, state="pending", at=MOMENT + 4 * DAY)
    till.charge(alpha, alpha.patient, cast.sam, 4000, at=None, commission=400)
    till.charge(alpha, alpha.patient, cast.sam, 3000, at=None, commission=300, state="failed")
    till.charge(beta, beta.patient, cast.sam, 7000, "GBP", model="platform_charge", commission=1400, fee=99)
    whole = till.charge(beta, beta.patient, cast.sam, 1000, "GBP", model="platform_charge", commission=200)
    till.give_back(whole, 1000, 200)
    till.charge(alpha, alpha.patient, cast.ada, 9900, commission=990)
    return till


def test_a_specialist_sees_every_charge_and_refund_of_all_portals_and_nobody_elses(busy: Till) -> None:
    """E11, I3: with the status of each, newest first."""
    found = rows(busy, busy.cast.sam)
    assert {row.specialist_id for row in found} == {busy.cast.sam.id}
    assert sorted((row.kind, row.status) for row in found) == [
        ("charge", "failed"),
        ("charge", "open"),
        ("charge", "paid"),
        ("charge", "paid"),
        ("charge", "partly_refunded"),
        ("charge", "refund_on_the_way"),
        ("charge", "refunded"),
        ("refund", "refund_on_the_way"),
        ("refund", "returned"),
        ("refund", "returned"),
    ]
    assert [row.at for row in found] == sorted((row.at for row in found), reverse=True)


def test_totals_are_per_currency_and_count_what_has_moved(busy: Till) -> None:
    """E11: euros and pounds are never added; what is open, failed or on its way adds nothing."""
    found = totals(busy, busy.cast.sam)
    euros, pounds = found["EUR"], found["GBP"]
    assert (euros.gross, euros.commission, euros.fee, euros.net) == (17000, 1700, 145, 15155)
    assert (pounds.gross, pounds.commission, pounds.fee, pounds.net) == (7000, 1400, 0, 5600)


def test_totals_are_those_of_the_ledger(busy: Till) -> None:
    """E6: what the specialist has or is owed on the ledger's accounts is what the list sums up to."""
    query = (
        "SELECT a.currency, sum(p.amount) FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id"
        " WHERE a.specialist_id = :me AND a.kind IN ('provider:specialist', 'specialist:payable') GROUP BY 1"
    )
    with busy.owner.connect() as connection:
        ledger = {row[0]: row[1] for row in connection.execute(text(query), {"me": busy.cast.sam.id})}
    found = totals(busy, busy.cast.sam)
    assert ledger == {"EUR": found["EUR"].net, "GBP": -found["GBP"].net}


def test_the_running_total_ends_at_the_total(busy: Till) -> None:
    """E11: within the filters, per currency, over pages."""
    cast = busy.cast
    newest = {row.currency: row for row in reversed(rows(busy, cast.sam))}
    for currency, total in totals(busy, cast.sam).items():
        assert newest[currency].running == total.net
    only = Filters(currency="EUR", status="paid")
    (row,) = rows(busy, cast.sam, only)
    assert row.running == row.net == 7055


def test_pages_join_without_a_gap_or_a_double(busy: Till) -> None:
    """W1: keyset pages of three are the whole list."""
    actor = busy.cast.sam
    whole = [row.id for row in rows(busy, actor)]
    found, cursor = [], None
    with busy.app.app_context(), open_session(busy.engine, actor.scope()) as session:
        while True:
            page, cursor = list_transactions(session, actor, Filters(), limit=3, cursor=cursor)
            found += [row.id for row in page]
            if cursor is None:
                break
    assert found == whole


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"status": "returned"}, 2),
        ({"currency": "GBP"}, 3),
        ({"since": MOMENT + DAY, "until": MOMENT + 3 * DAY}, 2),
    ],
)
def test_filters_narrow(busy: Till, filters: dict[str, Any], count: int) -> None:
    """E11: by status, currency and month."""
    assert len(rows(busy, busy.cast.sam, Filters(**filters))) == count


def test_filters_by_portal_and_patient_narrow_within_what_is_ones_own(busy: Till) -> None:
    """E11, I2: a stranger's id finds nothing."""
    cast, alpha, beta = busy.cast, busy.cast.alpha, busy.cast.beta
    assert len(rows(busy, cast.sam, Filters(portal_id=beta.id))) == 3
    assert len(rows(busy, cast.sam, Filters(patient_id=alpha.other_patient.id))) == 2
    assert rows(busy, cast.ada, Filters(patient_id=beta.patient.id)) == []


def test_a_patient_sees_their_own_and_operators_their_portals(busy: Till) -> None:
    """I1, I4: Oskar of Alpha sees no pound."""
    cast, alpha, beta = busy.cast, busy.cast.alpha, busy.cast.beta
    mine = rows(busy, alpha.patient)
    assert {row.patient_id for row in mine} == {alpha.patient.id}
    assert len(mine) == 6
    assert {row.portal_id for row in rows(busy, cast.oskar)} == {alpha.id}
    assert {row.portal_id for row in rows(busy, cast.olga)} == {alpha.id, beta.id}


@pytest.mark.parametrize(
    ("month", "zone", "first", "hours"),
    [
        ("2027-03", "Europe/Berlin", "2027-02-28T23:00:00+00:00", 31 * 24 - 1),
        ("2026-12", "Asia/Tokyo", "2026-11-30T15:00:00+00:00", 31 * 24),
    ],
)
def test_a_month_is_one_of_the_readers_wall(month: str, zone: str, first: str, hours: int) -> None:
    """E9: with the change of clocks in it."""
    bounds = month_bounds(month, ZoneInfo(zone))
    assert bounds is not None
    assert bounds[0].isoformat() == first
    assert bounds[1] - bounds[0] == dt.timedelta(hours=hours)
    for wrong in ("2026-13", "2026", "0001-01", "x", ""):
        assert month_bounds(wrong, ZoneInfo(zone)) is None


def test_the_page_shows_rows_sums_chart_and_documents(busy: Till, browser: Browser) -> None:
    """E11: with the badge of each portal and the download's address."""
    cast = busy.cast
    charge = busy.charge(cast.alpha, cast.alpha.patient, cast.sam, 1234, commission=0)
    receipt = busy.receipt(charge)
    browser.sign_in(cast.sam)
    page = browser.get(cast.specialists_host, "/transactions").get_data(as_text=True)
    assert page.count("<tr") > 10
    assert receipt.label in page
    assert "£56.00" in page
    assert "<svg viewBox" in page
    filtered = browser.get(cast.specialists_host, "/transactions?status=returned&month=1999-01").get_data(as_text=True)
    assert "/transactions.csv?status=returned" in filtered
    empty = browser.get(cast.specialists_host, "/transactions?status=void").get_data(as_text=True)
    assert "<tr" not in empty


def test_the_download_has_every_row_and_no_formula(busy: Till, browser: Browser) -> None:
    """E11: amounts in major units with their currency; a name that begins like a formula is text."""
    cast = busy.cast
    with busy.owner.begin() as connection:
        connection.execute(text("UPDATE patient SET name = '=HYPERLINK(\"http://x\")' WHERE name LIKE 'Quinn%'"))
    browser.sign_in(cast.sam)
    answer = browser.get(cast.specialists_host, "/transactions.csv?currency=EUR")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="transactions.csv"'
    table = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert len(table) == 1 + len(rows(busy, cast.sam, Filters(currency="EUR")))
    assert {line[6] for line in table[1:]} == {"EUR"}
    assert any(line[3].startswith("'=HYPERLINK") for line in table)
    assert "-20.00" in {line[7] for line in table}
    assert table[-1][12] == "151.55"


def test_a_patients_page_says_what_became_of_the_money(busy: Till, browser: Browser) -> None:
    """E10: words for each state, links to the documents, and the documents themselves."""
    alpha = busy.cast.alpha
    busy.speak_english()
    receipt = busy.receipt(busy.charge(alpha, alpha.patient, busy.cast.ada, 8000))
    browser.sign_in(alpha.patient)
    page = browser.get(alpha.host, "/payments", headers={"Accept-Language": "en"}).get_data(as_text=True)
    for word in ("Paid", "Partly refunded", "Open", "Failed", "Returned"):
        assert word in page
    (address,) = re.findall(rf'href="(/payments/receipts/{receipt.id}\.pdf)"', page)
    answer = browser.get(alpha.host, address)
    assert answer.mimetype == "application/pdf"
    assert answer.get_data().startswith(b"%PDF-")
    assert f'filename="receipt-{receipt.label}.pdf"' in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_apis_have_the_same_rows(busy: Till, browser: Browser) -> None:
    """W1: the same service as the pages."""
    cast, alpha = busy.cast, busy.cast.alpha
    browser.sign_in(alpha.patient)
    mine = browser.get(alpha.host, "/api/v1/charges?limit=2").get_json()
    assert len(mine["items"]) == 2
    assert mine["next_cursor"]
    assert not {"commission_minor", "portal_id", "account"} & set(mine["items"][0])
    browser.sign_in(cast.sam)
    own = browser.get(cast.specialists_host, "/api/v1/transactions?status=partly_refunded").get_json()["items"]
    assert [(item["gross_minor"], item["net_minor"]) for item in own] == [(6000, 5400)]
    browser.sign_in(cast.oskar)
    for name, kind in (("charges", "charge"), ("refunds", "refund")):
        items = browser.get(cast.admin_host, f"/api/v1/{name}").get_json()["items"]
        assert {item["kind"] for item in items} == {kind}
        assert {item["portal_id"] for item in items} == {str(alpha.id)}
    wrong = browser.get(cast.admin_host, "/api/v1/charges?month=2027-14")
    assert wrong.status_code == 422
    assert "2026-11" in wrong.get_data(as_text=True)


def test_billing_details_are_kept_and_what_is_too_long_is_said(till: Till, browser: Browser) -> None:
    """U2: by page and API; nothing that was typed is lost."""
    cast = till.cast
    browser.sign_in(cast.ada)
    values = {"name": "Praxis Ada", "address": "Weg 1\r\n10115 Berlin ", "tax_id": "DE1", "note": ""}
    answer = browser.post(cast.specialists_host, "/billing-details", values)
    assert answer.status_code == 303
    kept = browser.get(cast.specialists_host, "/api/v1/billing-details").get_json()
    assert kept == {"name": "Praxis Ada", "address": "Weg 1\n10115 Berlin", "tax_id": "DE1", "note": ""}
    refused = browser.post(cast.specialists_host, "/billing-details", {**values, "tax_id": "x" * 61})
    assert refused.status_code == 422
    assert "x" * 61 in refused.get_data(as_text=True)
