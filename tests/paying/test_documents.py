"""E10: what is paid and returned for real, through the provider, has its document by the same commit."""

from __future__ import annotations

from typing import Any

from support.till import Till


def documents(till: Till) -> list[Any]:
    return till.desk.rows("SELECT kind, issuer, number, amount_minor, currency FROM receipt ORDER BY issued_at, number")


def test_a_payment_has_one_receipt_however_often_it_is_read(till: Till) -> None:
    """E4, E7, E10: issued by the portal that takes the money, in the commit that confirms."""
    cast = till.desk.cast
    appointment = till.paid(cast.alpha.patient, cast.ada)
    for _time in range(3):
        till.sync(appointment)
        till.work()
    assert [tuple(row) for row in documents(till)] == [("receipt", "portal", 1, 8000, "EUR")]


def test_a_connected_account_issues_its_own(till: Till) -> None:
    """E3, E10: the specialist is who was paid."""
    cast = till.desk.cast
    till.paid(cast.beta.patient, cast.ben)
    ((kind, issuer, number, amount, _currency),) = documents(till)
    assert (kind, issuer, number, amount) == ("receipt", "specialist", 1, 7500)


def test_a_refund_that_arrived_has_a_credit_note(till: Till) -> None:
    """E8, E10: the next number, naming the receipt; nothing while the money is on its way."""
    cast = till.desk.cast
    till.desk.setting(cast.alpha, "booking.free_cancellation", 3600)
    appointment = till.paid(cast.alpha.patient, cast.ada)
    till.cancel(cast.alpha.patient, appointment)
    assert len(documents(till)) == 1
    till.work()
    receipt, note = till.desk.rows("SELECT id, kind, number, refers_to_id FROM receipt ORDER BY number")
    assert (note.kind, note.number, note.refers_to_id) == ("credit_note", 2, receipt.id)
