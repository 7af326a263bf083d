"""L2: a portal says the product's texts in its own words; the others' pages keep theirs."""

from __future__ import annotations

import pytest

from polyclinic.catalogue import check_wording
from polyclinic.tenancy.kinds import Context, NotAccepted, Wording
from polyclinic.tenancy.policy import BRAND_WORDING
from polyclinic.tenancy.settings import Settings
from support.bookings import Desk
from support.client import Browser

WORDS = {
    "Find a specialist": {"en": "Find a physio", "de": "Physio finden"},
    "%(num)s specialist": {"en": "%(num)s physio | %(num)s physios"},
}


def test_pages_speak_in_the_portals_words_and_navigation_too(desk: Desk, browser: Browser) -> None:
    """L2: headings, links of the navigation, plural forms; a sibling and another language keep the product's."""
    alpha, beta = desk.cast.alpha, desk.cast.beta
    desk.setting(alpha, "brand.wording", WORDS)
    browser.keep(alpha.host, "language", "en")
    page = browser.get(alpha.host, "/specialists").get_data(as_text=True)
    assert "<h1>Find a physio</h1>" in page
    assert "Find a specialist" not in page
    assert "3 physios" in page
    browser.keep(alpha.host, "language", "de")
    german = browser.get(alpha.host, "/specialists").get_data(as_text=True)
    assert "<h1>Physio finden</h1>" in german
    assert "physios" not in german
    browser.keep(beta.host, "language", "en")
    assert "physio" not in browser.get(beta.host, "/specialists").get_data(as_text=True)


def test_an_error_page_and_an_unknown_host_keep_working(desk: Desk, browser: Browser) -> None:
    """P1: there is no portal to ask."""
    desk.setting(desk.cast.alpha, "brand.wording", WORDS)
    assert browser.get(desk.cast.alpha.host, "/nowhere").status_code == 404
    assert browser.get("unknown.localhost", "/").status_code == 404


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ("Find", ()),
        ({"Sign in": "Come in"}, ("Sign in",)),
        ({"Sign in": {"en": "<b>Come in</b>"}}, ("Sign in", "en")),
        ({"Sign in": {"en": 'Come" onclick="in'}}, ("Sign in", "en")),
        ({"Sign in": {"fr": "Entrez"}}, ("Sign in", "fr")),
        ({"Sign in": {"en": "100 % in"}}, ("Sign in", "en")),
        ({"Next free: %(time)s": {"en": "Soon: %(date)s"}}, ("Next free: %(time)s", "en")),
    ],
)
def test_wording_that_could_break_a_page_is_refused_where_it_stands(given: object, at: tuple[str, ...]) -> None:
    """L2: what was wrong, where, what was expected."""
    with pytest.raises(NotAccepted) as refused:
        Wording().parse(given, Context(locales=("en", "de")))
    assert refused.value.at == at
    assert refused.value.expected


def test_a_text_that_the_product_does_not_have_is_refused_with_the_nearest() -> None:
    """L2, Y1: a slip of the pen would never be seen."""
    settings = Settings({BRAND_WORDING.key: {"Find a specialst": {"en": "Find a physio"}}})
    (problem,) = check_wording(settings)
    assert problem.path == ("brand", "wording", "Find a specialst")
    assert "Find a specialist" in str(problem.message)
