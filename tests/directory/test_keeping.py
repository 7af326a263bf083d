"""What is kept of public pages: shown again while it is true, never after, never to somebody else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import render_template_string
from sqlalchemy import Engine, delete, update
from sqlalchemy.orm import Session

from polyclinic.calendar.models import NextFree
from polyclinic.directory.keeping import kept_for_visitors
from polyclinic.directory.models import Listing, ListingService, PublishedProfile, Service
from polyclinic.kernel.errors import Defect
from polyclinic.web.places import PlaceFlask, current_portal
from support.cast import Cast, PortalCast
from support.client import Browser
from support.pages import counted
from support.pages import page as whole_page

PAGES = ("/", "/specialists")
Change = Callable[[Session, Cast], object]
CHANGES: dict[str, Change] = {
    "a name": lambda session, cast: session.execute(
        update(PublishedProfile).where(PublishedProfile.portal_id == cast.alpha.id).values(name="Somebody Else")
    ),
    "a price": lambda session, cast: session.execute(
        update(Service).where(Service.portal_id == cast.alpha.id).values(price_minor=98_700)
    ),
    "nobody takes bookings": lambda session, cast: session.execute(
        update(Listing).where(Listing.portal_id == cast.alpha.id).values(accepts_booking=False)
    ),
    "nothing is offered": lambda session, cast: session.execute(
        delete(ListingService).where(ListingService.portal_id == cast.alpha.id)
    ),
    "a stored time goes stale": lambda session, cast: session.execute(
        update(NextFree).where(NextFree.portal_id == cast.alpha.id).values(terms="of yesterday")
    ),
}


def page(browser: Browser, portal: PortalCast, path: str) -> str:
    """A page without what is new in each answer."""
    return re.sub(r'(nonce|value|content)="[\w.-]{20,}"', "", whole_page(browser, portal, path))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_that_did_not_change_is_shown_again_without_reading_it(
    cast: Cast, app: PlaceFlask, browser: Browser, path: str
) -> None:
    first = page(browser, cast.alpha, path)
    with counted(app) as sent:
        assert page(browser, cast.alpha, path) == first
    assert len(sent) == 2, "\n".join(sent)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("path", PAGES)
def test_whatever_changes_is_on_the_next_page(
    cast: Cast, app: PlaceFlask, browser: Browser, owner: Engine, path: str, change: str
) -> None:
    """C5: each table that a page stands on makes it read again; another portal's page stays as it is."""
    before, beta = page(browser, cast.alpha, path), page(browser, cast.beta, path)
    with Session(owner) as session:
        CHANGES[change](session, cast)
        session.commit()
    with counted(app) as sent:
        after = page(browser, cast.alpha, path)
    assert len(sent) > 2
    assert (after == before) == (change == "a stored time goes stale")  # it is computed again, and the same
    assert page(browser, cast.beta, path) == beta


def test_a_kept_part_cannot_hold_what_belongs_to_one_reader(cast: Cast, app: PlaceFlask) -> None:
    """V3.5.1: a token or a nonce in it would be shown to everybody."""
    with app.test_request_context("/", base_url=f"http://{cast.alpha.host}:8000"):
        kept = kept_for_visitors(current_portal(), "page", dict)
        for asked in ("csrf_token()", "csp_nonce()"):
            with pytest.raises(Defect, match="kept for everybody"):
                render_template_string("{% call kept('part') %}{{ " + asked + " }}{% endcall %}", kept=kept.part)


def test_somebody_signed_in_is_shown_their_own_page(cast: Cast, app: PlaceFlask, browser: Browser) -> None:
    """B1: what is kept for visitors is not shown to people with specialists of their own."""
    page(browser, cast.alpha, "/specialists")
    browser.sign_in(cast.alpha.patient)
    with counted(app) as sent:
        page(browser, cast.alpha, "/specialists")
    assert any("FROM published_profile" in statement and "LIMIT" in statement for statement in sent)
