"""The public pages of a portal: what a visitor sees, and what nobody may see."""

import datetime as dt
import json
import re
import uuid

import html5lib
import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from polyclinic.directory.models import Listing, ListingService, PublishedProfile, Service
from polyclinic.directory.profiles import save_profile, set_portrait
from polyclinic.directory.services import suspend_specialist
from polyclinic.directory.words import save_word
from polyclinic.identity.models import Specialist
from polyclinic.kernel.scope import open_session
from polyclinic.web.files import files
from polyclinic.web.places import PlaceFlask
from support.cast import Cast, PortalCast
from support.client import Browser
from support.pages import STATEMENTS, counted, page, picture


def names(text: str) -> list[str]:
    """The specialists that a page lists, in order."""
    document = html5lib.parse(text, namespaceHTMLElements=False)
    found = (link for link in document.iter("a") if link.get("class") == "covers-card")
    return [(link.text or "").strip() for link in found if "/specialists/" in (link.get("href") or "")]


def colleagues(owner: Engine, portal: PortalCast, count: int) -> None:
    """Publish more people on a portal, as rows: only their number matters here."""
    with Session(owner) as session:
        first = session.scalars(select(PublishedProfile).where(PublishedProfile.portal_id == portal.id)).first()
        assert first is not None
        for number in range(count):
            name = f"More {number:03}"
            email = f"more{number}@specialists.example"
            new = Specialist(id=uuid.uuid4(), email=email, name=name, locale="en", zone="UTC", state="approved")
            session.add(new)
            session.flush()
            person = new.id
            listing = Listing(portal_id=portal.id, specialist_id=person, id=uuid.uuid4(), state="listed")
            session.add(listing)
            session.flush()
            session.add(ListingService(portal_id=portal.id, specialist_id=person, service_id=portal.service))
            session.add(
                PublishedProfile(
                    portal_id=portal.id,
                    specialist_id=person,
                    listing_id=listing.id,
                    name=name,
                    sort_name=f"more {number:03}",
                    title={"en": "Physiotherapist"},
                    bio={"en": "Here too."},
                    languages=["fr"],
                    categories=[],
                    specializations=[],
                    expertise=[],
                    words={},
                    zone="UTC",
                )
            )
        session.commit()


@pytest.mark.parametrize("path", ["/", "/specialists", "/specialists?order=name", "/specialists?service=first-visit"])
def test_a_public_page_asks_the_database_little(
    cast: Cast, browser: Browser, app: PlaceFlask, owner: Engine, path: str
) -> None:
    """L3: at most six statements, however many people are listed."""
    colleagues(owner, cast.alpha, 30)
    page(browser, cast.alpha, path)
    with counted(app) as seen:
        page(browser, cast.alpha, path)
    assert len(seen) <= STATEMENTS, seen


def test_a_profile_asks_the_database_little(cast: Cast, browser: Browser, app: PlaceFlask) -> None:
    """L3: slots included."""
    path = f"/specialists/{cast.listing(cast.alpha, cast.ada)}"
    page(browser, cast.alpha, path)
    with counted(app) as seen:
        page(browser, cast.alpha, path)
    assert len(seen) <= STATEMENTS, seen


def test_the_directory_lists_exactly_the_visible(cast: Cast, browser: Browser, engine: Engine, app: PlaceFlask) -> None:
    """S2, S3: a suspended person is gone from every portal with the next request."""
    assert sorted(names(page(browser, cast.alpha, "/specialists"))) == ["Ada", "Lea", "Sam"]
    assert sorted(names(page(browser, cast.beta, "/specialists"))) == ["Ben", "Sam"]
    with open_session(engine, cast.olga.scope()) as session:
        suspend_specialist(session, cast.olga, cast.sam.id, "A complaint is being looked into.")
    assert sorted(names(page(browser, cast.alpha, "/specialists"))) == ["Ada", "Lea"]
    assert sorted(names(page(browser, cast.beta, "/specialists"))) == ["Ben"]
    for portal in (cast.alpha, cast.beta):
        assert browser.get(portal.host, f"/specialists/{cast.listing(portal, cast.sam)}").status_code == 404


def test_a_listing_of_another_portal_is_not_there(cast: Cast, browser: Browser) -> None:
    """I2: page, portrait and API answer 404 for it; a specialist's own id is nobody's address (P4)."""
    for wrong in (cast.listing(cast.beta, cast.sam), cast.sam.id, uuid.uuid4()):
        for path in (f"/specialists/{wrong}", f"/specialists/{wrong}/portrait", f"/api/v1/specialists/{wrong}"):
            assert browser.get(cast.alpha.host, path).status_code == 404, path
    assert browser.get(cast.alpha.host, f"/specialists/{cast.listing(cast.alpha, cast.sam)}").status_code == 200


def test_nothing_public_names_a_sibling_or_a_specialists_id(
    cast: Cast, browser: Browser, app: PlaceFlask, engine: Engine
) -> None:
    """P4: not in pages, not in the API, not in the address of a portrait."""
    with app.app_context(), open_session(engine, cast.sam.scope()) as session:
        key = set_portrait(session, cast.sam, files(), cast.sam.id, picture()).image_key
    listing = cast.listing(cast.alpha, cast.sam)
    paths = ["/", "/specialists", f"/specialists/{listing}", "/api/v1/specialists", f"/api/v1/specialists/{listing}"]
    secret = [str(actor.id) for actor in (cast.ada, cast.ben, cast.cleo, cast.sam, cast.lea)]
    secret += [cast.beta.canary, cast.gamma.canary, "beta.localhost", "olyclinic", str(cast.beta.id), "@specialists"]
    secret += [str(cast.listing(cast.beta, cast.sam)), str(key)]
    addresses = set()
    for path in paths:
        for portal in (cast.alpha,):
            answer = browser.get(portal.host, path)
            text = answer.get_data(as_text=True) + str(answer.headers)
            assert [word for word in secret if word in text] == [], path
            addresses |= set(re.findall(r"/portrait\?[^\"\\]*v=(\w+)", text))
    sibling = page(browser, cast.beta, f"/specialists/{cast.listing(cast.beta, cast.sam)}")
    assert addresses and not any(address in sibling for address in addresses)


def test_filters_narrow_and_say_so(cast: Cast, browser: Browser, engine: Engine) -> None:
    """S5: by language, topic, service and part of a name, in any combination."""
    with open_session(engine, cast.olga.scope()) as session:
        save_word(session, cast.olga, "expertise", "breathing", {"en": "Breathing", "de": "Atmung"})
    with open_session(engine, cast.ada.scope()) as session:
        save_profile(session, cast.ada, cast.ada.id, {"expertise": ["breathing"], "languages": ["de", "tr"]})
    assert names(page(browser, cast.alpha, "/specialists?topic=breathing")) == ["Ada"]
    assert names(page(browser, cast.alpha, "/specialists?language=tr")) == ["Ada"]
    assert names(page(browser, cast.alpha, "/specialists?q=SÁM")) == ["Sam"]
    assert names(page(browser, cast.alpha, "/specialists?q=a%25m")) == []
    assert sorted(names(page(browser, cast.alpha, "/specialists?service=first-visit"))) == ["Ada", "Lea", "Sam"]
    assert names(page(browser, cast.alpha, "/specialists?service=unheard-of")) == []
    german = page(browser, cast.alpha, "/specialists?topic=breathing", headers={"Accept-Language": "de"})
    assert "Atmung" in german


def test_an_empty_result_offers_the_way_back(cast: Cast, browser: Browser) -> None:
    """L3: an empty state says what to do."""
    text = page(browser, cast.alpha, "/specialists?q=nobody")
    assert names(text) == []
    assert 'href="/specialists"' in text


def test_the_list_is_paged_by_cursor_without_gaps(cast: Cast, browser: Browser, owner: Engine) -> None:
    """W1: every page begins after the last of the one before, in either order."""
    colleagues(owner, cast.alpha, 30)
    for order in ("name", "next_free"):
        seen: list[str] = []
        path = f"/specialists?order={order}"
        while path:
            text = page(browser, cast.alpha, path)
            seen += names(text)
            following = re.search(r'href="(/specialists\?[^"]*cursor=[^"]+)"', text)
            path = following[1].replace("&amp;", "&") if following else ""
        assert len(seen) == len(set(seen)) == 33, order
        if order == "name":
            assert seen == sorted(seen, key=str.casefold)


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "bnVsbA", "W251bGwsIG51bGxd"])
def test_a_cursor_that_nobody_gave_out_is_refused(cast: Cast, browser: Browser, cursor: str) -> None:
    """W1: 422 with a sentence, never an error of ours."""
    assert browser.get(cast.alpha.host, f"/specialists?cursor={cursor}").status_code == 422
    assert browser.get(cast.alpha.host, f"/api/v1/specialists?cursor={cursor}").status_code == 422


def test_the_soonest_free_come_first_and_the_full_last(cast: Cast, browser: Browser, owner: Engine) -> None:
    """S6, §5: who has no capacity is shown, without a time, at the end."""
    with Session(owner) as session:
        session.execute(
            update(Listing)
            .where(Listing.portal_id == cast.alpha.id, Listing.specialist_id == cast.ada.id)
            .values(capacity=1, active_allocations=1)
        )
        session.commit()
    text = page(browser, cast.alpha, "/specialists")
    assert names(text)[-1] == "Ada"
    assert text.count("specialist-full") == 1


def test_a_profile_is_structured_data_for_search_engines(cast: Cast, browser: Browser) -> None:
    """S5: schema.org on the portal's own domain, with a nonce that the policy knows."""
    answer = browser.get(cast.alpha.host, f"/specialists/{cast.listing(cast.alpha, cast.ada)}")
    text = answer.get_data(as_text=True)
    found = re.search(r'<script type="application/ld\+json" nonce="([^"]+)">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    assert f"'nonce-{found[1]}'" in answer.headers["Content-Security-Policy"]
    data = json.loads(found[2])
    assert (data["@type"], data["name"]) == ("Person", "Ada")
    assert data["url"].startswith("http://alpha.localhost")
    assert data["makesOffer"][0]["price"] == "80.00"


def test_a_biography_is_text_and_never_markup(cast: Cast, browser: Browser, engine: Engine) -> None:
    """S3: what a specialist writes cannot leave its place, the structured data included."""
    evil = "</script><script>alert(1)</script><b>x"
    with open_session(engine, cast.ada.scope()) as session:
        save_profile(session, cast.ada, cast.ada.id, {"bio": {"en": evil}})
    text = page(browser, cast.alpha, f"/specialists/{cast.listing(cast.alpha, cast.ada)}")
    assert "<script>alert" not in text


def test_prices_follow_the_portals_currency_and_policy(cast: Cast, browser: Browser, owner: Engine) -> None:
    """E2, E1: pounds, yen without decimals; a service without a price is not offered."""
    assert "£75" in page(browser, cast.beta, f"/specialists/{cast.listing(cast.beta, cast.ben)}")
    with Session(owner) as session:
        session.execute(update(ListingService).where(ListingService.portal_id == cast.beta.id).values(price_minor=None))
        session.commit()
    text = page(browser, cast.beta, f"/specialists/{cast.listing(cast.beta, cast.ben)}")
    assert "£" not in text and 'class="offer"' not in text


def test_a_portrait_is_webp_and_kept_by_its_address(
    cast: Cast, browser: Browser, app: PlaceFlask, engine: Engine
) -> None:
    """M4: an ETag, a year for the picture's own address, nothing where there is none."""
    path = f"/specialists/{cast.listing(cast.alpha, cast.sam)}/portrait"
    assert browser.get(cast.alpha.host, path).status_code == 404
    with app.app_context(), open_session(engine, cast.sam.scope()) as session:
        set_portrait(session, cast.sam, files(), cast.sam.id, picture())
    shown = page(browser, cast.alpha, f"/specialists/{cast.listing(cast.alpha, cast.sam)}")
    address = re.search(r'src="([^"]*/portrait\?[^"]+)"', shown)
    assert address is not None
    first = browser.get(cast.alpha.host, address[1].replace("&amp;", "&"))
    assert (first.status_code, first.mimetype) == (200, "image/webp")
    assert "max-age" in first.headers["Cache-Control"]
    again = browser.get(cast.alpha.host, path, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert browser.get(cast.alpha.host, f"{path}?size=xxl").status_code == 404
    assert browser.get(cast.beta.host, path).status_code == 404


def test_home_says_what_it_is_who_is_there_and_what_it_costs(cast: Cast, browser: Browser, owner: Engine) -> None:
    """S5: and where nobody is listed yet, it says that instead of showing empty lists."""
    text = page(browser, cast.alpha)
    assert "€80" in text.replace("\xa0", "") or "80 €" in text.replace("\xa0", " ")
    assert set(names(text)) == {"Ada", "Lea", "Sam"}
    with Session(owner) as session:
        for table in (ListingService, PublishedProfile):
            session.execute(table.__table__.delete())  # type: ignore[attr-defined]  # Table, typed as FromClause
        session.execute(update(Service).values(active=False))
        session.commit()
    assert 'class="empty"' in page(browser, cast.alpha)
    assert 'class="empty"' in page(browser, cast.alpha, "/specialists")


def test_times_are_shown_in_the_readers_zone(cast: Cast, browser: Browser) -> None:
    """L2: the server writes wall times; without a choice in the portal's zone, named."""
    path = "/specialists"
    assert '<option value="Europe/Berlin" selected>' in page(browser, cast.alpha, path)
    browser.post(cast.alpha.host, "/zone", {"zone": "Asia/Tokyo", "next": path}, page=path)
    text = page(browser, cast.alpha, path)
    assert '<option value="Asia/Tokyo" selected>' in text
    assert dt.datetime.fromisoformat("2026-01-01T00:00:00+09:00").tzinfo is not None
