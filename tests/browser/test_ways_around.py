"""What people do besides the straight way: back, twice, in two tabs, too late, without scripts (B2, C5)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, text

from support.cast import Cast
from support.journey import choose_time, confirm, find_specialist, give_details, prove_address
from support.visitors import PHONE, NewVisitor, Visitor, set_time

pytestmark = pytest.mark.slow


def states(owner: Engine) -> tuple[list[str], list[str]]:
    """The states of holds and of appointments, in the order of their making."""
    with owner.connect() as connection:
        holds = connection.execute(text("SELECT state FROM hold ORDER BY created_at")).scalars().all()
        appointments = connection.execute(text("SELECT state FROM appointment ORDER BY created_at")).scalars().all()
    return list(holds), list(appointments)


def hold(person: Visitor, cast: Cast, number: int = 0) -> Page:
    """Keep one of Ben's times on Beta."""
    page = person.open(cast.beta.host, f"/specialists/{cast.listing(cast.beta, cast.ben)}")
    choose_time(page, number)
    page.wait_for_url("**/book/*")
    return page


def test_the_whole_booking_works_without_scripts(visitor: NewVisitor, live_cast: Cast, owner: Engine) -> None:
    """L3: pages are forms and links first."""
    me = visitor(live_cast.beta, PHONE, java_script_enabled=False)
    page = me.open(live_cast.beta.host)
    find_specialist(page, "Ben")
    choose_time(page, 2)
    prove_address(page, me, "plain@beta.example", "Plain Reader")
    give_details(page, "Plain Reader")
    confirm(page)
    assert states(owner) == (["booked"], ["confirmed"])
    for path in ("/", "/specialists", "/appointments", "/account", "/consents", "/agreements/terms"):
        assert me.open(live_cast.beta.host, path).locator("h1").count() == 1


def test_back_to_the_times_and_another_one_keeps_only_the_last(
    visitor: NewVisitor, live_cast: Cast, owner: Engine
) -> None:
    """B2: a guest has one live hold; the back button is no trap."""
    me = visitor(live_cast.beta)
    page = hold(me, live_cast)
    page.go_back()
    choose_time(page, 3)
    page.wait_for_url("**/book/*")
    assert states(owner) == (["released", "open"], [])
    prove_address(page, me, "back@beta.example", "Back Again")
    give_details(page, "Back Again")
    confirm(page)
    page.go_back()  # to the summary of what is booked by now
    page.wait_for_load_state()
    page.reload()
    page.wait_for_url("**/booked")
    assert states(owner) == (["released", "booked"], ["confirmed"])


def test_a_double_click_books_once(visitor: NewVisitor, live_cast: Cast, owner: Engine) -> None:
    """B2: two presses of one button are one booking."""
    me = visitor(live_cast.beta)
    page = me.open(live_cast.beta.host, f"/specialists/{live_cast.listing(live_cast.beta, live_cast.ben)}")
    page.locator("button[name=starts]").first.dblclick()
    page.wait_for_url("**/book/*")
    prove_address(page, me, "twice@beta.example", "Twice Pressed")
    give_details(page, "Twice Pressed")
    page.locator("#confirm input[name=consent]").check()
    page.locator("#confirm button[type=submit]").last.dblclick()
    page.wait_for_url("**/booked")
    assert states(owner) == (["booked"], ["confirmed"])


def test_two_tabs_of_one_booking_end_at_one_appointment(visitor: NewVisitor, live_cast: Cast, owner: Engine) -> None:
    """B2: the second tab shows what the first one booked."""
    me = visitor(live_cast.beta)
    page = hold(me, live_cast)
    prove_address(page, me, "tabs@beta.example", "Two Tabs")
    give_details(page, "Two Tabs")
    second = me.context.new_page()
    second.goto(page.url)
    confirm(page)
    confirm(second)
    assert second.url == page.url
    assert states(owner) == (["booked"], ["confirmed"])


def test_two_people_and_one_time(visitor: NewVisitor, live_cast: Cast, owner: Engine) -> None:
    """C4: who comes second is told so, and offered the next times."""
    first, second = visitor(live_cast.beta), visitor(live_cast.beta)
    theirs = second.open(live_cast.beta.host, f"/specialists/{live_cast.listing(live_cast.beta, live_cast.ben)}")
    hold(first, live_cast)
    choose_time(theirs)
    theirs.wait_for_url("**/book/hold")
    assert theirs.locator("main form button").count() > 1
    theirs.locator("main form[action='/book/hold'] button").first.click()
    theirs.wait_for_url(lambda url: not url.endswith("/hold"))
    assert states(owner) == (["open", "open"], [])


def test_an_expired_hold_says_so_and_keeps_what_was_typed(visitor: NewVisitor, live_cast: Cast, owner: Engine) -> None:
    """C5: too late is told when the next step is sent; a new time continues where the person was."""
    me = visitor(live_cast.beta)
    page = hold(me, live_cast)
    prove_address(page, me, "late@beta.example", "Too Late")
    give_details(page, "Too Late")
    set_time(owner, minutes=11)
    page.locator("#confirm input[name=consent]").check()
    page.locator("#confirm button[type=submit]").last.click()
    expect(page.locator("main form[action='/book/hold'] button").first).to_be_visible()
    assert states(owner)[1] == []
    page.locator("main form[action='/book/hold'] button").first.click()
    page.wait_for_url("**/book/*")
    expect(page.locator("main [name=message]")).to_have_value("My knee hurts.")
    page.locator("main input[name=name]").press("Enter")
    page.wait_for_url("**/confirm")
    confirm(page)
    assert states(owner)[1] == ["confirmed"]


def test_a_signed_in_patient_cancels_by_the_policy_that_was_shown(
    visitor: NewVisitor, live_cast: Cast, owner: Engine
) -> None:
    """B6: what it means is said before the button."""
    me = visitor(live_cast.beta)
    me.sign_in(live_cast.beta.host, live_cast.beta.patient.email)
    page = hold(me, live_cast, 4)
    give_details(page, "Pat Beta")
    confirm(page)
    page.goto(page.url.replace("/booked", "/cancel"))
    expect(page.locator("main")).to_contain_text("£75")
    page.locator("main form:has([name=message]) button[type=submit]").first.click()
    page.wait_for_url(lambda url: not url.endswith("/cancel"))
    assert states(owner)[1] == ["cancelled"]
