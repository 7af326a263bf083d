"""O1: the console reads in the operator's scope, and writes through services only."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine, text

from polyclinic.web.places import PlaceFlask
from support.cast import Cast
from support.client import Browser
from support.populated import populate

PAGES = (
    "/",
    "/portals/",
    "/specialists/",
    "/listings/",
    "/patients/",
    "/audit-events/",
    "/charges/",
    "/payments/",
    "/refunds/",
)


def rows(owner: Engine, query: str, **values: object) -> list[tuple[object, ...]]:
    """Look at rows from outside."""
    with owner.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_sent_to_the_sign_in(cast: Cast, browser: Browser, path: str) -> None:
    """O1: nobody reads a page of the console without being an operator."""
    answer = browser.get(cast.admin_host, path)
    assert answer.status_code == 303
    assert urlsplit(answer.location).path == "/sign-in"


@pytest.mark.parametrize("path", PAGES)
def test_specialists_and_patients_are_strangers_in_the_console(cast: Cast, browser: Browser, path: str) -> None:
    """P2: a sign-in of another place is none here; and the console's pages do not exist elsewhere (P1)."""
    browser.sign_in(cast.ada)
    browser.sign_in(cast.alpha.patient)
    assert browser.get(cast.admin_host, path).status_code == 303
    if path not in ("/", "/patients/"):
        assert browser.get(cast.alpha.host, path).status_code in (404, 308)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_for_operators_with_and_without_rows(
    cast: Cast, owner: Engine, browser: Browser, path: str
) -> None:
    """O1: empty and filled, for an operator of the network and for one of a single portal."""
    for operator in (cast.olga, cast.oskar):
        browser.sign_in(operator)
        assert browser.get(cast.admin_host, path).status_code == 200
    populate(owner, cast)
    for operator in (cast.olga, cast.oskar):
        browser.sign_in(operator)
        assert browser.get(cast.admin_host, path).status_code == 200


@pytest.mark.parametrize("path", ["/", "/portals/", "/listings/", "/patients/", "/audit-events/"])
def test_an_operator_of_one_portal_sees_nothing_of_the_others(
    cast: Cast, owner: Engine, browser: Browser, path: str
) -> None:
    """I2: Oskar works for Alpha; Beta's name, people and events are not there. Olga sees both (control)."""
    populate(owner, cast)
    browser.sign_in(cast.oskar)
    page = browser.get(cast.admin_host, path).get_data(as_text=True)
    assert cast.alpha.canary in page
    assert cast.beta.canary not in page
    browser.sign_in(cast.olga)
    assert cast.beta.canary in browser.get(cast.admin_host, path).get_data(as_text=True)


def test_foreign_portals_and_listings_are_not_found(cast: Cast, browser: Browser) -> None:
    """I2: an id outside the operator's scope answers 404, own ones 200."""
    browser.sign_in(cast.oskar)
    assert browser.get(cast.admin_host, f"/portals/{cast.alpha.id}").status_code == 200
    assert browser.get(cast.admin_host, f"/portals/{cast.beta.id}").status_code == 404
    own = cast.listing(cast.alpha, cast.ada)
    foreign = cast.listing(cast.beta, cast.ben)
    assert browser.get(cast.admin_host, f"/listings/{cast.alpha.id}/{own}").status_code == 200
    assert browser.get(cast.admin_host, f"/listings/{cast.beta.id}/{foreign}").status_code == 404
    token = browser.token(cast.admin_host, f"/listings/{cast.alpha.id}/{own}")
    for portal, listing in ((cast.beta.id, foreign), (cast.alpha.id, foreign)):
        answer = browser.post(
            cast.admin_host,
            f"/listings/{portal}/{listing}/state",
            {"state": "paused", "reason": "x", "csrf_token": token},
        )
        assert answer.status_code == 404


def test_suspending_takes_a_person_off_every_portal(cast: Cast, owner: Engine, browser: Browser) -> None:
    """S2: a reason is asked for, the person's published copies go, the audit names the operator."""
    browser.sign_in(cast.olga)
    page = f"/specialists/{cast.sam.id}"
    refused = browser.post(cast.admin_host, f"{page}/state", {"state": "suspended"}, page=page)
    assert refused.status_code == 422
    assert "please say why" in refused.get_data(as_text=True).lower()
    published = "SELECT count(*) FROM published_profile WHERE specialist_id = :id"
    assert rows(owner, published, id=cast.sam.id) == [(2,)]
    done = browser.post(
        cast.admin_host, f"{page}/state", {"state": "suspended", "reason": "Licence under review"}, page=page
    )
    assert done.status_code == 303
    assert rows(owner, published, id=cast.sam.id) == [(0,)]
    audit = "SELECT actor_kind, actor_id FROM audit_event WHERE action = 'specialist.suspended'"
    assert rows(owner, audit) == [("operator", cast.olga.id)]
    back = browser.post(cast.admin_host, f"{page}/state", {"state": "approved"}, page=page)
    assert back.status_code == 303
    assert rows(owner, published, id=cast.sam.id) == [(2,)]


def test_pausing_and_resuming_a_listing(cast: Cast, owner: Engine, browser: Browser) -> None:
    """S2: the portal's operator pauses the listing; the public copy goes and comes back."""
    browser.sign_in(cast.oskar)
    page = f"/listings/{cast.alpha.id}/{cast.listing(cast.alpha, cast.ada)}"
    published = "SELECT count(*) FROM published_profile WHERE specialist_id = :id"
    browser.post(cast.admin_host, f"{page}/state", {"state": "paused", "reason": "On leave"}, page=page)
    assert rows(owner, published, id=cast.ada.id) == [(0,)]
    browser.post(cast.admin_host, f"{page}/state", {"state": "listed"}, page=page)
    assert rows(owner, published, id=cast.ada.id) == [(1,)]


def test_an_operator_of_one_portal_does_not_decide_about_people(cast: Cast, owner: Engine, browser: Browser) -> None:
    """S2: the network approves the person; a forged form changes nothing."""
    browser.sign_in(cast.oskar)
    page = f"/specialists/{cast.ada.id}"
    text_ = browser.get(cast.admin_host, page).get_data(as_text=True)
    assert "Licence" not in text_
    forged = browser.post(cast.admin_host, f"{page}/state", {"state": "suspended", "reason": "x"}, page="/")
    assert forged.status_code == 403
    assert rows(owner, "SELECT state FROM specialist WHERE id = :id", id=cast.ada.id) == [("approved",)]


def test_looking_at_patients_is_written_down(cast: Cast, owner: Engine, browser: Browser) -> None:
    """U3: one audit event for each patient an operator was shown."""
    browser.sign_in(cast.oskar)
    browser.get(cast.admin_host, "/patients/")
    seen = rows(owner, "SELECT subject_id FROM audit_event WHERE action = 'patient.listed' AND actor_kind = 'operator'")
    assert {str(row[0]) for row in seen} == {str(cast.alpha.patient.id), str(cast.alpha.other_patient.id)}


def test_no_view_of_the_console_lets_anybody_write_rows(cast: Cast, app: PlaceFlask, browser: Browser) -> None:
    """O1: Flask-Admin's create, edit, delete, action and inline endpoints are closed in every view."""
    browser.sign_in(cast.olga)
    token = browser.token(cast.admin_host, "/")
    for view in ("portals", "specialists", "listings", "patients", "audit-events"):
        for path in ("new/", "edit/?id=1", "details/?id=1", "export/csv/"):
            assert browser.get(cast.admin_host, f"/{view}/{path}").status_code in (302, 404), path
        for path in ("delete/", "action/", "ajax/update/", "new/", "edit/"):
            answer = browser.post(cast.admin_host, f"/{view}/{path}", {"id": "1", "csrf_token": token})
            assert answer.status_code in (302, 404), path
    assert browser.get(cast.admin_host, "/specialists/?state=nonsense&sort=99&page=-1").status_code == 200


def test_wrong_filters_change_nothing(cast: Cast, browser: Browser) -> None:
    """O1: an address that somebody edited by hand still shows the list."""
    browser.sign_in(cast.olga)
    for query in ("portal=nonsense", "portal=' OR 1=1", "search=%00", "page=abc", "sort=abc"):
        assert browser.get(cast.admin_host, f"/audit-events/?{query}").status_code in (200, 400), query
