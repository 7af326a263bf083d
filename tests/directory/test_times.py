"""Free times on a profile page and in the API: in the reader's zone, and only for those who may choose one."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from polyclinic.web.places import PlaceFlask
from support.cast import Cast, add_history
from support.client import Browser
from support.pages import STATEMENTS, counted, page

BUTTON = re.compile(r'name="starts" value="([^"]+)"[^>]*><time datetime="[^"]+">([^<]+)</time>')


def shown_times(text: str) -> dict[dt.datetime, str]:
    """The starts that a page offers (UTC), with the wall time written on each."""
    return {dt.datetime.fromisoformat(starts): label for starts, label in BUTTON.findall(text)}


def test_times_are_buttons_in_the_readers_zone(cast: Cast, browser: Browser) -> None:
    """L2, C2: written by the server in the portal's zone until the reader chose another; the moments stay the same."""
    path = f"/specialists/{cast.listing(cast.alpha, cast.ada)}"
    berlin = shown_times(page(browser, cast.alpha, path))
    assert berlin
    assert all(start.astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M") == text for start, text in berlin.items())
    first = min(berlin).astimezone(ZoneInfo("Asia/Tokyo")).date()
    browser.post(cast.alpha.host, "/zone", {"zone": "Asia/Tokyo", "next": path}, page=path)
    tokyo = shown_times(page(browser, cast.alpha, f"{path}?from={first.isoformat()}"))
    assert set(berlin) & set(tokyo)
    assert all(start.astimezone(ZoneInfo("Asia/Tokyo")).strftime("%H:%M") == text for start, text in tokyo.items())


def test_a_time_is_held_by_its_button(cast: Cast, browser: Browser) -> None:
    """B2: without script; the form carries the listing and the service, never the specialist (P4)."""
    path = f"/specialists/{cast.listing(cast.alpha, cast.ada)}"
    text = page(browser, cast.alpha, path)
    starts, _ = BUTTON.findall(text)[-1]
    fields = dict(re.findall(r'<input type="hidden" name="(listing|service)" value="([^"]+)">', text))
    assert fields == {"listing": str(cast.listing(cast.alpha, cast.ada)), "service": str(cast.alpha.service)}
    answer = browser.post(cast.alpha.host, "/book/hold", {**fields, "starts": starts}, page=path)
    assert answer.status_code in (302, 303), answer.get_data(as_text=True)
    assert starts not in {value for value, _ in BUTTON.findall(page(browser, cast.alpha, path))}


def test_weeks_are_paged_within_the_horizon(cast: Cast, browser: Browser) -> None:
    """C2: no way before today nor beyond what the portal offers; a wrong date begins today."""
    path = f"/specialists/{cast.listing(cast.alpha, cast.ada)}"
    seen: set[dt.datetime] = set()
    weeks, address = 0, path
    while address:
        text = page(browser, cast.alpha, address, headers={"Accept-Language": "en"})
        times = set(shown_times(text))
        assert not times & seen
        seen, weeks = seen | times, weeks + 1
        later = next((tag for tag in re.findall(r"<a [^>]+>", text) if 'aria-label="Later days"' in tag), "")
        following = re.search(r'href="([^"#]+)', later)
        address = following[1].replace("&amp;", "&") if following else ""
    assert 8 <= weeks <= 10  # 60 days
    assert shown_times(page(browser, cast.alpha, f"{path}?from=1999-01-01")) == shown_times(
        page(browser, cast.alpha, f"{path}?from=nonsense")
    )


def test_an_established_patient_reads_that_the_specialist_proposes(cast: Cast, browser: Browser, owner: Engine) -> None:
    """B1: no times on the page, none in the API, no next free time in the directory; others see them."""
    add_history(owner, cast.alpha, cast.alpha.patient, cast.sam, dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC))
    browser.sign_in(cast.alpha.patient)
    listing = cast.listing(cast.alpha, cast.sam)
    text = page(browser, cast.alpha, f"/specialists/{listing}", headers={"Accept-Language": "en"})
    assert not shown_times(text)
    assert 'class="slot-button"' not in text
    answer = browser.get(cast.alpha.host, f"/api/v1/specialists/{listing}/slots?{span(cast)}")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "specialist-proposes")
    directory = page(browser, cast.alpha, "/specialists")
    assert directory.count("specialist-full") == 1
    assert shown_times(page(browser, cast.alpha, f"/specialists/{cast.listing(cast.alpha, cast.ada)}"))


def span(cast: Cast) -> str:
    today = dt.date.today()
    return f"service={cast.alpha.service}&from={today}&to={today + dt.timedelta(days=14)}"


def test_the_api_offers_the_times_of_the_page(cast: Cast, browser: Browser) -> None:
    """W1: pages and API call the same service."""
    listing = cast.listing(cast.alpha, cast.ada)
    answer = browser.get(cast.alpha.host, f"/api/v1/specialists/{listing}/slots?{span(cast)}")
    assert answer.status_code == 200
    offered = {dt.datetime.fromisoformat(one["start"]) for one in answer.get_json()["items"]}
    assert set(shown_times(page(browser, cast.alpha, f"/specialists/{listing}"))) <= offered
    foreign = cast.listing(cast.beta, cast.ben)
    assert browser.get(cast.alpha.host, f"/api/v1/specialists/{foreign}/slots?{span(cast)}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/specialists", "/specialists?service=first-visit", "profile"])
def test_a_signed_in_patient_costs_little_more(
    cast: Cast, browser: Browser, app: PlaceFlask, owner: Engine, path: str
) -> None:
    """L3: six statements and who they are."""
    add_history(owner, cast.alpha, cast.alpha.patient, cast.sam, dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC))
    browser.sign_in(cast.alpha.patient)
    path = f"/specialists/{cast.listing(cast.alpha, cast.ada)}" if path == "profile" else path
    page(browser, cast.alpha, path)
    with counted(app) as seen:
        page(browser, cast.alpha, path)
    assert len([one for one in seen if "sign_in" not in one]) <= STATEMENTS, seen
