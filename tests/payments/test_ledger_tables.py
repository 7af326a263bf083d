"""E6, E8: what the database itself refuses, whoever writes: unbalanced, changed, deleted, above the charge."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from polyclinic.payments import ledger_rules
from polyclinic.payments.ledger_rules import Postings, Where, refuse_unbalanced
from support.cast import Cast, add_history
from support.paid import add_paid
from support.populated import START
from support.scopes import undone


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_posting", "ledger_account"])
@pytest.mark.parametrize("statement", ['UPDATE "{}" SET specialist_id = specialist_id', 'DELETE FROM "{}"'])
def test_the_ledger_is_append_only_even_for_its_owner(paid: Cast, owner: Engine, table: str, statement: str) -> None:
    """E6: never edited, never deleted; a correction is another entry."""
    with undone(owner) as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text(statement.format(table)))


def test_an_entry_that_does_not_balance_is_refused_at_commit(paid: Cast, owner: Engine) -> None:
    """E6: one more cent on one side."""
    with undone(owner) as connection, pytest.raises(IntegrityError, match="does not balance"):
        connection.execute(
            text(
                "INSERT INTO ledger_account (id, portal_id, specialist_id, kind, currency)"
                " SELECT gen_random_uuid(), portal_id, specialist_id, 'platform:fees', currency FROM ledger_account"
                " LIMIT 1"
            )
        )
        connection.execute(
            text(
                "INSERT INTO ledger_posting (entry_id, account_id, portal_id, specialist_id, currency, amount)"
                " SELECT e.id, a.id, a.portal_id, a.specialist_id, a.currency, 1 FROM ledger_entry e, ledger_account a"
                " WHERE a.kind = 'platform:fees'"
            )
        )
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_an_entry_without_sides_is_refused_at_commit(paid: Cast, owner: Engine) -> None:
    """E6: a fact that moves nothing is no entry."""
    with undone(owner) as connection, pytest.raises(IntegrityError, match="does not balance"):
        connection.execute(
            text(
                "INSERT INTO ledger_entry (portal_id, specialist_id, charge_id, kind, source_key, cause_kind, cause_id,"
                " occurred_at) SELECT portal_id, specialist_id, charge_id, kind, 'another', cause_kind, cause_id,"
                " occurred_at FROM ledger_entry"
            )
        )
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_the_same_fact_is_written_once(paid: Cast, owner: Engine) -> None:
    """E6: the source key is unique over the whole network."""
    with undone(owner) as connection, pytest.raises(IntegrityError, match="uq_ledger_entry_source_key"):
        connection.execute(
            text(
                "INSERT INTO ledger_entry (portal_id, specialist_id, charge_id, kind, source_key, cause_kind, cause_id,"
                " occurred_at) SELECT portal_id, specialist_id, charge_id, kind, source_key, cause_kind, cause_id,"
                " occurred_at FROM ledger_entry"
            )
        )


@pytest.mark.parametrize(("amount", "commission", "fits"), [(4000, 400, True), (4001, 0, False), (500, 401, False)])
def test_refunds_above_the_charge_are_refused(
    paid: Cast, owner: Engine, amount: int, commission: int, fits: bool
) -> None:
    """E8: half of the 80.00 is on its way back already."""
    statement = text(
        "INSERT INTO refund (id, portal_id, patient_id, specialist_id, charge_id, payment_id, amount_minor,"
        " commission_minor, currency, reason, requested_by, cause_key, idempotency_key) SELECT gen_random_uuid(),"
        " portal_id, patient_id, specialist_id, charge_id, payment_id, :amount, :commission, currency, reason,"
        " requested_by, 'another', 'another' FROM refund"
    )
    with undone(owner) as connection:
        connection.execute(statement, {"amount": amount, "commission": commission})
        if fits:
            connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        else:
            with pytest.raises(IntegrityError, match="exceed it"):
                connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_one_cause_has_one_payment_that_can_still_be_paid(paid: Cast, owner: Engine) -> None:
    """B2, B8: nothing is charged twice: a second live payment for the same cause does not exist."""
    statement = text(
        "INSERT INTO payment (id, portal_id, patient_id, specialist_id, cause_kind, cause_id, payment_model, provider,"
        " account, amount_minor, currency, commission_minor, state, attempt, idempotency_key, locale, success_url,"
        " cancel_url, deadline, page_until) SELECT gen_random_uuid(), portal_id, patient_id, specialist_id, cause_kind,"
        " cause_id,"
        " payment_model, provider, account, amount_minor, currency, commission_minor, :state, 2, 'another', locale,"
        " success_url, cancel_url, deadline, page_until FROM payment"
    )
    for state in ("intended", "open", "processing"):
        with undone(owner) as connection, pytest.raises(IntegrityError, match="uq_payment_cause_live"):
            connection.execute(statement, {"state": state})
    with undone(owner) as connection:
        connection.execute(statement, {"state": "failed"})


@given(st.sampled_from(["platform", "specialist", "outside"]), st.integers(1, 10**9), st.data())
def test_every_fact_balances(where: Where, amount: int, data: st.DataObject) -> None:
    """E6: by its rule, before the database is asked; and a charge returned in whole leaves nothing but fees."""
    commission, fee = data.draw(st.integers(0, amount)), data.draw(st.integers(1, 1000))
    facts: list[Postings] = [
        ledger_rules.capture(where, amount, commission),
        ledger_rules.commission_taken(where, commission),
        ledger_rules.refund(where, amount, commission),
        ledger_rules.commission_given_back(where, commission),
    ]
    with_fee = [*facts, ledger_rules.provider_fee(where, fee)]
    assert [fact for fact in with_fee if fact and refuse_unbalanced(fact) is not None] == []
    assert refuse_unbalanced({"platform:fees": 1, "provider:platform": 1}) is not None
    left: dict[str, int] = {}
    for account, change in itertools.chain.from_iterable(fact.items() for fact in facts):
        left[account] = left.get(account, 0) + change
    assert {account: rest for account, rest in left.items() if rest} == {}


@pytest.fixture
def paid(cast: Cast, owner: Engine) -> Cast:
    """One paid charge of 80.00 on Alpha, half of it on its way back."""
    appointment_id = add_history(owner, cast.alpha, cast.alpha.patient, cast.ada, START)
    add_paid(owner, cast.alpha, cast.alpha.patient, cast.ada, appointment_id)
    return cast
