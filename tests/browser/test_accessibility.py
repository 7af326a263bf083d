"""L3: axe on each page of each place, once per theme and mode, by day at a desk and by night on a phone.

Which pages there are is read from the application's map of addresses (support.looks.pages), so that a new page is
looked at from its first day. ``make looks`` does the same for every width, language and amount of data.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator

import pytest
from sqlalchemy import Engine

from polyclinic.booking.holds import save_details
from polyclinic.kernel.scope import open_session
from polyclinic.web.places import PlaceFlask
from polyclinic.web.theming import themes
from support.bookings import Desk
from support.cast import Cast
from support.live import FRESH_SECONDS
from support.looks.addresses import addresses
from support.looks.alone import look
from support.routes import Stage
from support.source import ROOT
from support.visitors import NewVisitor, Visitor

pytestmark = pytest.mark.slow
#: Themes that no portal of the sample wears: the common parent, and those of the network's own places.
OTHERS = {"base", "specialists", "console"}
THEMES = sorted({path.parent.name for path in (ROOT / "themes").glob("*/theme.toml")} - OTHERS)

#: Pages that lead on unless a visit waits for its payment: tests/browser/test_paying.py looks at them while one does.
OF_PAYING = re.compile(r"/appointments/[^/]+/(pay|paid)")


@pytest.fixture
def stage(live_cast: Cast, mailroom: object, app: PlaceFlask, engine: Engine, owner: Engine) -> Stage:
    """Everybody with something to see, and a booking that is one step from its end."""
    with app.app_context():
        made = Stage(Desk(app, live_cast, engine, owner))
        pat = live_cast.alpha.patient
        with open_session(engine, pat.scope()) as session:
            save_details(session, pat, made.desk.portal(live_cast.alpha), made.ids["hold of pat"], made.desk.details)
    return made


def tour(me: Visitor, host: str, paths: Iterable[str], wrong: list[str]) -> list[str]:
    """Look at each page that opens; returns those that lead elsewhere, where somebody else has to go."""
    elsewhere = []
    for path in paths:
        page = me.open(host, path)
        if page.url == me.live.url(host, path):
            wrong += look(page, path)
        else:
            elsewhere.append(path)
    return elsewhere


def of(stage: Stage, place: str) -> Iterator[str]:
    """The paths of a place's pages, and one that is none."""
    yield from (address.path for address in addresses(stage, place))
    yield "/nowhere"


def test_every_theme_is_a_theme_of_portals(app: PlaceFlask) -> None:
    """L1: what is toured below is what there is."""
    with app.app_context():
        assert {*THEMES, *OTHERS} == set(themes().slugs)


@pytest.mark.parametrize("theme", THEMES)
def test_pages_of_a_portal(visitor: NewVisitor, stage: Stage, theme: str) -> None:
    """As a stranger whatever opens for one, the rest as a patient with a booking and a time that is kept."""
    alpha = stage.cast.alpha
    stage.desk.setting(alpha, "brand.theme", theme)
    time.sleep(FRESH_SECONDS + 0.05)
    me = visitor(alpha, bypass_csp=True)
    wrong: list[str] = []
    mine = tour(me, alpha.host, of(stage, "portal"), wrong)
    me.sign_in(alpha.host, alpha.patient.email)
    assert [path for path in tour(me, alpha.host, mine, wrong) if not OF_PAYING.fullmatch(path)] == []
    me.page.goto(me.live.url(alpha.host, f"/book/{stage.ids['hold of pat']}/confirm"))
    me.page.locator("#confirm button[type=submit]").last.click()
    wrong += look(me.page, "/book/…/confirm refused")
    assert not wrong, "\n".join(wrong)


def test_pages_of_the_specialist_portal(visitor: NewVisitor, stage: Stage) -> None:
    """As a stranger, then as somebody with visits; lists also empty, as somebody without."""
    host, cast = stage.cast.specialists_host, stage.cast
    me = visitor(bypass_csp=True)
    wrong: list[str] = []
    mine = tour(me, host, of(stage, "specialists"), wrong)
    me.sign_in(host, cast.ada.email)
    views = ["/calendar?date=2027-03-02&view=day", "/calendar?date=2027-03-02&view=month"]
    assert tour(me, host, [*mine, *views], wrong) == []
    other = visitor(bypass_csp=True)
    other.sign_in(host, cast.cleo.email)
    assert tour(other, host, ["/dashboard", "/appointments", "/patients"], wrong) == []
    assert not wrong, "\n".join(wrong)


def test_pages_of_the_console(visitor: NewVisitor, stage: Stage) -> None:
    """O1: lists and what they lead to."""
    host = stage.cast.admin_host
    me = visitor(bypass_csp=True)
    wrong: list[str] = []
    mine = tour(me, host, of(stage, "admin"), wrong)
    me.sign_in(host, stage.cast.olga.email)
    assert tour(me, host, mine, wrong) == []
    assert not wrong, "\n".join(wrong)


def test_the_mailbox(visitor: NewVisitor, live_cast: Cast) -> None:
    """The demonstration's mailbox."""
    me = visitor(bypass_csp=True)
    assert look(me.open("dev.localhost", "/mail"), "/mail") == []
