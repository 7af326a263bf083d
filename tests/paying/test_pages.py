"""B2, B6, B8, E5: paying, coming back, cancelling and marking as paid, as people see it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from support.bookings import TEN
from support.client import Browser
from support.till import Till


@pytest.fixture
def host(till: Till, browser: Browser) -> str:
    """Alpha, where Pat is signed in and reads English."""
    cast = till.desk.cast
    browser.keep(cast.alpha.host, "language", "en")
    return browser.sign_in(cast.alpha.patient)


def words(answer: Any) -> str:
    """What a page says."""
    body = answer.get_data(as_text=True)
    main = re.search(r"<main.*</main>", body, re.DOTALL)
    assert main, body[-2000:]
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", main.group()).split()))


def confirm(till: Till, browser: Browser, host: str) -> str:
    """Choose a time, give the details, press the button; where it leads."""
    cast = till.desk.cast
    hold = till.desk.hold(cast.alpha.patient, cast.ada)
    browser.post(host, f"/book/{hold.id}", {"name": "Pat", "phone": "", "message": ""})
    page = browser.get(host, f"/book/{hold.id}/confirm")
    assert "Continue to payment of €80" in words(page)
    answer = browser.post(host, f"/book/{hold.id}/confirm", {"consent": str(cast.alpha.version)})
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def test_the_button_leads_to_the_providers_page_and_back_to_the_confirmation(
    till: Till, browser: Browser, host: str
) -> None:
    """B2: details → pay → confirmed; without a script, and the same page for a second press."""
    way = confirm(till, browser, host)
    page = browser.get(host, way)
    (payment,) = till.desk.rows("SELECT * FROM payment")
    assert f'content="0; url={payment.url}"' in unescape(page.get_data(as_text=True))
    assert browser.get(host, way).status_code == 200
    assert len(till.sim.objects("checkout.session")) == 1
    back = f"/appointments/{payment.cause_id}/paid"
    assert payment.success_url.endswith(back)
    waiting = browser.get(host, back)
    assert "We are waiting for your payment" in words(waiting)
    assert 'data-look-in="2"' in waiting.get_data(as_text=True)
    till.sim.pay(payment.url)
    till.desk.write("UPDATE payment SET read_at = NULL")
    answer = browser.get(host, back)
    assert answer.headers["Location"].endswith(f"/appointments/{payment.cause_id}/booked")
    assert "€80.00 is paid." in words(browser.get(host, answer.headers["Location"]))


def test_a_declined_card_is_told_kindly_with_a_way_to_try_again(till: Till, browser: Browser, host: str) -> None:
    """B2: nothing was charged, the time is still kept."""
    confirm(till, browser, host)
    (appointment,) = till.desk.rows("SELECT id FROM appointment")
    browser.get(host, f"/appointments/{appointment.id}/pay", query_string={"go": 1})
    till.sim.pay(till.desk.rows("SELECT url FROM payment")[0].url, card="4000000000000002")
    till.desk.write("UPDATE payment SET read_at = NULL")
    said = words(browser.get(host, f"/appointments/{appointment.id}/paid"))
    assert "The payment did not work" in said
    assert "Try again" in said


def test_an_open_payment_is_shown_with_its_countdown_and_ends_when_it_is_read(
    till: Till, browser: Browser, host: str
) -> None:
    """C5, B2: my appointments, the appointment, and the pay page agree, before any job has run."""
    confirm(till, browser, host)
    (appointment,) = till.desk.rows("SELECT id FROM appointment")
    address = f"/appointments/{appointment.id}"
    assert "Waiting for payment" in words(browser.get(host, "/appointments"))
    assert "Continue to payment" in words(browser.get(host, address))
    assert "Kept for your payment for" in words(browser.get(host, f"{address}/pay"))
    till.worker.wait("16 minutes")
    assert "Waiting for payment" not in words(browser.get(host, "/appointments"))
    assert "Cancelled" in words(browser.get(host, address))
    over = browser.get(host, f"{address}/pay")
    assert over.status_code == 410
    assert "The time to pay is over" in words(over)
    assert till.desk.rows("SELECT state FROM appointment")[0].state == "pending_payment", "nobody has swept it"


def test_a_payment_that_came_too_late_is_explained_with_the_next_times(till: Till, browser: Browser, host: str) -> None:
    """B8: sorry, all of it goes back, and what is free instead; by mail as well."""
    cast = till.desk.cast
    confirm(till, browser, host)
    (appointment,) = till.desk.rows("SELECT * FROM appointment")
    browser.get(host, f"/appointments/{appointment.id}/pay")
    till.desk.write("DELETE FROM due")
    till.worker.wait("16 minutes")
    till.desk.hold(cast.alpha.other_patient, cast.ada)
    till.sim.pay(till.desk.rows("SELECT url FROM payment")[0].url)
    answer = browser.get(host, f"/appointments/{appointment.id}/paid")
    assert answer.status_code == 410
    said = words(answer)
    assert "Your payment came too late" in said
    assert "€80.00 goes back to you in full" in said
    assert "The next free times" in said


def test_cancelling_says_what_goes_back_before_the_button(till: Till, browser: Browser, host: str) -> None:
    """B6: of how much, and why; afterwards the page says where the money is."""
    cast = till.desk.cast
    till.desk.setting(cast.alpha, "booking.late_fee", "50 %")
    till.desk.setting(cast.alpha, "booking.free_cancellation", 14 * 86400)
    appointment = till.paid(cast.alpha.patient, cast.ada)
    address = f"/appointments/{appointment.id}"
    assert "You get back €40.00 of €80.00" in words(browser.get(host, f"{address}/cancel"))
    browser.post(host, f"{address}/cancel", {"message": ""})
    said = words(browser.get(host, address))
    assert "€40.00 on its way back · Cancelled late: what is left after the late fee" in said
    till.work()
    assert "€40.00 returned" in words(browser.get(host, address))


def test_the_api_says_the_same(till: Till, browser: Browser, host: str) -> None:
    """W1: book, pay, read and cancel by API alone."""
    cast = till.desk.cast
    hold = till.desk.hold(cast.alpha.patient, cast.ada, TEN)
    headers = {
        "X-CSRFToken": browser.token(host, "/appointments"),
    }
    made = browser.send(
        "POST",
        host,
        "/api/v1/appointments",
        {"hold_id": str(hold.id), "consents": [str(cast.alpha.version)]},
        headers=headers,
    )
    assert made.status_code == 201, made.get_data(as_text=True)
    booked = made.get_json()
    assert booked["state"] == "pending_payment"
    assert booked["payment"]["url"]
    till.sim.pay(booked["payment"]["url"])
    address = f"/api/v1/appointments/{booked['id']}"
    paid = browser.send("POST", host, f"{address}/pay", {}, headers=headers).get_json()
    assert (paid["state"], paid["charge"]["state"]) == ("confirmed", "paid")
    assert paid["cancelling"]["refund"] == {"minor": 8000, "currency": "EUR"}
    gone = browser.send("POST", host, f"{address}/cancel", {}, headers=headers).get_json()
    assert gone["charge"]["refunds"][0]["amount"] == {"minor": 8000, "currency": "EUR"}
    listed = browser.send("GET", host, "/api/v1/charges").get_json()
    assert len(listed["items"]) == 2, "the charge and its refund"


def test_a_specialist_marks_an_invoice_as_paid(till: Till, browser: Browser) -> None:
    """E5: confirmed at once; marked once; the commission is owed from then on."""
    cast = till.desk.cast
    till.desk.setting(cast.alpha, "payment.model", "external_invoice")
    appointment = till.desk.book(cast.alpha.patient, cast.ada)
    assert till.state(appointment) == "confirmed"
    host = browser.sign_in(cast.ada)
    browser.keep(host, "language", "en")
    address = f"/appointments/{appointment.id}"
    assert "Mark as paid" in words(browser.get(host, address))
    for _time in range(2):
        browser.post(host, f"{address}/mark-paid", page=address)
    assert "Mark as paid" not in words(browser.get(host, address))
    assert till.balances() == {
        "specialist:outside": 8000,
        "specialist:revenue": -8000,
        "specialist:receivable": 1200,
        "platform:commission": -1200,
    }
    ((issuer, number),) = till.desk.rows("SELECT issuer, number FROM receipt")
    assert (issuer, number) == ("specialist", 1), "E10: one receipt, by whom the patient paid"
