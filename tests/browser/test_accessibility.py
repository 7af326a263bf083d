"""L3: axe on each page of each place once, by day and by night, on a phone and at a desk."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine

from polyclinic.web.places import PlaceFlask
from support.bookings import HOUR, TEN, Desk, in_browser
from support.cast import Cast
from support.visitors import DESK, PHONE, NewVisitor, violations

pytestmark = pytest.mark.slow
#: Colours that are still on their way would be measured half way.
SETTLED = (
    "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    ".then(() => Promise.allSettled(document.getAnimations().map(one => one.finished)))"
)


@pytest.fixture
def desk(live_cast: Cast, mailroom: object, app: PlaceFlask, engine: Engine, owner: Engine) -> Desk:
    return Desk(app, live_cast, engine, owner)


def look(page: Page, at: str) -> list[str]:
    """What is wrong with the page as it stands; at night only what depends on colours and on the width."""
    wrong = []
    for scheme, size, rules in (("light", DESK, ()), ("dark", PHONE, ("color-contrast", "target-size"))):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a size
        page.evaluate(SETTLED)
        wrong += [f"{at} ({scheme}): {rule} {html}" for rule, html in violations(page, rules)]
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            wrong.append(f"{at} ({scheme}): wider than its window")
    return wrong


def test_pages_of_a_portal(visitor: NewVisitor, live_cast: Cast, desk: Desk) -> None:
    """As a stranger, then as a patient with a booking and a time that is kept."""
    alpha, cast = live_cast.alpha, live_cast
    me = visitor(alpha, bypass_csp=True)
    wrong: list[str] = []
    profile = f"/specialists/{cast.listing(alpha, cast.lea)}"
    for path in ("/", "/specialists", profile, "/sign-in", "/register", "/forgot", "/sign-in/email", "/nowhere"):
        wrong += look(me.open(alpha.host, path), path)
    with desk.app.app_context():
        appointment = desk.book(alpha.patient, cast.ada).id
        hold = desk.hold(in_browser(alpha.patient, "pat"), cast.lea, TEN + 2 * HOUR).id
    me.sign_in(alpha.host, alpha.patient.email)
    visit = f"/appointments/{appointment}"
    for path in ("/appointments", visit, f"{visit}/booked", f"{visit}/cancel", "/consents", "/agreements/terms"):
        wrong += look(me.open(alpha.host, path), path)
    for path in ("/account", "/account/security", "/account/tokens", f"/book/{hold}"):
        wrong += look(me.open(alpha.host, path), path)
    page = me.page
    page.locator("main input[name=name]").press("Enter")
    page.wait_for_url("**/confirm")
    wrong += look(page, "/book/…/confirm")
    page.locator("#confirm button[type=submit]").last.click()
    wrong += look(page, "/book/…/confirm refused")
    assert not wrong, "\n".join(wrong)


def test_pages_of_the_specialist_portal(visitor: NewVisitor, live_cast: Cast, desk: Desk) -> None:
    """Empty first, then with a visit."""
    host, cast = live_cast.specialists_host, live_cast
    me = visitor(bypass_csp=True)
    wrong: list[str] = []
    for path in ("/", "/sign-in"):
        wrong += look(me.open(host, path), path)
    me.sign_in(host, cast.ada.email)
    pages = ["/dashboard", "/appointments", "/calendar", "/patients"]
    for path in pages:
        wrong += look(me.open(host, path), f"{path} (empty)")
    with desk.app.app_context():
        appointment = desk.book(cast.alpha.patient, cast.ada)
    more = [f"/appointments/{appointment.id}", f"/patients/{cast.alpha.patient.id}", "/availability", "/websites"]
    views = ["/calendar?date=2027-03-02&view=day", "/calendar?date=2027-03-02&view=month"]
    for path in [*pages, *views, *more, "/account", "/account/security", "/account/tokens", "/nowhere"]:
        wrong += look(me.open(host, path), path)
    assert not wrong, "\n".join(wrong)


def test_pages_of_the_console(visitor: NewVisitor, live_cast: Cast, desk: Desk) -> None:
    """O1: lists and what they lead to."""
    cast, host = live_cast, live_cast.admin_host
    with desk.app.app_context():
        desk.book(cast.alpha.patient, cast.ada)
    me = visitor(bypass_csp=True)
    me.sign_in(host, cast.olga.email)
    wrong: list[str] = []
    lists = ["/", "/portals/", "/specialists/", "/listings/", "/patients/", "/audit-events/", "/account"]
    listing = f"/listings/{cast.alpha.id}/{cast.listing(cast.alpha, cast.ada)}"
    for path in [*lists, f"/portals/{cast.alpha.id}", f"/specialists/{cast.ada.id}", listing]:
        wrong += look(me.open(host, path), path)
    assert not wrong, "\n".join(wrong)


def test_the_mailbox(visitor: NewVisitor, live_cast: Cast) -> None:
    """The demonstration's mailbox."""
    me = visitor(bypass_csp=True)
    assert look(me.open("dev.localhost", "/mail"), "/mail") == []
