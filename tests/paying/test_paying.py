"""B2, B8, E3, E4, E7: booking that is confirmed when it is paid, once, whatever happens on the way."""

from __future__ import annotations

import pytest

from polyclinic.kernel.errors import Conflict
from support.bookings import HOUR, TEN
from support.till import Till


def test_paying_confirms_and_books_one_set_of_facts(till: Till) -> None:
    """B2, E4, E6: pending until paid, then confirmed in one commit with the ledger."""
    cast = till.desk.cast
    appointment, url = till.start(cast.alpha.patient, cast.ada)
    assert till.state(appointment) == "pending_payment"
    till.sync(appointment)
    assert till.state(appointment) == "pending_payment"
    till.sim.pay(url)
    till.sync(appointment)
    assert till.state(appointment) == "confirmed"
    (payment,) = till.payments(appointment)
    assert (payment.state, payment.amount_minor, payment.account) == ("paid", 8000, "")
    charge = till.charge(appointment)
    assert (charge.commission_minor, charge.earns, charge.paid_by) == (1600, "share", "provider")
    assert till.entries(appointment) == ["capture", "provider_fee"]
    sums = till.balances()
    assert sums["specialist:payable"] == -6400
    assert sums["platform:commission"] == -1600
    assert sum(sums.values()) == 0


def test_a_connected_account_charges_and_the_platform_takes_its_commission(till: Till) -> None:
    """E3: 15 percent of 75.00 as application fee, in the books of both."""
    cast = till.desk.cast
    appointment = till.paid(cast.beta.patient, cast.ben)
    assert till.state(appointment) == "confirmed"
    assert till.charge(appointment).commission_minor == 1125
    assert till.entries(appointment)[:2] == ["capture", "commission"]
    sums = till.balances()
    assert sums["platform:commission"] == -1125
    assert sums["specialist:revenue"] == -7500
    assert sums["provider:platform"] == 1125


def test_any_number_of_readings_changes_nothing_more(till: Till) -> None:
    """E7: the return page, the webhook and the reconciler are the same function."""
    cast = till.desk.cast
    appointment = till.paid(cast.alpha.patient, cast.ada)
    before = till.entries(appointment), till.balances()
    for _time in range(3):
        till.sync(appointment)
        till.work()
    assert (till.entries(appointment), till.balances()) == before
    assert len(till.sim.objects("charge")) == 1


def test_two_presses_two_tabs_and_the_way_back_end_at_one_page(till: Till) -> None:
    """B2: never two open checkouts for one appointment."""
    cast = till.desk.cast
    appointment, url = till.start(cast.alpha.patient, cast.ada)
    assert {till.open(cast.alpha.patient, appointment) for _press in range(3)} == {url}
    assert len(till.sim.objects("checkout.session")) == 1
    assert len(till.payments(appointment)) == 1


def test_a_declined_card_can_be_tried_again_within_the_time(till: Till) -> None:
    """B2: declining ends nothing; the second card pays the same payment."""
    cast = till.desk.cast
    appointment, url = till.start(cast.alpha.patient, cast.ada)
    assert till.sim.pay(url, card="4000000000000002")["error"]["decline_code"]
    till.sync(appointment)
    assert till.state(appointment) == "pending_payment"
    assert till.payments(appointment)[0].failure == "generic_decline"
    till.sim.pay(till.open(cast.alpha.patient, appointment))
    till.sync(appointment)
    assert till.state(appointment) == "confirmed"
    assert till.payments(appointment)[0].failure is None


def test_the_hold_is_extended_once_to_a_quarter_of_an_hour(till: Till) -> None:
    """B2: 15 minutes from starting payment; pressing again does not make it longer."""
    cast = till.desk.cast
    appointment, _url = till.start(cast.alpha.patient, cast.ada)
    assert appointment.pay_until is not None
    assert 14.5 * 60 < (appointment.pay_until - till.clock()).total_seconds() <= 15 * 60
    till.worker.wait("5 minutes")
    till.open(cast.alpha.patient, appointment)
    (row,) = till.desk.rows("SELECT pay_until FROM appointment WHERE id = :id", id=appointment.id)
    assert row.pay_until == appointment.pay_until


def test_an_unpaid_time_is_free_at_once_and_its_page_is_closed(till: Till) -> None:
    """B2, C5: dead when it is read; the job gives it up and expires the checkout."""
    cast = till.desk.cast
    appointment, url = till.start(cast.alpha.patient, cast.ada)
    till.worker.wait("16 minutes")
    other = till.desk.hold(cast.alpha.other_patient, cast.ada)
    assert other.starts_at == appointment.starts_at, "free before any job ran"
    till.work()
    till.later("1 second")
    assert till.state(appointment) == "cancelled"
    assert till.payments(appointment)[0].state == "expired"
    assert till.sim.objects("checkout.session")[0]["status"] == "expired"
    assert "error" in till.sim.pay(url)
    assert till.charge(appointment).voided_at is not None
    assert till.entries(appointment) == []


def test_a_payment_that_comes_too_late_confirms_if_the_time_is_still_free(till: Till) -> None:
    """B8: nobody wanted it meanwhile."""
    cast = till.desk.cast
    appointment, url = till.start(cast.alpha.patient, cast.ada)
    till.desk.write("DELETE FROM due")
    till.worker.wait("16 minutes")
    till.sim.pay(url)
    till.sync(appointment)
    assert till.state(appointment) == "confirmed"
    assert till.refunds(appointment) == []


def test_a_payment_that_comes_after_the_time_was_given_up_revives_it(till: Till) -> None:
    """B8: given up by the clock, then paid on a page that was still open, and still free."""
    cast = till.desk.cast
    appointment, url = till.start(cast.alpha.patient, cast.ada)
    till.sim.pay(url)
    till.desk.write("DELETE FROM due WHERE kind = 'payment.sync'")
    till.worker.wait("16 minutes")
    till.worker.work()
    till.work()
    assert till.state(appointment) == "confirmed"
    (row,) = till.desk.rows("SELECT cancelled_at, cancelled_by FROM appointment WHERE id = :id", id=appointment.id)
    assert tuple(row) == (None, None)
    assert till.charge(appointment).voided_at is None


def test_a_payment_for_a_time_that_somebody_else_has_goes_back_whole(till: Till) -> None:
    """B8: full refund including the commission, by its rule; nobody is booked twice."""
    cast = till.desk.cast
    appointment, url = till.start(cast.alpha.patient, cast.ada)
    till.desk.write("DELETE FROM due")
    till.worker.wait("16 minutes")
    till.desk.hold(cast.alpha.other_patient, cast.ada)
    till.sim.pay(url)
    till.sync(appointment)
    assert till.state(appointment) == "cancelled"
    (refund,) = till.refunds(appointment)
    assert (refund.amount_minor, refund.commission_minor, refund.reason) == (8000, 1600, "payment_too_late")
    till.work()
    assert till.refunds(appointment)[0].state == "succeeded"
    left = till.balances()
    fee = left.pop("platform:fees")
    assert left == {"provider:platform": -fee}, "what the provider keeps is all that is left"


def test_another_time_is_refused_beside_an_open_payment(till: Till) -> None:
    """B2: a patient keeps one time; the open payment is finished or given up first."""
    cast = till.desk.cast
    appointment, _url = till.start(cast.alpha.patient, cast.ada)
    with pytest.raises(Conflict) as refusal:
        till.desk.hold(cast.alpha.patient, cast.sam, TEN + HOUR)
    assert refusal.value.code == "payment-open"
    till.cancel(cast.alpha.patient, appointment)
    till.work()
    assert till.payments(appointment)[0].state == "expired"
    till.desk.hold(cast.alpha.patient, cast.sam, TEN + HOUR)


def test_money_that_is_promised_confirms_when_it_arrives(till: Till) -> None:
    """E7: complete and unpaid is not paid; a transfer that arrives in time confirms."""
    cast = till.desk.cast
    appointment, url = till.start(cast.alpha.patient, cast.ada)
    till.sim.pay(url, outcome="later")
    till.sync(appointment)
    assert till.state(appointment) == "pending_payment"
    assert till.payments(appointment)[0].state == "processing"
    till.sim.settle(till.sim.objects("payment_intent")[0]["id"], good=True)
    till.sync(appointment)
    assert till.state(appointment) == "confirmed"


def test_promised_money_that_does_not_come_can_be_paid_otherwise(till: Till) -> None:
    """E7: the failed try is over; the next one is another payment."""
    cast = till.desk.cast
    appointment, url = till.start(cast.alpha.patient, cast.ada)
    till.sim.pay(url, outcome="later")
    till.sync(appointment)
    till.sim.settle(till.sim.objects("payment_intent")[0]["id"], good=False)
    till.sync(appointment)
    assert [row.state for row in till.payments(appointment)] == ["failed"]
    again = till.open(cast.alpha.patient, appointment)
    assert again != url
    till.sim.pay(again)
    till.sync(appointment)
    assert [row.state for row in till.payments(appointment)] == ["failed", "paid"]
    assert till.state(appointment) == "confirmed"
