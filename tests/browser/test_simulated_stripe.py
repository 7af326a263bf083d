"""The simulator's pages in a real browser: a person pays without scripts, and axe finds nothing (L3, U1)."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium

from support.stripe_requests import LINK_USE, SESSION
from support.stripe_simulator import StripeSimulator
from support.visitors import DESK, PHONE, Watch, violations

pytestmark = pytest.mark.slow
HOST = "127.0.0.1"
SIZES = {"light": DESK, "dark": PHONE}


def session(sim: StripeSimulator, **values: Any) -> Any:
    """A checkout page that leads back to this machine."""
    body: Any = SESSION | {"success_url": f"{sim.url}/ready?paid={{CHECKOUT_SESSION_ID}}"} | values
    return sim.client().v1.checkout.sessions.create(body)


def everything(sim: StripeSimulator) -> list[str]:
    """The address of each page, with something to see."""
    link: Any = {"account": sim.account(ready=False), "use_case": LINK_USE}
    paid, opened, asked = session(sim), session(sim), session(sim)
    sim.hold_webhooks()
    sim.pay(paid.id)
    charge = sim.objects("charge")[0]["id"]
    dispute = sim.dispute(charge)["id"]
    sim.fail_next("/v1/transfers")
    challenge = sim.pay(asked.id, outcome="challenge")["payment_intent"]
    pages = [f"pay/{paid.id}", f"challenge/{challenge}", "control", f"control/{dispute}", "pay/cs_test_unknown"]
    onboarding = sim.client().v2.core.account_links.create(link).url
    return [opened.url, onboarding, *(f"{sim.url}/stripe/{page}" for page in pages)]


def test_every_page_of_the_simulator_is_accessible(stripe_sim: StripeSimulator, chrome: Chromium) -> None:
    """By day at a desk and by night on a phone; nothing is wider than its window."""
    wrong: list[object] = []
    for address in everything(stripe_sim):
        for scheme, size in SIZES.items():
            page = chrome.new_page(viewport=size, color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]  # literals
            page.goto(address)
            wrong += [(address, scheme, *found) for found in violations(page)]
            if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                wrong.append((address, scheme, "wider than its window"))
            page.close()
    assert wrong == []


def test_a_person_pays_without_scripts_and_nothing_breaks_the_policy(
    stripe_sim: StripeSimulator, chrome: Chromium
) -> None:
    """Declined, then through 3-D Secure, then back where the portal said."""
    context = chrome.new_context(viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type]  # a size
    watch = Watch({HOST})
    watch.over(context)
    page = context.new_page()
    opened = session(stripe_sim)
    page.goto(opened.url)
    page.fill("#number", "4000 0000 0000 0002")
    page.get_by_role("button", name="Pay 80.00 EUR").click()
    assert "declined" in page.get_by_role("alert").inner_text()
    page.fill("#number", "4000 0025 0000 3155")
    page.get_by_role("button", name="Pay 80.00 EUR").click()
    page.get_by_role("button", name="Yes, confirm 80.00 EUR").click()
    page.wait_for_url(f"**/ready?paid={opened.id}")
    context.close()
    assert watch.problems == []
    assert [one["paid"] for one in stripe_sim.objects("charge")] == [True, False]
