"""The main job in real browsers: a stranger finds a specialist and books, and the specialist sees it."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, text

from support.cast import Cast
from support.journey import choose_time, confirm, find_specialist, give_details, prove_address
from support.visitors import DESK, PHONE, NewVisitor, specialist_of

pytestmark = pytest.mark.slow

#: By its own rules: language, price as people of that portal read it.
RULES = {"alpha": ("de", "80 €"), "beta": ("en", "£75"), "gamma": ("en", "¥9,000")}


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("slug", RULES)
def test_a_stranger_books_and_the_specialist_sees_it_live(
    visitor: NewVisitor, live_cast: Cast, owner: Engine, slug: str, viewport: dict[str, int]
) -> None:
    """B2, D2, C6: home, directory, profile, time, code, details, agreements, booked; dashboard live, calendar."""
    portal = getattr(live_cast, slug)
    specialist = specialist_of(live_cast, portal)
    language, price = RULES[slug]
    name, email = f"Robin of {slug.title()}", f"robin@{slug}.example"

    theirs = visitor(viewport=viewport)
    board = theirs.sign_in(live_cast.specialists_host, specialist.email)
    theirs.open(live_cast.specialists_host, "/dashboard")
    expect(board.locator("html")).to_have_attribute("data-line", "live")

    me = visitor(portal, viewport)
    page = me.open(portal.host)
    expect(page.locator("html")).to_have_attribute("lang", language)
    find_specialist(page, specialist.name)
    starts_at = choose_time(page, 1)
    page.wait_for_url("**/book/*")
    prove_address(page, me, email, name)
    give_details(page, name)
    expect(page.locator("main")).to_contain_text(price)
    confirm(page)
    expect(page.locator("main")).to_contain_text(specialist.name)
    expect(page.locator("main")).to_contain_text(price)

    me.mailroom.deliver()
    expect(board.locator("#board")).to_contain_text(name)  # nobody reloaded it
    theirs.open(live_cast.specialists_host, f"/calendar?date={starts_at[:10]}")
    expect(board.locator("main")).to_contain_text(name)
    told = [str(mail["Subject"]) for mail in me.mailroom.mails(email)]
    assert len(told) == 3, told  # the code, the welcome and the confirmation
    assert len(me.mailroom.mails(specialist.email)) == 1
    with owner.connect() as connection:
        booked = connection.execute(text("SELECT state, price_minor, currency, starts_at FROM appointment")).all()
    assert [(row.state, row.starts_at) for row in booked] == [("confirmed", dt.datetime.fromisoformat(starts_at))]
