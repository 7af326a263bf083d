"""E3, E4: specialists connect accounts; what a portal may know of them decides whether anything can be booked."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, text

from polyclinic.booking.holds import hold_slot
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.scope import open_session
from polyclinic.payments.accounts import begin_account, get_needed
from polyclinic.web.places import PlaceFlask
from polyclinic.web.plugins import current_hooks
from support.bookings import TEN, Desk
from support.cast import Cast
from support.client import Browser
from support.stripe_doors import Worker
from support.stripe_simulator import StripeSimulator

HOST = "specialists.localhost"
PAGE = "/getting-paid"
MERCHANT, RECIPIENT = f"{PAGE}/stripe/merchant", f"{PAGE}/stripe/recipient"
NOT_HERE = "takes no online bookings here at the moment"


@pytest.fixture
def desk(scene: Cast, app: PlaceFlask, engine: Engine, owner: Engine, stripe_sim: StripeSimulator) -> Desk:
    """Alpha charges on specialists' accounts, Beta on the network's."""
    desk = Desk(app, scene, engine, owner)
    desk.setting(scene.alpha, "payment.model", "connect_direct")
    desk.setting(scene.beta, "payment.model", "platform_charge")
    return desk


@pytest.fixture
def ada(desk: Desk, browser: Browser) -> Browser:
    """Ada, signed in."""
    browser.sign_in(desk.cast.ada)
    return browser


def words(browser: Browser, path: str, host: str = HOST) -> str:
    answer = browser.get(host, path, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, answer.get_data(as_text=True)[-500:]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def connect(browser: Browser, path: str = MERCHANT, country: str = "DE") -> Any:
    return browser.post(HOST, f"{path}/connect", {"country": country}, page=PAGE)


def account(desk: Desk) -> Any:
    (row,) = desk.rows("SELECT * FROM provider_account")
    return row


def ready(ada: Browser, desk: Desk, sim: StripeSimulator) -> str:
    """Connect Ada's account and have it ready; returns its id."""
    connect(ada)
    external_id = str(account(desk).external_id)
    sim.onboard(external_id)
    assert ada.get(HOST, f"{MERCHANT}/back").status_code == 303
    return external_id


def test_a_specialist_connects_in_one_click_and_comes_back_ready(
    ada: Browser, desk: Desk, stripe_sim: StripeSimulator
) -> None:
    """E3: to Stripe's own pages and back; coming back says nothing, what Stripe says then does."""
    assert "Not connected" in words(ada, PAGE)
    answer = connect(ada)
    assert (answer.status_code, answer.location.startswith(stripe_sim.url)) == (303, True)
    ada.get(HOST, f"{MERCHANT}/back")
    page = words(ada, PAGE)
    assert "Not ready yet" in page
    assert "a bank account for payouts" in page
    assert "your date of birth" in page
    stripe_sim.onboard(account(desk).external_id)
    ada.get(HOST, f"{MERCHANT}/back")
    page = words(ada, PAGE)
    assert "Ready" in page
    assert "Stripe still needs" not in page


def test_two_clicks_and_a_click_after_a_crash_make_one_account(
    ada: Browser, desk: Desk, stripe_sim: StripeSimulator
) -> None:
    """E7: the intent is written first; whoever was killed after the call finds the same account again."""
    connect(ada)
    first = account(desk).external_id
    desk.write("UPDATE provider_account SET external_id = NULL, checked_at = NULL")
    desk.write("DELETE FROM account_readiness")
    connect(ada)
    connect(ada)
    assert account(desk).external_id == first
    assert len(stripe_sim.objects("v2.core.account")) == 1


def test_the_link_that_was_used_is_made_afresh_behind_the_sign_in(
    ada: Browser, app: PlaceFlask, desk: Desk, stripe_sim: StripeSimulator
) -> None:
    """E3: Stripe sends people here when a link is too old; it belongs to whoever is signed in."""
    assert ada.get(HOST, f"{MERCHANT}/again").location.endswith(PAGE)
    first = connect(ada).location
    second = ada.get(HOST, f"{MERCHANT}/again")
    assert second.status_code == 303
    assert second.location.startswith(stripe_sim.url)
    assert second.location != first
    assert "/sign-in" in Browser(app).get(HOST, f"{MERCHANT}/again").location


def test_a_country_is_chosen_and_cannot_be_invented(ada: Browser, desk: Desk) -> None:
    """Nothing is written, and the field says what is expected."""
    for country in ("", "XX", "de"):
        answer = connect(ada, country=country)
        assert answer.status_code == 422
        assert "Country in which you are taxed" in answer.get_data(as_text=True) or "Land" in answer.get_data(
            as_text=True
        )
    assert desk.rows("SELECT * FROM provider_account") == []


def test_stripe_being_away_is_said_and_nothing_is_lost(ada: Browser, desk: Desk, stripe_sim: StripeSimulator) -> None:
    """E7: the next click goes on."""
    stripe_sim.fail_next("/v2/*", 503, times=4)
    answer = connect(ada)
    assert answer.status_code == 503
    assert answer.mimetype == "text/html"
    assert account(desk).external_id is None
    stripe_sim.control("reset")
    assert connect(ada).status_code == 303


def test_only_accounts_that_a_website_asks_for_can_be_connected(ada: Browser, desk: Desk) -> None:
    """I2: Ada is on Alpha alone, which needs a merchant account."""
    for path in (RECIPIENT, f"{PAGE}/paypal/merchant", f"{PAGE}/stripe/nonsense"):
        assert connect(ada, path).status_code == 404
        assert ada.get(HOST, f"{path}/back").status_code == 404
        assert ada.get(HOST, f"{path}/again").status_code == 404


def test_one_specialist_of_two_models_has_two_accounts(
    desk: Desk, browser: Browser, stripe_sim: StripeSimulator
) -> None:
    """E3, E4: Stripe allows no account for both."""
    browser.sign_in(desk.cast.sam)
    for path in (MERCHANT, RECIPIENT):
        assert connect(browser, path).status_code == 303
    page = words(browser, PAGE)
    assert "Patients pay you directly" in page
    assert "You receive your share" in page
    dashboards = sorted(found["dashboard"] for found in stripe_sim.objects("v2.core.account"))
    assert dashboards == ["express", "full"]


def test_the_api_says_the_same(ada: Browser, desk: Desk, stripe_sim: StripeSimulator) -> None:
    """W1: what the page shows, in ids."""
    (before,) = ada.send("GET", HOST, "/api/v1/payment-accounts").get_json()["items"]
    assert before["blocks_booking"]
    assert not before["connected"]
    assert before["portal_ids"] == [str(desk.cast.alpha.id)]
    ready(ada, desk, stripe_sim)
    (after,) = ada.send("GET", HOST, "/api/v1/payment-accounts").get_json()["items"]
    assert (after["connected"], after["ready"], after["blocks_booking"]) == (True, True, False)


def profile(desk: Desk) -> str:
    return f"/specialists/{desk.cast.listing(desk.cast.alpha, desk.cast.ada)}"


def test_nothing_is_bookable_before_the_account_is_ready_through_any_door(
    ada: Browser, desk: Desk, app: PlaceFlask, engine: Engine
) -> None:
    """E3, B1: page, API, forged form and service refuse with a sentence that blames nobody."""
    cast, guest = desk.cast, Browser(app)
    page = words(guest, profile(desk), cast.alpha.host)
    assert NOT_HERE in page
    listing, service = cast.listing(cast.alpha, cast.ada), cast.alpha.service
    query = f"service={service}&from=2027-03-01&to=2027-03-08"
    slots = guest.send("GET", cast.alpha.host, f"/api/v1{profile(desk)}/slots?{query}")
    assert slots.status_code == 409 or slots.get_json().get("items", slots.get_json().get("slots")) == []
    fields = {"listing": str(listing), "service": str(service), "starts": TEN.isoformat()}
    forged = guest.post(cast.alpha.host, "/book/hold", fields, page=profile(desk))
    assert forged.status_code == 409
    visitor = desk.guest(cast.alpha)
    with app.app_context(), open_session(engine, visitor.scope()) as session, pytest.raises(Conflict) as refused:
        hold_slot(session, visitor, desk.portal(cast.alpha), listing, service, TEN, "Europe/London")
    assert refused.value.code == "not-payable"
    assert desk.rows("SELECT * FROM hold") == []


def test_a_specialist_sees_why_and_is_one_click_away(ada: Browser, desk: Desk) -> None:
    """D1, S6: on Today and on Websites."""
    assert "Stripe is not connected" in words(ada, "/dashboard")
    page = words(ada, "/websites")
    assert "No times are shown here yet" in page
    assert "Connect Stripe" in page


def test_times_appear_with_the_account_and_go_with_it(
    ada: Browser, desk: Desk, app: PlaceFlask, worker: Worker, stripe_sim: StripeSimulator
) -> None:
    """E3, E7: by coming back, and by Stripe's own word alone."""
    guest, host = Browser(app), desk.cast.alpha.host
    external_id = ready(ada, desk, stripe_sim)
    assert NOT_HERE not in words(guest, profile(desk), host)
    assert "No times are shown here yet" not in words(ada, "/websites")
    assert "Stripe is not connected" not in words(ada, "/dashboard")
    stripe_sim.webhooks_to(app)
    stripe_sim.onboard(external_id, ready=False, due=["individual.id_number"])
    stripe_sim.drain()
    worker.work()
    assert NOT_HERE in words(guest, profile(desk), host)
    stripe_sim.onboard(external_id)
    stripe_sim.drain()
    worker.work()
    assert NOT_HERE not in words(guest, profile(desk), host)


def test_a_free_visit_needs_no_account(ada: Browser, desk: Desk, app: PlaceFlask) -> None:
    """E3, E5: what costs nothing is served by `free`."""
    desk.write("UPDATE service SET price_minor = 0 WHERE id = :id", id=desk.cast.alpha.service)
    assert NOT_HERE not in words(Browser(app), profile(desk), desk.cast.alpha.host)


def test_where_the_network_charges_nobody_waits_for_an_account(desk: Desk, app: PlaceFlask) -> None:
    """E4: the share waits, the patient does not."""
    cast = desk.cast
    listing = cast.listing(cast.beta, cast.ben)
    assert NOT_HERE not in words(Browser(app), f"/specialists/{listing}", cast.beta.host)


def test_an_account_is_of_its_specialist_alone(ada: Browser, desk: Desk, app: PlaceFlask, engine: Engine) -> None:
    """I1: Ben sees nothing of Ada's, Beta's pages nothing of Alpha's specialists."""
    connect(ada)
    for scope, seen in ((desk.cast.ada.scope(), 1), (desk.cast.ben.scope(), 0)):
        with open_session(engine, scope) as session:
            assert len(session.execute(text("SELECT * FROM provider_account")).all()) == seen
    with open_session(engine, desk.guest(desk.cast.beta).scope()) as session:
        assert session.execute(text("SELECT * FROM account_readiness")).all() == []
    with app.test_request_context(), open_session(engine, desk.cast.ada.scope()) as session:
        portals = [desk.portal(desk.cast.alpha)]
        needed = get_needed(session, desk.cast.ada, current_hooks(), portals, "stripe", "merchant")
        again = begin_account(session, desk.cast.ada, needed, "XX")
        assert isinstance(again.id, uuid.UUID)


def test_forms_may_lead_to_the_pages_of_stripe_and_only_where_somebody_pays_or_connects(
    ada: Browser, desk: Desk
) -> None:
    """Browsers hold redirects after a form against `form-action`: without the origin the button would do nothing."""

    def targets(host: str, path: str) -> list[str]:
        policy = ada.get(host, path).headers["Content-Security-Policy"]
        return re.findall(r"form-action ([^;]+)", policy)[0].split()

    stripe = desk.app.config["POLYCLINIC"].stripe.api_base
    assert targets(HOST, PAGE) == targets(desk.cast.alpha.host, "/") == ["'self'", stripe]
    assert targets("admin.localhost", "/sign-in") == ["'self'"]
