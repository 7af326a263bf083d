"""E7: a provider that answers 500, nothing, something else, or late; and what is true within a minute of its return."""

from __future__ import annotations

import pytest

from support.till import Till

FAULTS = [(500, False), (500, True), (503, False), ("reset", True), ("reset", False)]


@pytest.mark.parametrize(("status", "after_effect"), FAULTS)
def test_a_page_that_does_not_open_is_opened_later(till: Till, status: int | str, after_effect: bool) -> None:
    """E7: the intent with its key was committed first; the answer to a fault is another try, never another payment."""
    cast = till.desk.cast
    till.sim.fail_next("POST /v1/checkout/sessions", status, after_effect=after_effect, times=3)
    appointment = till.desk.book(cast.alpha.patient, cast.ada)
    with till.desk.app.app_context():
        till.sync(appointment)
    till.sync(appointment)
    for _half_minute in range(2):
        till.later("30 seconds")
    (payment,) = till.payments(appointment)
    assert payment.state == "open"
    till.sim.pay(payment.url)
    till.sync(appointment)
    assert till.state(appointment) == "confirmed"
    assert len(till.sim.objects("charge")) == 1


@pytest.mark.parametrize(("status", "after_effect"), FAULTS)
def test_a_refund_without_an_answer_is_sent_once(till: Till, status: int | str, after_effect: bool) -> None:
    """E7: looked for first, then repeated; within a minute of the application's clock it is settled, once."""
    cast = till.desk.cast
    appointment = till.paid(cast.alpha.patient, cast.ada)
    till.sim.fail_next("POST /v1/refunds", status, after_effect=after_effect, times=3)
    till.cancel(cast.ada, appointment)
    till.work()
    for _half_minute in range(2):
        till.later("30 seconds")
    (refund,) = till.refunds(appointment)
    assert refund.state == "succeeded"
    (made,) = till.sim.objects("refund")
    assert made["amount"] == 8000
    assert till.entries(appointment).count("refund") == 1


@pytest.mark.parametrize("status", [500, "reset"])
def test_a_paid_visit_is_confirmed_within_a_minute_of_the_providers_return(till: Till, status: int | str) -> None:
    """E7: nobody comes back, no webhook arrives, every reading fails for a while."""
    cast = till.desk.cast
    appointment, url = till.start(cast.alpha.patient, cast.ada)
    till.sim.pay(url)
    till.sim.fail_next("GET /v1/checkout/*", status, times=9)  # three readings, each tried three times
    for _half_minute in range(6):
        till.later("30 seconds")
    assert till.state(appointment) == "pending_payment"
    for _half_minute in range(2):
        till.later("30 seconds")
    assert till.state(appointment) == "confirmed"
    assert till.entries(appointment).count("capture") == 1


def test_a_payment_that_is_another_than_was_asked_for_confirms_nothing(till: Till) -> None:
    """E7: put aside for a human, audited, and never again read into the books."""
    cast = till.desk.cast
    appointment, url = till.start(cast.alpha.patient, cast.ada)
    till.desk.write("UPDATE payment SET amount_minor = 7900 WHERE cause_id = :id", id=appointment.id)
    till.sim.pay(url)
    for _time in range(2):
        till.sync(appointment)
    assert till.state(appointment) == "pending_payment"
    (payment,) = till.payments(appointment)
    assert payment.quarantine
    assert payment.state == "open"
    assert till.entries(appointment) == []
    (audited,) = till.desk.rows("SELECT action FROM audit_event WHERE action = 'payment.quarantined'")
    assert audited.action == "payment.quarantined"


def test_a_plugin_that_is_away_is_no_answer(till: Till) -> None:
    """X2: the page stands, and paying goes on when the plugin is repaired."""
    cast = till.desk.cast
    appointment = till.desk.book(cast.alpha.patient, cast.ada)
    till.desk.write("UPDATE payment SET payment_model = 'gone' WHERE cause_id = :id", id=appointment.id)
    till.sync(appointment)
    assert till.payments(appointment)[0].tries == 1
    till.desk.write("UPDATE payment SET payment_model = 'platform_charge' WHERE cause_id = :id", id=appointment.id)
    till.later("30 seconds")
    assert till.payments(appointment)[0].state == "open"
