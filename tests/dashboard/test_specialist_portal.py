"""The Specialist Portal's pages: every portal in one place, nobody else's rows (I2, I3, C6, D1)."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import Engine, text

from support.cast import Cast, add_history
from support.client import Browser

HOST = "specialists.localhost"
PAGES = ("/dashboard", "/appointments", "/calendar", "/availability", "/patients", "/live/counts")


def soon(owner: Engine, days: int = 1, hour: int = 9) -> dt.datetime:
    """A whole hour some days from now, on the database's clock (UTC)."""
    with owner.connect() as connection:
        now: dt.datetime = connection.execute(text("SELECT app_now()")).scalar_one()
    return (now + dt.timedelta(days=days)).astimezone(dt.UTC).replace(hour=hour, minute=0, second=0, microsecond=0)


@pytest.fixture
def two_visits(cast: Cast, owner: Engine) -> tuple[uuid.UUID, uuid.UUID]:
    """Sam has a visit on Alpha and one on Beta; Ben one on Beta."""
    first = add_history(owner, cast.alpha, cast.alpha.patient, cast.sam, soon(owner, 1))
    second = add_history(owner, cast.beta, cast.beta.patient, cast.sam, soon(owner, 2))
    add_history(owner, cast.beta, cast.beta.other_patient, cast.ben, soon(owner, 1))
    return first, second


@pytest.mark.parametrize("path", PAGES)
def test_strangers_sign_in_first(cast: Cast, browser: Browser, path: str) -> None:
    """P2: a patient's or an operator's sign-in opens nothing here."""
    browser.sign_in(cast.alpha.patient)
    browser.sign_in(cast.olga)
    answer = browser.get(HOST, path)
    assert answer.status_code == 303
    assert "/sign-in" in answer.location


@pytest.mark.parametrize("path", PAGES)
def test_pages_open_without_anything_to_show(cast: Cast, owner: Engine, browser: Browser, path: str) -> None:
    """LOOKS: an empty page says what it is for."""
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM availability_rule"))
    browser.sign_in(cast.sam)
    assert browser.get(HOST, path).status_code == 200


def test_visits_of_every_portal_are_in_one_place(
    cast: Cast, browser: Browser, two_visits: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """I3: the union over portals, each with its badge; nothing of a colleague's patients."""
    browser.sign_in(cast.sam)
    for path in ("/dashboard", "/appointments", "/patients"):
        page = browser.get(HOST, path).get_data(as_text=True)
        assert "Pat Alpha" in page, path
        assert "Pat Beta" in page, path
        assert cast.alpha.canary in page, path
        assert cast.beta.canary in page, path
        assert "Quinn" not in page, path


def test_foreign_appointments_and_patients_are_not_found(
    cast: Cast, browser: Browser, two_visits: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """I2: another specialist's answers 404, reading and writing; one's own 200 (control)."""
    browser.sign_in(cast.sam)
    assert browser.get(HOST, f"/appointments/{two_visits[0]}").status_code == 200
    assert browser.get(HOST, f"/patients/{cast.alpha.patient.id}").status_code == 200
    assert browser.get(HOST, f"/patients/{cast.beta.other_patient.id}").status_code == 404
    browser.sign_in(cast.ada)
    token = browser.token(HOST, "/availability")
    for path in (f"/appointments/{two_visits[0]}", f"/patients/{cast.alpha.patient.id}"):
        assert browser.get(HOST, path).status_code == 404
    for action in ("cancel", "complete"):
        path = f"/appointments/{two_visits[0]}/{action}"
        assert browser.post(HOST, path, {"csrf_token": token}).status_code == 404


def test_reading_a_patient_is_audited(
    cast: Cast, owner: Engine, browser: Browser, two_visits: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """U3: one event with who, whom and on which portal."""
    browser.sign_in(cast.sam)
    browser.get(HOST, f"/patients/{cast.beta.patient.id}")
    with owner.connect() as connection:
        rows = connection.execute(
            text("SELECT actor_id, subject_id, portal_id FROM audit_event WHERE action = 'patient.read'")
        ).all()
    assert [tuple(row) for row in rows] == [(cast.sam.id, str(cast.beta.patient.id), cast.beta.id)]


def test_the_calendar_shows_wall_times_of_all_portals(
    cast: Cast, owner: Engine, browser: Browser, two_visits: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """C6: visits with portal and colour, hours behind them, in the specialist's zone and without offsets."""
    browser.sign_in(cast.sam)
    day = soon(owner, 0).date()
    answer = browser.get(HOST, f"/calendar/events?from={day}&to={day + dt.timedelta(days=7)}")
    assert answer.status_code == 200
    assert answer.json is not None
    events = answer.json["events"]
    visits = {event["id"]: event for event in events if event["kind"] == "appointment"}
    assert set(visits) == {str(visit) for visit in two_visits}
    berlin = soon(owner, 1).astimezone(dt.timezone(dt.timedelta()))
    first = visits[str(two_visits[0])]
    assert first["start"].endswith(("10:00:00", "11:00:00")), "09:00 UTC in Berlin"
    assert "+" not in first["start"]
    assert "Z" not in first["start"]
    assert cast.alpha.canary in first["portal"]
    assert {event["kind"] for event in events} >= {"appointment", "available"}
    assert berlin.tzinfo is not None


@pytest.mark.parametrize(
    "query", ["", "?from=x&to=y", "?from=2027-01-01&to=2026-01-01", "?from=2026-01-01&to=2027-01-01"]
)
def test_a_calendar_asked_for_nonsense_says_what_it_expected(cast: Cast, browser: Browser, query: str) -> None:
    """Wrong input: what, where, what was expected."""
    browser.sign_in(cast.sam)
    answer = browser.get(HOST, f"/calendar/events{query}")
    assert answer.status_code == 422
    assert "2026-11-23" in answer.get_data(as_text=True)


def test_a_hold_is_shown_while_it_lives(cast: Cast, owner: Engine, browser: Browser) -> None:
    """C5: a dead hold is gone from the calendar although nothing swept it; no page tells whose it is."""
    start = soon(owner, 1)
    with owner.begin() as connection:
        for number, expiry in ((2, "+"), (4, "-")):
            connection.execute(
                text(
                    "INSERT INTO claim (id, specialist_id, claim_id, during, core, expires_at) VALUES"
                    " (gen_random_uuid(), :sam, gen_random_uuid(), tstzrange(:start, :end), tstzrange(:start, :end),"
                    f" app_now() {expiry} interval '5 minutes')"
                ),
                {
                    "sam": cast.sam.id,
                    "start": start + dt.timedelta(hours=number),
                    "end": start + dt.timedelta(hours=number + 1),
                },
            )
    browser.sign_in(cast.sam)
    answer = browser.get(HOST, f"/calendar/events?from={start.date()}&to={start.date()}")
    assert answer.json is not None
    holds = [event for event in answer.json["events"] if event["kind"] == "hold"]
    assert len(holds) == 1
    assert set(holds[0]) == {"id", "title", "start", "end", "kind"}


def test_a_visit_is_completed_once_it_has_begun(cast: Cast, owner: Engine, browser: Browser) -> None:
    """B5: not before the start; afterwards it leaves the list of things to do."""
    ahead = add_history(owner, cast.alpha, cast.alpha.patient, cast.ada, soon(owner, 1))
    over = add_history(owner, cast.alpha, cast.alpha.other_patient, cast.ada, soon(owner, -1))
    browser.sign_in(cast.ada)
    refused = browser.post(HOST, f"/appointments/{ahead}/complete", page=f"/appointments/{ahead}")
    assert refused.status_code == 409
    counts = browser.get(HOST, "/live/counts").json
    assert counts is not None
    assert counts["actions"] == 1
    done = browser.post(HOST, f"/appointments/{over}/complete", page=f"/appointments/{over}")
    assert done.status_code == 303
    assert (browser.get(HOST, "/live/counts").json or {})["actions"] == 0
    again = browser.post(HOST, f"/appointments/{over}/complete", page=f"/appointments/{over}")
    assert again.status_code == 303, "a double click completes once"


def test_a_specialist_cancels_with_a_word_to_the_patient(cast: Cast, owner: Engine, browser: Browser) -> None:
    """B5: cancelled by the specialist, the claim is gone, an event waits in the outbox."""
    visit = add_history(owner, cast.alpha, cast.alpha.patient, cast.ada, soon(owner, 3))
    browser.sign_in(cast.ada)
    done = browser.post(
        HOST, f"/appointments/{visit}/cancel", {"message": "I am ill, sorry."}, page=f"/appointments/{visit}"
    )
    assert done.status_code == 303
    assert "I am ill, sorry." in browser.get(HOST, f"/appointments/{visit}").get_data(as_text=True)
    with owner.connect() as connection:
        state = connection.execute(
            text("SELECT state, cancelled_by FROM appointment WHERE id = :id"), {"id": visit}
        ).one()
        claims = connection.execute(text("SELECT count(*) FROM claim WHERE claim_id = :id"), {"id": visit}).scalar_one()
        told = connection.execute(text("SELECT kind, payload::text FROM outbox")).all()
    assert tuple(state) == ("cancelled", "specialist")
    assert claims == 0
    assert "appointment.cancelled" in {row[0] for row in told}
    assert all("ill" not in row[1] for row in told), "T3: no words in the outbox"


def test_hours_are_added_shown_and_removed(cast: Cast, owner: Engine, browser: Browser) -> None:
    """C1: several days in one go; patients see slots from then on, on Alpha only where it was said so."""
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM availability_rule"))
    browser.sign_in(cast.sam)
    assert (browser.get(HOST, "/live/counts").json or {})["actions"] == 1, "D1: say when you work"
    saved = browser.post(
        HOST,
        "/availability/hours",
        {
            "hours-weekdays": ["0", "1", "2", "3", "4", "5", "6"],
            "hours-starts": "09:00",
            "hours-ends": "12:00",
            "hours-portals": [str(cast.alpha.id)],
        },
        page="/availability",
    )
    assert saved.status_code == 303
    page = browser.get(HOST, "/availability").get_data(as_text=True)
    assert page.count("09:00–12:00") == 7
    with owner.connect() as connection:
        rows = connection.execute(text("SELECT id, portals FROM availability_rule")).all()
    assert {tuple(row[1]) for row in rows} == {(cast.alpha.id,)}
    removed = browser.post(HOST, f"/availability/hours/{rows[0][0]}/delete", page="/availability")
    assert removed.status_code == 303
    assert browser.get(HOST, "/availability").get_data(as_text=True).count("09:00–12:00") == 6
    browser.sign_in(cast.ada)
    foreign = browser.post(HOST, f"/availability/hours/{rows[1][0]}/delete", page="/availability")
    assert foreign.status_code == 404


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("hours", {"hours-starts": "09:00", "hours-ends": "12:00"}, "Choose at least one day"),
        ("hours", {"hours-weekdays": ["0"], "hours-starts": "12:00", "hours-ends": "09:00"}, "must be after"),
        ("hours", {"hours-weekdays": ["9"], "hours-starts": "x", "hours-ends": ""}, "09:00"),
        ("exceptions", {"exception-kind": "extra", "exception-date": "2027-03-01"}, "Give both times"),
        ("exceptions", {"exception-kind": "closed", "exception-date": "nonsense"}, "date"),
        ("time-off", {"off-first_day": "2027-03-02", "off-last_day": "2027-03-01"}, "must be after"),
        ("time-off", {"off-first_day": "9027-03-02"}, "five years"),
        ("time-off", {"off-first_day": "2027-03-02", "off-starts": "09:00"}, "Give both times"),
    ],
)
def test_wrong_availability_says_what_and_where_and_keeps_what_was_typed(
    cast: Cast, owner: Engine, browser: Browser, path: str, fields: dict[str, object], said: str
) -> None:
    """Bad input: nothing is saved, nothing is lost."""
    browser.sign_in(cast.sam)
    tables = ("availability_rule", "availability_exception", "time_off")
    with owner.connect() as connection:
        before = [connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables]
    answer = browser.post(HOST, f"/availability/{path}", fields, page="/availability")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert said in page
    assert 'class="error-summary' in page
    with owner.connect() as connection:
        assert before == [connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables]


def test_time_off_names_the_appointments_it_concerns(cast: Cast, owner: Engine, browser: Browser) -> None:
    """C9: it never fails because of an appointment, and says which ones lie outside now."""
    start = soon(owner, 4)
    add_history(owner, cast.alpha, cast.alpha.patient, cast.ada, start)
    browser.sign_in(cast.ada)
    saved = browser.post(
        HOST,
        "/availability/time-off",
        {"off-first_day": str(start.date()), "off-last_day": str(start.date())},
        page="/availability",
    )
    assert saved.status_code == 303
    page = browser.get(HOST, "/availability").get_data(as_text=True)
    assert "One appointment lies outside your hours now" in page


def test_websites_show_each_portal_by_its_own_rules(cast: Cast, browser: Browser) -> None:
    """S6: state, policy in words, public link; on Alpha (fixed) no price can be set, on Beta (own) one can."""
    browser.sign_in(cast.sam)
    page = browser.get(HOST, "/websites").get_data(as_text=True)
    assert "The website sets the prices." in page
    assert "You set your own prices." in page
    for portal in (cast.alpha, cast.beta):
        assert f"http://{portal.host}:8000/specialists/{cast.listing(portal, cast.sam)}" in page
    assert f"price-{cast.beta.service}" in page
    assert f"price-{cast.alpha.service}" not in page


def test_a_price_is_changed_where_the_policy_allows_it(cast: Cast, owner: Engine, browser: Browser) -> None:
    """E2: own prices on Beta; a forged price on a fixed-price portal changes nothing; nonsense is refused."""
    browser.sign_in(cast.sam)

    def price(portal_id: uuid.UUID) -> object:
        with owner.connect() as connection:
            return connection.execute(
                text("SELECT price_minor FROM listing_service WHERE portal_id = :portal AND specialist_id = :sam"),
                {"portal": portal_id, "sam": cast.sam.id},
            ).scalar_one()

    def send(portal: object, typed: str) -> int:
        assert portal in (cast.alpha, cast.beta)
        here = cast.alpha if portal is cast.alpha else cast.beta
        path = f"/websites/{cast.listing(here, cast.sam)}/services"
        fields = {f"offers-{here.service}": "1", f"price-{here.service}": typed}
        return browser.post(HOST, path, fields, page="/websites").status_code

    assert send(cast.beta, "82.50") == 303
    assert price(cast.beta.id) == 8250
    assert send(cast.beta, "a lot") == 422
    assert price(cast.beta.id) == 8250
    assert send(cast.alpha, "1.00") == 303
    assert price(cast.alpha.id) is None


def test_pausing_hides_a_listing_and_foreign_ones_are_not_found(cast: Cast, owner: Engine, browser: Browser) -> None:
    """S6, I2: the public copy goes and comes back; another specialist's listing answers 404."""
    browser.sign_in(cast.sam)
    own, foreign = cast.listing(cast.alpha, cast.sam), cast.listing(cast.alpha, cast.ada)

    def published() -> int:
        with owner.connect() as connection:
            return int(
                connection.execute(
                    text("SELECT count(*) FROM published_profile WHERE listing_id = :id"), {"id": own}
                ).scalar_one()
            )

    assert browser.post(HOST, f"/websites/{own}/state", {"state": "paused"}, page="/websites").status_code == 303
    assert published() == 0
    assert browser.post(HOST, f"/websites/{own}/state", {"state": "listed"}, page="/websites").status_code == 303
    assert published() == 1
    for action in ("state", "limits", "services"):
        assert browser.post(HOST, f"/websites/{foreign}/{action}", page="/websites").status_code == 404
    wrong = browser.post(HOST, f"/websites/{own}/limits", {"capacity": "many"}, page="/websites")
    assert wrong.status_code == 422
    assert "10,000" in wrong.get_data(as_text=True)
