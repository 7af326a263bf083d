"""L2: the language of a page, asked over HTTP."""

import pytest
from sqlalchemy import Engine, text

from support.cast import Cast
from support.client import Browser

NOWHERE = "/no/such/page"
#: a page for everybody, with the language switch in its layout
DEV, PAGE = "dev.localhost", "/mail"


def language(browser: Browser, host: str, accept: str = "", path: str = NOWHERE) -> tuple[str | None, str]:
    """The language a page says it is in: in its header, and in its text."""
    answer = browser.get(host, path, headers={"Accept-Language": accept} if accept else {})
    text = answer.get_data(as_text=True)
    return answer.headers.get("Content-Language"), text.partition('<html lang="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("portal", "accept", "expected"),
    [
        ("alpha", "", "de"),
        ("alpha", "en-GB,en;q=0.9", "en"),
        ("alpha", "fr", "de"),
        ("beta", "", "en"),
        ("beta", "de-AT", "de"),
        ("gamma", "de", "en"),
        ("specialists", "de", "de"),
        ("specialists", "fr", "en"),
    ],
)
def test_page_is_in_a_language_of_its_place(
    browser: Browser, cast: Cast, portal: str, accept: str, expected: str
) -> None:
    """L2: what the browser accepts, within what the portal offers; its default otherwise."""
    assert language(browser, f"{portal}.localhost", accept) == (expected, expected)


def test_a_chosen_language_is_kept_on_that_host_only(browser: Browser, cast: Cast) -> None:
    """P2, L2: the choice beats the browser, and is no other host's business."""
    chosen = browser.post(DEV, "/language", {"language": "de", "next": "/x?y=1"}, page=PAGE)
    assert (chosen.status_code, chosen.headers["Location"]) == (303, "/x?y=1")
    assert language(browser, DEV, "en") == ("de", "de")
    assert language(browser, "beta.localhost", "en") == ("en", "en")


def test_only_offered_languages_and_real_zones_are_kept(browser: Browser, cast: Cast) -> None:
    for path, data in (("/language", {"language": "tlh"}), ("/zone", {"zone": "Mars/Base"})):
        answer = browser.post(DEV, path, data, page=PAGE)
        assert answer.status_code == 404
        assert path[1:] + "=" not in answer.headers.get("Set-Cookie", "")


def test_a_switch_leads_to_no_other_host(browser: Browser, cast: Cast) -> None:
    data = {"zone": "Asia/Tokyo", "next": "https://evil.example/"}
    assert browser.post(DEV, "/zone", data, page=PAGE).headers["Location"] == "/"


def test_the_pseudo_locale_turns_pages_round(browser: Browser, cast: Cast) -> None:
    """L2: offered in demonstration and tests."""
    browser.post(DEV, "/language", {"language": "ar-XB"}, page=PAGE)
    text = browser.get(DEV, PAGE).get_data(as_text=True)
    assert '<html lang="ar-XB" dir="rtl"' in text
    assert "⟦" in text


def test_caches_keep_languages_apart(browser: Browser, cast: Cast) -> None:
    vary = browser.get("alpha.localhost", NOWHERE).headers["Vary"]
    assert {"Accept-Language", "Cookie", "Host"} <= {name.strip() for name in vary.split(",")}


def test_the_language_somebody_prefers_beats_the_browsers(browser: Browser, cast: Cast, owner: Engine) -> None:
    """U2, L2: on every page, whether or not it asks who is reading."""
    with owner.begin() as connection:
        connection.execute(text("UPDATE patient SET locale = 'en' WHERE id = :id"), {"id": cast.alpha.patient.id})
    host = browser.sign_in(cast.alpha.patient)
    assert language(browser, host, "de", "/") == ("en", "en")
    assert language(browser, host, "de") == ("en", "en")


def test_a_wrong_token_is_told_in_the_browsers_language(browser: Browser, cast: Cast) -> None:
    """W1: the answer to a wrong token is a problem, not a failure of choosing its language."""
    headers = {"Accept-Language": "en", "Authorization": "Bearer wrong"}
    answer = browser.get("alpha.localhost", "/api/v1/me", headers=headers)
    assert answer.status_code in (401, 404)
    assert answer.headers["Content-Language"] == "en"
