"""Booking as a person does it, page by page: guest, code, details, agreements, button (B2), and what goes wrong."""

import datetime as dt
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from support.bookings import HOUR, TEN, Desk
from support.calendars import START, SetTime
from support.cast import Cast, PortalCast
from support.client import Browser

MINUTE = dt.timedelta(minutes=1)
Code = Callable[[str], str]


@pytest.fixture
def code_for(owner: Engine) -> Code:
    """Return a callable that reads the last code sent to an address."""

    def read(email: str) -> str:
        query = text("SELECT payload FROM outbox WHERE kind = 'identity.code' ORDER BY id DESC")
        with owner.connect() as connection:
            for (payload,) in connection.execute(query):
                if payload.get("email") == email:
                    return str(payload["code"])
        raise AssertionError(f"no code was sent to {email}")

    return read


def choose(
    browser: Browser, cast: Cast, portal: PortalCast, start: dt.datetime = TEN, name: str = "ada"
) -> TestResponse:
    """Press a time on a specialist's profile."""
    listing = cast.listings[portal.slug, name]
    form = {"listing": str(listing), "service": str(portal.service), "starts": start.isoformat()}
    return browser.post(portal.host, "/book/hold", form, page=f"/specialists/{listing}")


def location(answer: TestResponse) -> str:
    assert answer.status_code == 303, answer.get_data(as_text=True)[-3000:]
    return answer.headers["Location"].replace("http://alpha.localhost:8000", "")


def words(answer: TestResponse) -> str:
    body = answer.get_data(as_text=True)
    main = re.search(r"<main.*</main>", body, re.DOTALL)
    assert main, body[-2000:]
    return " ".join(re.sub(r"<[^>]+>", " ", main.group()).split())


def signed_in(browser: Browser, cast: Cast) -> str:
    """Sign the patient of Alpha in, reading English."""
    browser.keep(cast.alpha.host, "language", "en")
    return browser.sign_in(cast.alpha.patient)


def hold_for_patient(browser: Browser, cast: Cast, start: dt.datetime = TEN, name: str = "ada") -> str:
    return location(choose(browser, cast, cast.alpha, start, name))


DETAILS = {"name": "Pat Alpha", "phone": "+49 30 123456", "message": "My knee hurts."}


def test_a_guest_books_from_the_profile_to_the_confirmation(
    desk: Desk, scene: Cast, browser: Browser, code_for: Code
) -> None:
    """B2: a code is sent, the hold passes on, details and agreements, booked; each page has one next step."""
    host = scene.alpha.host
    browser.keep(host, "language", "en")
    listing = scene.listing(scene.alpha, scene.ada)
    profile = browser.get(host, f"/specialists/{listing}").get_data(as_text=True)
    assert 'action="/book/hold"' in profile
    assert "2027-03-02T09:00" in profile
    path = location(choose(browser, scene, scene.alpha))
    assert browser.cookie(host, "guest")
    page = browser.get(host, path)
    assert page.status_code == 200
    assert "Where can we reach you?" in words(page)
    assert "data-seconds-left" in page.get_data(as_text=True)
    asked = browser.post(host, "/sign-in/email", {"email": "new@example.org", "next": path}, page=path)
    browser.post(host, location(asked), {"code": code_for("new@example.org")})
    named = browser.post(host, "/sign-in/name", {"name": "Nora New"})
    assert location(named) == path
    assert not browser.cookie(host, "guest")
    assert "Who is coming?" in words(browser.get(host, path))
    assert 'value="Nora New"' in browser.get(host, path).get_data(as_text=True)
    confirm = location(browser.post(host, path, {**DETAILS, "name": "Nora New"}))
    summary = browser.get(host, confirm)
    shown = words(summary)
    for expected in ("My knee hurts.", "€80", "These are the terms of", "free of charge until", "Book for €80"):
        assert expected in shown
    done = location(browser.post(host, confirm, {"consent": str(_version(desk, "en"))}))
    shown = words(browser.get(host, done))
    assert "Your appointment is booked" in shown
    assert "Tue 2 Mar, 10:00–10:50 (Berlin)" in shown
    (row,) = desk.rows("SELECT state, patient_id FROM appointment")
    assert row.state == "confirmed"
    assert desk.rows("SELECT email FROM patient WHERE id = :id", id=row.patient_id)[0].email == "new@example.org"


def _version(desk: Desk, locale: str) -> uuid.UUID:
    query = "SELECT id FROM agreement_version WHERE locale = :locale AND portal_id = :portal"
    (row,) = desk.rows(query, locale=locale, portal=desk.cast.alpha.id)
    found: uuid.UUID = row.id
    return found


def test_without_consent_the_page_says_which_is_missing(desk: Desk, scene: Cast, browser: Browser) -> None:
    """K1: beside the box and in the summary; nothing is booked, nothing is lost."""
    host = signed_in(browser, scene)
    path = hold_for_patient(browser, scene)
    confirm = location(browser.post(host, path, DETAILS))
    answer = browser.post(host, confirm)
    assert answer.status_code == 422
    body = answer.get_data(as_text=True)
    assert 'href="#agreement-terms"' in body
    assert 'id="agreement-terms-error"' in body
    assert desk.rows("SELECT 1 FROM appointment") == []


def test_wrong_details_keep_what_was_typed(desk: Desk, scene: Cast, browser: Browser) -> None:
    """B2: each field says what is wrong."""
    host = signed_in(browser, scene)
    path = hold_for_patient(browser, scene)
    answer = browser.post(host, path, {"name": "", "phone": "call me", "message": "My knee <b>hurts</b>"})
    body = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "My knee &lt;b&gt;hurts" in body
    assert "Enter your name" in body
    answer = browser.post(host, path, {"name": "Pat", "phone": "call me", "message": ""})
    assert answer.status_code == 422
    assert "Enter a phone number" in answer.get_data(as_text=True)


def test_an_expired_hold_offers_other_times_and_loses_nothing(
    desk: Desk, scene: Cast, browser: Browser, set_time: SetTime
) -> None:
    """C5: every page and button of a dead hold says so; another time is one press, and the words are still there."""
    host = signed_in(browser, scene)
    path = hold_for_patient(browser, scene)
    confirm = location(browser.post(host, path, DETAILS))
    token = browser.token(host, confirm)
    set_time(START + 11 * MINUTE)
    for answer in (
        browser.get(host, path),
        browser.get(host, confirm),
        browser.post(host, path, {**DETAILS, "csrf_token": token}),
        browser.post(host, confirm, {"consent": str(_version(desk, "de")), "csrf_token": token}),
    ):
        assert answer.status_code == 410
        assert "free again" in words(answer)
        assert "The next free times" in words(answer)
        assert (TEN - HOUR).isoformat() in answer.get_data(as_text=True)
    assert desk.rows("SELECT 1 FROM appointment") == []
    again = hold_for_patient(browser, scene, TEN + HOUR)
    assert "My knee hurts." in browser.get(host, again).get_data(as_text=True)


def test_a_double_submit_and_the_back_button_end_at_the_same_appointment(
    desk: Desk, scene: Cast, browser: Browser
) -> None:
    """B2: booked once; every older page of the way leads to it."""
    host = signed_in(browser, scene)
    path = hold_for_patient(browser, scene)
    confirm = location(browser.post(host, path, DETAILS))
    form: dict[str, Any] = {"consent": str(_version(desk, "de")), "csrf_token": browser.token(host, confirm)}
    done = {location(browser.post(host, confirm, dict(form))) for _ in range(3)}
    done |= {location(browser.get(host, path)), location(browser.get(host, confirm))}
    done.add(location(browser.post(host, path, {**DETAILS, "csrf_token": form["csrf_token"]})))
    done.add(location(browser.post(host, f"{path}/release", {"csrf_token": form["csrf_token"]})))
    assert len(done) == 1
    assert len(desk.rows("SELECT 1 FROM appointment")) == 1
    assert [row.kind for row in desk.rows("SELECT kind FROM outbox WHERE kind LIKE 'appointment.%'")] == [
        "appointment.confirmed"
    ]


def test_two_tabs_the_last_choice_counts(desk: Desk, scene: Cast, browser: Browser) -> None:
    """B2: the tab with the former time says what happened."""
    host = signed_in(browser, scene)
    first = hold_for_patient(browser, scene)
    second = hold_for_patient(browser, scene, TEN + HOUR, "sam")
    answer = browser.get(host, first)
    assert answer.status_code == 410
    assert "chose another one" in words(answer)
    assert browser.get(host, second).status_code == 200


def test_a_taken_time_names_the_next_ones(desk: Desk, scene: Cast, browser: Browser) -> None:
    """C4: 409 with other times to press."""
    host = signed_in(browser, scene)
    desk.hold(scene.alpha.other_patient, scene.ada)
    answer = choose(browser, scene, scene.alpha)
    assert answer.status_code == 409
    assert "has just been taken" in words(answer)
    assert (TEN + HOUR).isoformat() in answer.get_data(as_text=True)
    assert browser.get(host, "/appointments").status_code == 200


def test_an_established_patient_reads_who_proposes(desk: Desk, scene: Cast, browser: Browser) -> None:
    """B1: on the profile, and for a forged form."""
    host = signed_in(browser, scene)
    listing = scene.listing(scene.alpha, scene.ada)
    desk.book(scene.alpha.patient, scene.ada)
    profile = browser.get(host, f"/specialists/{listing}").get_data(as_text=True)
    assert 'name="starts"' not in profile
    assert "proposes your next appointment" in profile
    form = {"listing": str(listing), "service": str(scene.alpha.service), "starts": (TEN + HOUR).isoformat()}
    forged = browser.post(host, "/book/hold", {**form, "csrf_token": browser.token(host, "/appointments")})
    assert forged.status_code == 409
    assert "proposes your next appointment" in words(forged)
    assert len(desk.rows("SELECT 1 FROM claim")) == 1


@pytest.mark.parametrize("starts", ["", "yesterday", "2027-03-02T09:00:00"])
def test_no_or_a_broken_time_leads_back_to_the_times(desk: Desk, scene: Cast, browser: Browser, starts: str) -> None:
    """B2: nothing breaks, whatever is sent."""
    listing = scene.listing(scene.alpha, scene.ada)
    form = {"listing": str(listing), "service": str(scene.alpha.service), "starts": starts}
    answer = browser.post(scene.alpha.host, "/book/hold", form, page=f"/specialists/{listing}")
    assert location(answer).startswith(f"/specialists/{listing}")


def test_giving_back_leads_to_the_times(desk: Desk, scene: Cast, browser: Browser) -> None:
    """B2: “Choose another time”."""
    host = signed_in(browser, scene)
    path = hold_for_patient(browser, scene)
    answer = browser.post(host, f"{path}/release", page=path)
    assert location(answer) == f"/specialists/{scene.listing(scene.alpha, scene.ada)}#times"
    assert desk.rows("SELECT 1 FROM claim") == []


def test_other_peoples_pages_are_not_found(desk: Desk, scene: Cast, browser: Browser) -> None:
    """I2: hold, appointment, cancel page and file of somebody else answer 404 like a random id."""
    theirs = desk.book(scene.alpha.other_patient, scene.ada)
    held = desk.hold(scene.alpha.other_patient, scene.sam, TEN + HOUR)
    elsewhere = desk.book(scene.beta.patient, scene.ben)
    host = signed_in(browser, scene)
    for hold_id in (held.id, uuid.uuid4()):
        for tail in ("", "/confirm"):
            assert browser.get(host, f"/book/{hold_id}{tail}").status_code == 404
    for one in (theirs.id, elsewhere.id, uuid.uuid4()):
        for tail in ("", "/booked", "/cancel", "/calendar.ics"):
            assert browser.get(host, f"/appointments/{one}{tail}").status_code == 404
    token = browser.token(host, "/appointments")
    assert browser.post(host, f"/appointments/{theirs.id}/cancel", {"csrf_token": token}).status_code == 404


def test_my_appointments_and_cancelling(desk: Desk, scene: Cast, browser: Browser, set_time: SetTime) -> None:
    """B6: the page says what cancelling means before the button, by the clock; then it is on another shelf."""
    host = signed_in(browser, scene)
    assert "Nothing is planned" in words(browser.get(host, "/appointments"))
    appointment = desk.book(scene.alpha.patient, scene.ada)
    assert "Ada" in words(browser.get(host, "/appointments"))
    show, cancel = f"/appointments/{appointment.id}", f"/appointments/{appointment.id}/cancel"
    assert "My knee hurts." in words(browser.get(host, show))
    assert "Cancelling now costs nothing" in words(browser.get(host, cancel))
    set_time(TEN - 3 * HOUR)
    late = words(browser.get(host, cancel))
    assert "Cancelling now costs €80" in late
    assert "Cancel for €80" in late
    assert location(browser.post(host, cancel, {"message": "I am ill."})) == show
    shown = words(browser.get(host, show))
    assert "You cancelled it" in shown
    assert "The late fee is €80" in shown
    assert "I am ill." in shown
    assert "Ada" in words(browser.get(host, "/appointments?show=cancelled"))
    assert "Nothing is planned" in words(browser.get(host, "/appointments"))
    assert "can no longer be cancelled" in words(browser.get(host, cancel)) or "has changed" in words(
        browser.get(host, cancel)
    )


def test_the_calendar_file_names_only_the_portal(desk: Desk, scene: Cast, browser: Browser) -> None:
    """C8, P4: UID of the portal, wall time with its zone, nothing about health or the network."""
    host = signed_in(browser, scene)
    appointment = desk.book(scene.alpha.patient, scene.ada)
    answer = browser.get(host, f"/appointments/{appointment.id}/calendar.ics")
    assert answer.mimetype == "text/calendar"
    content = answer.get_data(as_text=True).replace("\r\n ", "")
    assert f"UID:{appointment.id}@alpha.localhost" in content
    assert "DTSTART;TZID=Europe/Berlin:20270302T100000" in content
    for word in ("knee", "canary", "olyclinic", "beta", "Physio"):
        assert word not in content


def test_pages_of_patients_ask_for_a_sign_in(desk: Desk, scene: Cast, browser: Browser) -> None:
    """U1: and come back to where one wanted to go."""
    appointment = desk.book(scene.alpha.patient, scene.ada)
    for path in ("/appointments", f"/appointments/{appointment.id}", "/consents"):
        assert location(browser.get(scene.alpha.host, path)).startswith("/sign-in?next=/")
