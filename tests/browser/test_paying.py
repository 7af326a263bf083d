"""Paying online in a real browser: to the provider's page and back, declined, given up, come back to (B2, E3, E4)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, text

from polyclinic.config import Settings
from support.bookings import set_setting
from support.cast import Cast, PortalCast
from support.journey import choose_time, find_specialist, give_details, prove_address
from support.live import FRESH_SECONDS, Live, serving
from support.looks.alone import look
from support.stripe_doors import keys_for
from support.stripe_simulator import StripeServer, StripeSimulator
from support.visitors import DESK, PHONE, NewVisitor, Visitor, specialist_of

pytestmark = pytest.mark.slow
#: The simulator's own address: what leaves the portal goes there and nowhere else.
STRIPE = "127.0.0.1"
OF_STRIPE = f"http://{STRIPE}:*/**"
WORKS, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"


@pytest.fixture(scope="module")
def live(settings: Settings, stripe_server: StripeServer) -> Iterator[Live]:
    """A web process that has keys of the simulator."""
    with serving(replace(settings, stripe=keys_for(stripe_server.url)), "web-paying") as running:
        yield running


def charging(owner: Engine, sim: StripeSimulator, cast: Cast, portal: PortalCast, model: str) -> None:
    """Let a portal charge online, on an account that is ready where the specialist charges."""
    set_setting(owner, portal, "payment.model", model)
    if model == "connect_direct":
        values = {"specialist": specialist_of(cast, portal).id, "account": sim.account("merchant")}
        with owner.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO account_readiness (specialist_id, provider, kind, external_id, ready)"
                    " VALUES (:specialist, 'stripe', 'merchant', :account, true)"
                ),
                values,
            )
    time.sleep(FRESH_SECONDS + 0.05)


def book(me: Visitor, portal: PortalCast, specialist: str) -> Page:
    """Everything up to the provider's page, where the portal leads by itself."""
    name, email = f"Robin of {portal.slug.title()}", f"robin@{portal.slug}.example"
    page = me.open(portal.host)
    find_specialist(page, specialist)
    choose_time(page, 1)
    page.wait_for_url("**/book/*")
    prove_address(page, me, email, name)
    give_details(page, name)
    for box in page.locator("#confirm input[name=consent]").all():
        box.check()
    me.watch.hosts.add(STRIPE)
    page.locator("#confirm button[type=submit]").last.click()
    page.wait_for_url(OF_STRIPE)
    return page


def pay_by(page: Page, card: str) -> None:
    """Press the button of the provider's page."""
    page.fill("#number", card)
    page.get_by_role("button", name="Pay ").first.click()


@pytest.mark.parametrize(
    ("slug", "model", "viewport", "price"),
    [
        ("alpha", "platform_charge", PHONE, ("80.00 EUR", "80,00 €")),
        ("beta", "connect_direct", DESK, ("75.00 GBP", "£75.00")),
    ],
)
def test_a_stranger_pays_and_the_visit_is_confirmed(
    visitor: NewVisitor,
    live_cast: Cast,
    owner: Engine,
    stripe_sim: StripeSimulator,
    slug: str,
    model: str,
    viewport: dict[str, int],
    price: tuple[str, str],
) -> None:
    """B2: declined first, then paid; confirmed by coming back, without any webhook; a receipt is there."""
    portal = getattr(live_cast, slug)
    charging(owner, stripe_sim, live_cast, portal, model)
    me = visitor(portal, viewport)
    page = book(me, portal, specialist_of(live_cast, portal).name)
    expect(page.locator("body")).to_contain_text(price[0])
    pay_by(page, DECLINED)
    expect(page.get_by_role("alert")).to_contain_text("declined")
    pay_by(page, WORKS)
    page.wait_for_url(f"**//{portal.host}:*/appointments/*/booked*")
    with owner.connect() as connection:
        assert connection.execute(text("SELECT state FROM appointment")).scalars().all() == ["confirmed"]
        assert connection.execute(text("SELECT count(*) FROM receipt")).scalar_one() == 1
    assert [one["paid"] for one in stripe_sim.objects("charge")].count(True) == 1
    me.open(portal.host, "/payments")
    expect(page.locator("main")).to_contain_text(price[1])
    me.mailroom.deliver()
    assert len(me.mailroom.mails(f"robin@{slug}.example")) >= 3  # the code, the welcome, the confirmation


def test_somebody_who_walks_away_comes_back_to_the_same_page_and_gives_up(
    visitor: NewVisitor, live_cast: Cast, owner: Engine, stripe_sim: StripeSimulator
) -> None:
    """B2, L3: one open page of the provider however often it is asked for; the pages of paying are accessible."""
    portal = live_cast.alpha
    charging(owner, stripe_sim, live_cast, portal, "platform_charge")
    me = visitor(portal, bypass_csp=True)
    page = book(me, portal, specialist_of(live_cast, portal).name)
    page.go_back()
    page.wait_for_url(f"**//{portal.host}:*/**")
    page.wait_for_timeout(1000)  # as long as it would take to be led there again
    assert portal.host in page.url
    with owner.connect() as connection:
        appointment = connection.execute(text("SELECT id FROM appointment")).scalar_one()
    wrong: list[str] = []
    for path in ("pay", "paid?look=9"):  # looks again by itself, but not before it has been looked at
        wrong += look(me.open(portal.host, f"/appointments/{appointment}/{path}"), path)
    assert wrong == []
    me.open(portal.host, "/appointments")
    page.locator(f"main a[href*='{appointment}']").first.click()
    page.locator("main a[href*='go=1']").first.click()
    page.wait_for_url(OF_STRIPE)
    assert len(stripe_sim.objects("checkout.session")) == 1
    me.open(portal.host, f"/appointments/{appointment}/cancel")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url(f"**/appointments/{appointment}")
    with owner.connect() as connection:
        assert connection.execute(text("SELECT state FROM appointment")).scalars().all() == ["cancelled"]


def test_the_page_that_waits_goes_on_by_itself_once_the_provider_knows(
    visitor: NewVisitor, live_cast: Cast, owner: Engine, stripe_sim: StripeSimulator
) -> None:
    """B2: nobody need press anything, and the page is not loaded again while nothing is new."""
    portal = live_cast.alpha
    charging(owner, stripe_sim, live_cast, portal, "platform_charge")
    me = visitor(portal)
    page = book(me, portal, specialist_of(live_cast, portal).name)
    pays_at = page.url
    with owner.connect() as connection:
        appointment = connection.execute(text("SELECT id FROM appointment")).scalar_one()
    me.open(portal.host, f"/appointments/{appointment}/paid")
    page.evaluate("window.still = true")
    with page.expect_response("**/paid?look=1"):  # it looks after two seconds
        pass
    assert page.evaluate("window.still") is True
    stripe_sim.pay(pays_at)
    page.wait_for_url(f"**/appointments/{appointment}/booked*")
