"""B6, E8: what goes back when an appointment is cancelled: by the frozen policy, named, in proportion, once."""

from __future__ import annotations

import datetime as dt

import pytest

from polyclinic.booking.appointments import cancelling_means
from polyclinic.booking.charges import refund_preview
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import open_session
from polyclinic.payments.refund_rules import RefundTerms
from support.bookings import TEN
from support.till import Till


def preview(till: Till, actor: Actor, appointment_id: object) -> RefundTerms | None:
    """What the page says before the button."""
    from polyclinic.booking.appointments import get_appointment  # noqa: PLC0415  # beside its one use

    with till.desk.app.app_context(), open_session(till.desk.engine, actor.scope()) as session:
        appointment = get_appointment(session, actor, appointment_id)  # type: ignore[arg-type]  # an id
        terms = cancelling_means(session, actor, appointment)
        return refund_preview(session, appointment, terms.fee, actor.kind)


def test_cancelling_in_time_gives_everything_back(till: Till) -> None:
    """B6, E8: the preview, the row, the provider and the books say the same."""
    cast = till.desk.cast
    till.desk.setting(cast.alpha, "booking.free_cancellation", 3600)
    appointment = till.paid(cast.alpha.patient, cast.ada)
    terms = preview(till, cast.alpha.patient, appointment.id)
    assert terms is not None
    assert (terms.back.minor, terms.paid.minor, terms.reason) == (8000, 8000, "free_cancellation")
    till.cancel(cast.alpha.patient, appointment)
    (refund,) = till.refunds(appointment)
    assert (refund.state, refund.amount_minor, refund.commission_minor) == ("requested", 8000, 1600)
    till.work()
    (refund,) = till.refunds(appointment)
    assert (refund.state, refund.reason, refund.requested_by) == ("succeeded", "free_cancellation", "patient")
    sums = till.balances()
    assert set(sums) == {"platform:fees", "provider:platform"}


def test_a_late_patient_gets_back_what_the_fee_leaves(till: Till) -> None:
    """B6: 50 percent of 80.00 stays, and its commission with it."""
    cast = till.desk.cast
    till.desk.setting(cast.alpha, "booking.late_fee", "50 %")
    till.desk.setting(cast.alpha, "booking.free_cancellation", 14 * 86400)
    appointment = till.paid(cast.alpha.patient, cast.ada)
    terms = preview(till, cast.alpha.patient, appointment.id)
    assert terms is not None
    assert (terms.back.minor, terms.reason) == (4000, "late_cancellation")
    till.cancel(cast.alpha.patient, appointment)
    till.work()
    (refund,) = till.refunds(appointment)
    assert (refund.amount_minor, refund.commission_minor, refund.state) == (4000, 800, "succeeded")
    assert till.balances()["specialist:payable"] == -3200


@pytest.mark.parametrize("by", ["ada", "oskar"])
def test_nobody_but_the_patient_is_ever_late(till: Till, by: str) -> None:
    """B6, E8: specialist and operator give everything back, whatever the policy."""
    cast = till.desk.cast
    till.desk.setting(cast.alpha, "booking.free_cancellation", 14 * 86400)
    appointment = till.paid(cast.alpha.patient, cast.ada)
    till.cancel(getattr(cast, by), appointment)
    till.work()
    (refund,) = till.refunds(appointment)
    expected = {"ada": "specialist_cancelled", "oskar": "operator_cancelled"}[by]
    assert (refund.amount_minor, refund.commission_minor, refund.reason) == (8000, 1600, expected)


def test_a_connected_account_gives_back_with_the_commission_in_proportion(till: Till) -> None:
    """E3: what the provider returned of the fee is what the books say."""
    cast = till.desk.cast
    till.desk.setting(cast.beta, "booking.late_fee", "50 %")
    till.desk.setting(cast.beta, "booking.free_cancellation", 14 * 86400)
    appointment = till.paid(cast.beta.patient, cast.ben)
    till.cancel(cast.beta.patient, appointment)
    till.work()
    (refund,) = till.refunds(appointment)
    assert (refund.amount_minor, refund.state) == (3750, "succeeded")
    fees = till.sim.objects("application_fee")
    assert refund.commission_minor == fees[0]["amount_refunded"]
    assert till.balances()["platform:commission"] == -(1125 - refund.commission_minor)


def test_a_platform_may_keep_its_commission_when_patients_cancel(till: Till) -> None:
    """E3: switchable, frozen with the charge; never where the specialist cancels."""
    cast = till.desk.cast
    till.desk.setting(cast.beta, "payment.return_commission", False)
    first = till.paid(cast.beta.patient, cast.ben)
    till.cancel(cast.beta.patient, first)
    till.work()
    assert till.refunds(first)[0].commission_minor == 0
    assert till.sim.objects("application_fee")[0]["amount_refunded"] == 0
    second = till.paid(cast.beta.other_patient, cast.ben, TEN + dt.timedelta(hours=2))
    till.cancel(cast.ben, second)
    till.work()
    assert till.refunds(second)[0].commission_minor == 1125


def test_cancelling_twice_gives_back_once(till: Till) -> None:
    """E8: the same cause asks once, and the provider is asked once."""
    cast = till.desk.cast
    appointment = till.paid(cast.alpha.patient, cast.ada)
    for _time in range(2):
        till.cancel(cast.ada, appointment)
        till.refund(appointment)
    till.work()
    assert len(till.refunds(appointment)) == 1
    assert len(till.sim.objects("refund")) == 1


def test_a_refund_that_fails_takes_its_entries_back(till: Till) -> None:
    """E6, E8: pending is booked, because the money has left; failed is reversed, and can be asked for again."""
    cast = till.desk.cast
    appointment = till.paid(cast.alpha.patient, cast.ada)
    before = till.balances()
    till.switch(next_refund="pending")
    till.cancel(cast.ada, appointment)
    till.work()
    assert till.refunds(appointment)[0].state == "pending"
    till.sim.fail_refund(till.sim.objects("refund")[0]["id"])
    till.sync(appointment)
    assert till.refunds(appointment)[0].state == "failed"
    assert till.balances() == before
    assert till.entries(appointment).count("reversal") == 1


def test_a_refund_made_at_the_provider_is_a_fact_here(till: Till) -> None:
    """E7: whoever returns money in the provider's own dashboard changes our books too."""
    cast = till.desk.cast
    appointment = till.paid(cast.alpha.patient, cast.ada)
    charge = till.sim.objects("charge")[0]
    till.sim.client().v1.refunds.create({"charge": charge["id"], "amount": 1000})
    till.sync(appointment)
    till.sync(appointment)
    (refund,) = till.refunds(appointment)
    assert (refund.amount_minor, refund.commission_minor, refund.reason) == (1000, 200, "made_at_provider")
    till.cancel(cast.ada, appointment)
    till.work()
    assert sum(row.amount_minor for row in till.refunds(appointment)) == 8000
    assert sum(row.commission_minor for row in till.refunds(appointment)) == 1600


@pytest.mark.parametrize(("beside", "amounts"), [(107, [7893, 107]), (8000, [8000, 8000])])
def test_money_returned_at_the_provider_while_ours_is_on_its_way_leaves_the_rest_to_us(
    till: Till, beside: int, amounts: list[int]
) -> None:
    """E8: what was asked for is cut to what is left, under another key; all of it goes back, and nobody is asked."""
    cast = till.desk.cast
    till.desk.setting(cast.alpha, "booking.free_cancellation", 3600)
    appointment = till.paid(cast.alpha.patient, cast.ada)
    till.cancel(cast.alpha.patient, appointment)
    (charge,) = till.sim.objects("charge")
    till.sim.client().v1.refunds.create({"charge": charge["id"], "amount": beside})
    till.work()
    assert [row.amount_minor for row in till.refunds(appointment)] == amounts
    states = ["failed", "succeeded"] if beside == 8000 else ["succeeded", "succeeded"]
    assert [row.state for row in till.refunds(appointment)] == states
    assert till.sim.objects("charge")[0]["amount_refunded"] == 8000
    assert till.payments(appointment)[0].quarantine is None
    assert set(till.balances()) == {"platform:fees", "provider:platform"}


def test_a_disputed_payment_is_not_returned_as_well(till: Till) -> None:
    """E8: a refund beside a chargeback would lose the money twice; the appointment is cancelled all the same."""
    cast = till.desk.cast
    appointment = till.paid(cast.alpha.patient, cast.ada)
    till.sim.dispute(till.sim.objects("charge")[0]["id"])
    till.sync(appointment)
    assert till.payments(appointment)[0].disputed
    till.cancel(cast.ada, appointment)
    assert till.state(appointment) == "cancelled"
    assert till.refunds(appointment) == []


def test_giving_up_an_unpaid_time_tells_nobody_and_costs_nothing(till: Till) -> None:
    """B2, B6: no fee, no refund, no mail to the specialist, the page is closed."""
    cast = till.desk.cast
    appointment, _url = till.start(cast.alpha.patient, cast.ada)
    till.cancel(cast.alpha.patient, appointment)
    till.work()
    assert till.state(appointment) == "cancelled"
    assert till.payments(appointment)[0].state == "expired"
    assert till.desk.rows("SELECT 1 FROM outbox WHERE kind = 'appointment.cancelled'") == []
