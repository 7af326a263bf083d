"""Booking through the API alone, and the same rows as through the pages (W1, B1, B2, B5)."""

import uuid
from typing import Any

import pytest
from werkzeug.test import TestResponse

from polyclinic.app import create_app
from polyclinic.booking.tasks import expire_holds
from polyclinic.config import Settings
from polyclinic.hooks.specs import hookimpl
from polyclinic.hooks.types import AppointmentChange
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.web.db import db
from support.bookings import HOUR, TEN, Desk
from support.calendars import START, OpenAs, SetTime
from support.cast import Cast, PortalCast
from support.client import Browser
from support.factories import MakeToken

API = "/api/v1"
DETAILS = {"name": "Pat A.", "phone": "+49 30 123456", "message": "My knee hurts."}
ALL = ("appointments:read", "appointments:write", "consents:read", "consents:write")


def json_of(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert isinstance(answer.json, dict)
    return answer.json


def wanted(cast: Cast, portal: PortalCast, specialist: Actor, start: Any = TEN) -> dict[str, str]:
    """The body that asks for a time."""
    return {
        "specialist_id": str(cast.listing(portal, specialist)),
        "service_id": str(portal.service),
        "starts_at": start.isoformat(),
        "zone": "Europe/Berlin",
    }


def rows_of_booking(desk: Desk) -> dict[str, list[tuple[Any, ...]]]:
    """What a booking left behind, without ids and times of the clock."""
    queries = {
        "appointment": "SELECT portal_id, patient_id, specialist_id, service_id, starts_at, ends_at, zone, state,"
        " service_name::text, specialist_name, price_minor, currency, payment_model, policy::text, sequence"
        " FROM appointment",
        "hold": "SELECT state, patient_id, guest, address, price_minor, zone FROM hold",
        "claim": "SELECT specialist_id, during::text, core::text, expires_at FROM claim",
        "allocation": "SELECT portal_id, patient_id, specialist_id, source, state FROM allocation",
        "consent": "SELECT patient_id, agreement_id, version_id, hash, answer FROM consent",
        "message": "SELECT kind, author, body FROM appointment_message",
        "patient": "SELECT name, phone FROM patient ORDER BY name",
        "outbox": "SELECT kind, portal_id, payload - 'appointment_id' FROM outbox"
        " WHERE kind LIKE 'appointment.%' ORDER BY id",
        "audit": "SELECT action, actor_kind, actor_id, portal_id, subject_kind FROM audit_event"
        " WHERE action LIKE ANY (ARRAY['hold.%', 'appointment.%', 'allocation.%', 'consent.%', 'patient.%'])"
        " ORDER BY id",
    }
    return {name: [tuple(map(str, row)) for row in desk.rows(query)] for name, query in queries.items()}


def test_the_api_alone_books_what_the_pages_book(
    desk: Desk, scene: Cast, browser: Browser, api_token: MakeToken
) -> None:
    """W1: equal rows in database, outbox and audit; only the consent says how it was given."""
    host, token = scene.alpha.host, api_token(scene.alpha.patient, *ALL)
    path = f"{API}/holds"
    hold = json_of(browser.send("POST", host, path, wanted(scene, scene.alpha, scene.ada), headers=token), 201)
    assert (hold["status"], hold["price"]) == ("live", {"minor": 8000, "currency": "EUR"})
    assert 500 < hold["seconds_left"] <= 600
    agreements = json_of(browser.send("GET", host, f"{API}/agreements?locale=de"))["items"]
    body = {"hold_id": hold["id"], **DETAILS, "consents": [one["version_id"] for one in agreements]}
    booked = json_of(browser.send("POST", host, f"{API}/appointments", body, headers=token), 201)
    assert booked["state"] == "confirmed"
    assert booked["cancelling"]["possible"]
    assert booked["messages"] == {"booking": "My knee hurts."}
    through_api = rows_of_booking(desk)

    for table in ("appointment_message", "consent", "claim", "hold_details", "allocation", "appointment", "hold"):
        desk.write(
            {
                "appointment_message": "DELETE FROM appointment_message",
                "consent": "DELETE FROM consent",
                "claim": "DELETE FROM claim",
                "hold_details": "DELETE FROM hold_details",
                "allocation": "DELETE FROM allocation",
                "appointment": "DELETE FROM appointment",
                "hold": "DELETE FROM hold",
            }[table]
        )
    desk.write("TRUNCATE outbox, audit_event")
    desk.write("UPDATE listing SET active_allocations = 0")
    desk.write("UPDATE patient SET name = 'Pat Alpha', phone = NULL WHERE id = :id", id=scene.alpha.patient.id)

    browser.keep(host, "zone", "Europe/Berlin")
    browser.sign_in(scene.alpha.patient)
    listing = scene.listing(scene.alpha, scene.ada)
    form = {"listing": str(listing), "service": str(scene.alpha.service), "starts": TEN.isoformat()}
    path = browser.post(host, "/book/hold", form, page=f"/specialists/{listing}").headers["Location"]
    confirm = browser.post(host, path, DETAILS).headers["Location"]
    done = browser.post(host, confirm, {"consent": str(scene.alpha.version)})
    assert done.status_code == 303, done.get_data(as_text=True)
    assert rows_of_booking(desk) == through_api
    assert through_api["appointment"]
    assert len(through_api["audit"]) == 5


def test_a_double_submit_through_the_api_is_one_booking(
    desk: Desk, scene: Cast, browser: Browser, api_token: MakeToken
) -> None:
    """W1, B2: with an Idempotency-Key the answer is replayed; without one it is the same appointment."""
    host, token = scene.alpha.host, api_token(scene.alpha.patient, *ALL)
    body = wanted(scene, scene.alpha, scene.ada)
    keyed = {**token, "Idempotency-Key": "one"}
    first = browser.send("POST", host, f"{API}/holds", body, headers=keyed)
    again = browser.send("POST", host, f"{API}/holds", body, headers=keyed)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert json_of(again, 201)["id"] == json_of(first, 201)["id"]
    other = browser.send("POST", host, f"{API}/holds", {**body, "zone": "UTC"}, headers=keyed)
    assert json_of(other, 422)["code"] == "idempotency-key-reused"
    assert (
        json_of(browser.send("POST", host, f"{API}/holds", body, headers=token), 201)["id"] == json_of(first, 201)["id"]
    )
    booking = {"hold_id": json_of(first, 201)["id"], **DETAILS, "consents": [str(scene.alpha.version)]}
    ids = {
        json_of(browser.send("POST", host, f"{API}/appointments", booking, headers=token), 201)["id"] for _ in range(3)
    }
    assert len(ids) == 1
    found = json_of(browser.send("GET", host, f"{API}/holds/{booking['hold_id']}", headers=token))
    assert (found["status"], found["appointment_id"]) == ("booked", ids.pop())


def test_refusals_are_problems_with_what_is_free(
    desk: Desk, scene: Cast, browser: Browser, api_token: MakeToken, set_time: SetTime
) -> None:
    """B1, C4, C5: 409 and 410 name the next times where they may be told, and none where they may not."""
    host, token = scene.alpha.host, api_token(scene.alpha.patient, *ALL)
    desk.hold(scene.alpha.other_patient, scene.ada)
    body = wanted(scene, scene.alpha, scene.ada)
    taken = json_of(browser.send("POST", host, f"{API}/holds", body, headers=token), 409)
    assert taken["code"] == "time-taken"
    assert taken["next"][0] == "2027-03-02T10:00:00+00:00"
    later = wanted(scene, scene.alpha, scene.ada, TEN + HOUR)
    hold = json_of(browser.send("POST", host, f"{API}/holds", later, headers=token), 201)
    missing = browser.send("POST", host, f"{API}/appointments", {"hold_id": hold["id"], **DETAILS}, headers=token)
    assert list(json_of(missing, 422)["errors"]) == ["agreement-terms"]
    wrong = browser.send("POST", host, f"{API}/appointments", {"hold_id": hold["id"], "name": " "}, headers=token)
    assert list(json_of(wrong, 422)["errors"]) == ["name"]
    set_time(START + 11 * (HOUR / 60))
    dead = json_of(browser.send("GET", host, f"{API}/holds/{hold['id']}", headers=token))
    assert (dead["status"], dead["seconds_left"]) == ("expired", 0)
    booking = {"hold_id": hold["id"], **DETAILS, "consents": [str(scene.alpha.version)]}
    gone = json_of(browser.send("POST", host, f"{API}/appointments", booking, headers=token), 410)
    assert gone["code"] == "hold-expired"
    assert gone["next"]
    desk.book(scene.alpha.patient, scene.ada, TEN + 2 * HOUR)
    refused = json_of(browser.send("POST", host, f"{API}/holds", later, headers=token), 409)
    assert refused["code"] == "specialist-proposes"
    assert "next" not in refused


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("specialist_id", "nobody"),
        ("service_id", None),
        ("starts_at", "2027-03-02T09:00:00"),
        ("starts_at", "tomorrow"),
        ("price", 1),
    ],
)
def test_wrong_input_is_named(
    desk: Desk, scene: Cast, browser: Browser, api_token: MakeToken, field: str, value: object
) -> None:
    """W1: 422 with the field; a field that does not exist is an error too."""
    token = api_token(scene.alpha.patient, *ALL)
    body = {**wanted(scene, scene.alpha, scene.ada), field: value}
    answer = json_of(browser.send("POST", scene.alpha.host, f"{API}/holds", body, headers=token), 422)
    assert field in str(answer["errors"])
    assert desk.rows("SELECT 1 FROM hold") == []


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "2026-01-01T09:00:00Z"])
def test_times_out_of_this_world_are_not_offered(
    desk: Desk, scene: Cast, browser: Browser, api_token: MakeToken, start: str
) -> None:
    """B1: 409, whatever is sent; the same form on a page leads to other times."""
    token = api_token(scene.alpha.patient, *ALL)
    body = {**wanted(scene, scene.alpha, scene.ada), "starts_at": start}
    answer = json_of(browser.send("POST", scene.alpha.host, f"{API}/holds", body, headers=token), 409)
    assert answer["code"] == "time-not-offered"
    listing = scene.listing(scene.alpha, scene.ada)
    form = {"listing": str(listing), "service": str(scene.alpha.service), "starts": start}
    assert browser.post(scene.alpha.host, "/book/hold", form, page=f"/specialists/{listing}").status_code == 409
    for first, last in (("0001-01-01", "0001-01-05"), ("8999-12-31", "9000-01-03"), ("9999-12-28", "9999-12-31")):
        assert browser.get(scene.alpha.host, f"/specialists/{listing}?from={first}").status_code == 200
        address = f"{API}/specialists/{listing}/slots?service={scene.alpha.service}&from={first}&to={last}"
        assert browser.send("GET", scene.alpha.host, address).status_code in (200, 422)


def test_a_token_needs_its_scope_and_its_place(desk: Desk, scene: Cast, browser: Browser, api_token: MakeToken) -> None:
    """W1, I2: 403 without the scope, 401 without a token, 404 for foreign ids, like random ones."""
    appointment = desk.book(scene.alpha.other_patient, scene.ada)
    elsewhere = desk.book(scene.beta.patient, scene.ben)
    host, read = scene.alpha.host, api_token(scene.alpha.patient, "appointments:read")
    assert browser.send("GET", host, f"{API}/appointments").status_code == 401
    body = wanted(scene, scene.alpha, scene.ada, TEN + HOUR)
    assert browser.send("POST", host, f"{API}/holds", body, headers=read).status_code == 403
    token = api_token(scene.alpha.patient, *ALL)
    for one in (appointment.id, elsewhere.id, uuid.uuid4()):
        assert browser.send("GET", host, f"{API}/appointments/{one}", headers=token).status_code == 404
        assert browser.send("POST", host, f"{API}/appointments/{one}/cancel", {}, headers=token).status_code == 404
        assert browser.send("GET", host, f"{API}/holds/{one}", headers=token).status_code == 404
        assert browser.send("DELETE", host, f"{API}/holds/{one}", headers=token).status_code == 404
    foreign = {**body, "specialist_id": str(scene.listing(scene.beta, scene.ben))}
    assert browser.send("POST", host, f"{API}/holds", foreign, headers=token).status_code == 404


def test_patients_list_and_cancel(desk: Desk, scene: Cast, browser: Browser, api_token: MakeToken) -> None:
    """W1, B6: pages of a cursor in order; cancelling twice is once; the freed hold answers 204 twice."""
    host, token = scene.alpha.host, api_token(scene.alpha.patient, *ALL)
    ids = [str(desk.book(scene.alpha.patient, one, TEN + n * HOUR).id) for n, one in enumerate((scene.ada, scene.sam))]
    first = json_of(browser.send("GET", host, f"{API}/appointments?limit=1&show=next", headers=token))
    assert [one["id"] for one in first["items"]] == ids[:1]
    assert first["items"][0]["specialist_id"] == str(scene.listing(scene.alpha, scene.ada))
    cursor = first["next_cursor"]
    second = json_of(browser.send("GET", host, f"{API}/appointments?limit=1&show=next&cursor={cursor}", headers=token))
    assert ([one["id"] for one in second["items"]], second["next_cursor"]) == (ids[1:], None)
    for _ in range(2):
        answer = browser.send("POST", host, f"{API}/appointments/{ids[0]}/cancel", {"message": "Ill."}, headers=token)
        cancelled = json_of(answer)
        assert (cancelled["state"], cancelled["cancelled_late"]) == ("cancelled", False)
    shown = json_of(browser.send("GET", host, f"{API}/appointments?show=cancelled", headers=token))
    assert [one["id"] for one in shown["items"]] == ids[:1]
    body = wanted(scene, scene.alpha, scene.ada, TEN + 3 * HOUR)
    hold = json_of(browser.send("POST", host, f"{API}/holds", body, headers=token), 201)
    for _ in range(2):
        assert browser.send("DELETE", host, f"{API}/holds/{hold['id']}", headers=token).status_code == 204
    assert str(scene.ada.id) not in str(shown), "P4: the network's id of a specialist stays inside"


def test_specialists_see_cancel_and_complete_over_all_portals(
    desk: Desk, scene: Cast, browser: Browser, api_token: MakeToken, set_time: SetTime
) -> None:
    """I3, B5: one list of both portals; strangers' appointments are not found."""
    host, token = scene.specialists_host, api_token(scene.sam, "appointments:read", "appointments:write")
    one = desk.book(scene.alpha.patient, scene.sam)
    two = desk.book(scene.beta.patient, scene.sam, TEN + HOUR)
    theirs = desk.book(scene.alpha.other_patient, scene.ada)
    found = json_of(browser.send("GET", host, f"{API}/appointments", headers=token))["items"]
    assert [(item["id"], item["portal_id"]) for item in found] == [
        (str(one.id), str(scene.alpha.id)),
        (str(two.id), str(scene.beta.id)),
    ]
    for verb in ("cancel", "complete"):
        answer = browser.send("POST", host, f"{API}/appointments/{theirs.id}/{verb}", {}, headers=token)
        assert answer.status_code == 404
    early = browser.send("POST", host, f"{API}/appointments/{one.id}/complete", headers=token)
    assert json_of(early, 409)["code"] == "appointment-not-begun"
    assert json_of(browser.send("POST", host, f"{API}/appointments/{two.id}/cancel", {}, headers=token))["state"] == (
        "cancelled"
    )
    set_time(TEN + HOUR)
    done = json_of(browser.send("POST", host, f"{API}/appointments/{one.id}/complete", headers=token))
    assert (done["state"], done["patient_name"]) == ("completed", "Pat Alpha")
    assert done["messages"] == {"booking": "My knee hurts."}


def test_the_job_marks_holds_that_somebody_booked_over(
    desk: Desk, scene: Cast, open_as: OpenAs, set_time: SetTime
) -> None:
    """C5: on whichever portal they were; the living stay, and twice is once."""
    dead = desk.hold(scene.beta.patient, scene.sam)
    set_time(START + 11 * (HOUR / 60))
    alive = desk.hold(scene.alpha.patient, scene.sam)
    for expected in (1, 0):
        with open_session(desk.engine, Scope("job")) as session:
            assert expire_holds(session, [dead.id, alive.id]) == expected
    states = {row.id: row.state for row in desk.rows("SELECT id, state FROM hold")}
    assert states == {dead.id: "expired", alive.id: "open"}


class Loud:
    """A plugin that listens, and one time fails."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.fails = False

    @hookimpl
    def appointment_changed(self, change: AppointmentChange) -> None:
        """Hear it."""
        self.heard.append((change.moment, change.by))
        if self.fails:
            raise RuntimeError("a plugin broke")


def test_plugins_hear_of_changes_and_cannot_break_them(desk: Desk, scene: Cast, settings: Settings) -> None:
    """X2: `appointment_changed` is told inside the transaction; one that raises undoes nothing."""
    plugin = Loud()
    app = create_app(settings, plugin)
    other = Desk(app, scene, desk.engine, desk.owner)
    other.book(scene.alpha.patient, scene.ada)
    plugin.fails = True
    assert other.book(scene.alpha.other_patient, scene.ada, TEN + HOUR).state == "confirmed"
    assert plugin.heard == [("confirmed", "patient")] * 2
    assert len(desk.rows("SELECT 1 FROM appointment")) == 2
    with app.app_context():
        db.engine.dispose()


def test_a_zone_that_is_none_is_refused(scene: Cast, browser: Browser, api_token: MakeToken) -> None:
    """W1: what and where, instead of another zone in its place; no zone at all is the specialist's."""
    host, token = scene.alpha.host, api_token(scene.alpha.patient, *ALL)
    body = wanted(scene, scene.alpha, scene.ada)
    for wrong in ("Mars/Base", "../../etc/passwd", "europe/berlin"):
        answer = browser.send("POST", host, f"{API}/holds", body | {"zone": wrong}, headers=token)
        assert "zone" in json_of(answer, 422)["errors"]["json"]
    del body["zone"]
    json_of(browser.send("POST", host, f"{API}/holds", body, headers=token), 201)
