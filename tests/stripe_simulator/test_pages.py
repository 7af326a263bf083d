"""What browsers see of the simulator through the dev host: its pages, not its API, and never in production (U1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from polyclinic.app import create_app
from polyclinic.config import Settings, StripeKeys
from polyclinic.web.db import db
from polyclinic.web.places import PlaceFlask
from polyclinic_stripe_simulator.pages.checkout_page import colour, ink
from polyclinic_stripe_simulator.proxy import simulated_at
from support.cast import Cast
from support.client import Browser
from support.stripe_requests import LINK_USE, SESSION
from support.stripe_simulator import KEY, StripeServer, StripeSimulator

DEV = "dev.localhost"
BRAND = {"display_name": "Lindenhof", "button_color": "#7a3e2b"}


@pytest.fixture(scope="module")
def paying_app(settings: Settings, stripe_server: StripeServer) -> Iterator[PlaceFlask]:
    """The application beside a simulator."""
    app = create_app(replace(settings, stripe=StripeKeys(secret_key=KEY, api_base=stripe_server.url)))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def visitor(cast: Cast, paying_app: PlaceFlask, stripe_sim: StripeSimulator) -> Browser:
    """Somebody with a browser, a network and an empty Stripe."""
    paying_app.places.forget()
    return Browser(paying_app)


def pay_path(sim: StripeSimulator) -> str:
    """The path of a fresh checkout page."""
    body: Any = SESSION | {"branding_settings": BRAND}
    session = sim.client().v1.checkout.sessions.create(body)
    return f"/stripe/pay/{session.id}"


def test_a_person_pays_on_the_portals_own_page(visitor: Browser, stripe_sim: StripeSimulator) -> None:
    """Brand, amount and a warning that nothing is real; then back to the portal, with the id of the session."""
    path = pay_path(stripe_sim)
    page = visitor.get(DEV, path)
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    for words in ("Lindenhof", "80.00 EUR", "Appointment", "No money moves", "#7a3e2b"):
        assert words in text
    assert "http://demo.localhost" in page.headers["Content-Security-Policy"]
    assert not re.findall(r"<script|src=|https?://(?!demo\.localhost)", text)
    paid = visitor.post(DEV, path, {"number": "4242 4242 4242 4242", "way": "card"})
    assert paid.status_code == 303
    assert paid.headers["Location"] == f"http://demo.localhost/done?session={path.rsplit('/', 1)[1]}"
    assert "This is done" in visitor.get(DEV, path).get_data(as_text=True)


def test_a_declined_card_is_said_beside_what_was_typed(visitor: Browser, stripe_sim: StripeSimulator) -> None:
    """Nothing typed is lost, the reason is there, and the session is still open."""
    path = pay_path(stripe_sim)
    refused = visitor.post(DEV, path, {"number": "4000000000009995", "name": "Pat <b>", "way": "card"})
    text = refused.get_data(as_text=True)
    assert refused.status_code == 402
    for words in ("insufficient funds", 'value="4000000000009995"', "Pat &lt;b&gt;", 'aria-invalid="true"'):
        assert words in text


def test_3d_secure_and_paying_later_lead_on(visitor: Browser, stripe_sim: StripeSimulator) -> None:
    """The challenge is a page of its own."""
    asked = visitor.post(DEV, pay_path(stripe_sim), {"number": "4000002500003155", "way": "card"})
    challenge = "/stripe" + asked.headers["Location"].partition("/stripe")[2]
    failed = visitor.post(DEV, challenge, {"answer": "no"})
    assert "/stripe/pay/" in failed.headers["Location"]
    again = visitor.post(DEV, pay_path(stripe_sim), {"number": "4000002500003155", "way": "card"})
    challenge = "/stripe" + again.headers["Location"].partition("/stripe")[2]
    assert visitor.post(DEV, challenge, {"answer": "yes"}).headers["Location"].startswith("http://demo.localhost/done")
    later = visitor.post(DEV, pay_path(stripe_sim), {"number": "", "way": "debit"})
    assert later.headers["Location"].startswith("http://demo.localhost/done")
    assert stripe_sim.objects("checkout.session")[0]["payment_status"] == "unpaid"


def test_a_specialist_is_onboarded_once_per_link(visitor: Browser, stripe_sim: StripeSimulator) -> None:
    """Approved, then back; the same link again leads to where a new one is made."""
    account = stripe_sim.account(ready=False)
    body: Any = {"account": account, "use_case": LINK_USE}
    link = stripe_sim.client().v2.core.account_links.create(body)
    path = "/stripe" + link.url.partition("/stripe")[2]
    assert "Specialist" in visitor.get(DEV, path).get_data(as_text=True)
    back = visitor.post(DEV, path, {"answer": "ready"})
    assert back.headers["Location"] == LINK_USE["account_onboarding"]["return_url"]
    assert stripe_sim.objects("v2.core.account")[0]["requirements"]["entries"] == []
    assert visitor.get(DEV, path).headers["Location"] == LINK_USE["account_onboarding"]["refresh_url"]


def test_the_control_page_does_what_its_buttons_say(visitor: Browser, stripe_sim: StripeSimulator) -> None:
    """And says so; what it cannot do, it says too."""
    path = pay_path(stripe_sim)
    visitor.post(DEV, path, {"number": "4242424242424242", "way": "card"})
    done = visitor.post(DEV, "/stripe/control", {"do": "switch", "next_refund": "pending"})
    assert done.headers["Location"].endswith("control?done=switch")
    intent = stripe_sim.objects("payment_intent")[0]["id"]
    refund = stripe_sim.client().v1.refunds.create({"payment_intent": intent})
    page = visitor.get(DEV, "/stripe/control").get_data(as_text=True)
    assert refund.status == "pending"
    assert "Arrives" in page
    wrong = visitor.post(DEV, "/stripe/control", {"do": "settle", "intent": intent, "good": "1"})
    assert "not+processing" in wrong.headers["Location"]
    assert "unlink" in visitor.post(DEV, "/stripe/control", {"do": "unlink"}).headers["Location"]
    assert refund.id in visitor.get(DEV, f"/stripe/control/{refund.id}").get_data(as_text=True)


def test_only_pages_are_handed_through(visitor: Browser) -> None:
    """Neither the API nor the control interface of programs."""
    for path in ("/stripe/v1/charges", "/v1/charges", "/stripe/_control/objects", "/_control/objects", "/stripe/ready"):
        assert visitor.get(DEV, path).status_code == 404
    assert visitor.get(DEV, "/stripe/control/..%2F..%2Fv1%2Fcharges").status_code == 404


def test_forms_without_the_pages_token_are_refused(visitor: Browser, stripe_sim: StripeSimulator) -> None:
    """As everywhere (T3)."""
    refused = visitor.post(DEV, "/stripe/control", {"do": "reset", "csrf_token": "wrong"})
    assert refused.status_code == 400


def test_the_pages_exist_beside_a_simulator_only(settings: Settings) -> None:
    """Not in production, not with a real key, not for another address."""
    ours = StripeKeys(secret_key=KEY, api_base="http://127.0.0.1:9000")
    assert simulated_at(replace(settings, stripe=ours)) == ("127.0.0.1", 9000)
    for mode, keys in (
        ("production", ours),
        ("demo", replace(ours, secret_key="sk_test_4242424242")),
        ("demo", replace(ours, api_base="https://api.stripe.com")),
        ("demo", StripeKeys()),
    ):
        assert simulated_at(replace(settings, mode=mode, stripe=keys)) is None  # type: ignore[arg-type]  # a literal


@pytest.mark.parametrize(
    ("button", "shown", "text"),
    [("#ffffff", "#ffffff", "#000000"), ("#7a3e2b", "#7a3e2b", "#ffffff"), ("red;}*{x", "#0f172a", "#ffffff")],
)
def test_a_colour_is_a_colour_and_its_text_can_be_read(button: str, shown: str, text: str) -> None:
    """A portal's colour goes into a style sheet."""
    assert (colour(button), ink(shown)) == (shown, text)


def test_other_hosts_and_other_sites_are_not_answered(stripe_sim: StripeSimulator) -> None:
    """A page of the web that bends its name to this machine, or posts a form to it."""
    bent = stripe_sim.fetch("GET", "/stripe/control", Host="evil.example")
    foreign = stripe_sim.fetch("POST", "/stripe/control", Sec_Fetch_Site="cross-site")
    plain = stripe_sim.fetch("POST", "/_control/reset")
    assert (bent.status_code, foreign.status_code, plain.status_code) == (421, 403, 400)


def test_a_page_says_what_it_is_sorry_about(visitor: Browser, stripe_sim: StripeSimulator) -> None:
    """Unknown and ended pages."""
    assert "No such" in visitor.get(DEV, "/stripe/pay/cs_test_unknown").get_data(as_text=True)
    path = pay_path(stripe_sim)
    stripe_sim.expire(path.rsplit("/", 1)[1])
    ended = visitor.get(DEV, path)
    assert ended.status_code == 410
    assert SESSION["cancel_url"] in ended.get_data(as_text=True)
