"""L2: the language of a page or a mail, and times, zones and money written in it."""

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from polyclinic.kernel.money import Money
from polyclinic.web import i18n

BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
NOON = dt.datetime(2026, 11, 24, 11, 0, tzinfo=dt.UTC)


@pytest.fixture
def context() -> Iterator[None]:
    """An app with languages and no request, as a job has."""
    app = Flask(__name__)
    i18n.init_app(app)
    with app.app_context():
        yield


@pytest.mark.parametrize(
    ("wishes", "accepted", "expected"),
    [
        ([], [], "de"),
        (["en"], ["de"], "en"),
        ([None, "en"], [], "en"),
        (["fr", "en"], [], "en"),
        (["fr"], ["fr-CH", "en-GB", "de"], "en"),
        ([], ["fr"], "de"),
        (["ar-XB"], [], "ar_XB"),
        ([], ["ar"], "de"),
    ],
)
def test_language_is_a_wish_that_is_offered_else_accepted_else_the_portals(
    wishes: list[str | None], accepted: list[str], expected: str
) -> None:
    """L2: cookie, then preference, then browser; never a language the portal does not have."""
    assert i18n.choose(("de", "en", "ar_XB"), wishes, accepted) == expected


def test_pseudo_locale_has_arabic_formats_and_its_own_name() -> None:
    language = i18n.Language("ar_XB")
    assert (language.tag, language.direction, str(language.locale)) == ("ar-XB", "rtl", "ar_XB")
    assert i18n.Language("de").name == "Deutsch"
    assert i18n.Language("de").direction == "ltr"


def test_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="xx"):
        i18n.locale_of("xx")


@pytest.mark.parametrize(
    ("code", "money", "expected"),
    [
        ("en", Money(8000, "EUR"), "€80.00"),
        ("de", Money(8050, "EUR"), "80,50\xa0€"),
        ("en", Money(1200, "JPY"), "¥1,200"),
        ("en", Money(1250, "KWD"), "KWD\xa01.250"),
        ("de", Money(-100, "GBP"), "-1,00\xa0£"),
    ],
)
def test_money_has_the_digits_of_its_currency(context: None, code: str, money: Money, expected: str) -> None:
    """E1: zero- and three-decimal currencies included."""
    with i18n.use_locale(code):
        assert i18n.format_money(money) == expected


def test_times_are_written_in_the_readers_language_and_zone(context: None) -> None:
    with i18n.use_locale("en", "Europe/Berlin"):
        assert i18n.format_when(NOON, home=BERLIN).replace("\u202f", " ") == "Tuesday, November 24, 2026, 12:00 PM"
        assert i18n.format_time(dt.time(9, 0)).replace("\u202f", " ") == "9:00 AM"
    with i18n.use_locale("de", "Europe/Berlin"):
        assert i18n.format_day(NOON) == "Dienstag, 24. November 2026"
        assert i18n.format_time(NOON) == "12:00"


def test_a_zone_is_named_only_where_its_clock_differs(context: None) -> None:
    with i18n.use_locale("en", "Asia/Tokyo"):
        assert i18n.format_when(NOON, home=BERLIN).endswith("(Tokyo time)")
        assert i18n.format_when(NOON, home=ZoneInfo("Asia/Seoul")).endswith("PM")
        assert i18n.format_day(dt.datetime(2026, 11, 24, 20, 0, tzinfo=dt.UTC), length="long") == "November 25, 2026"


def test_languages_nest_and_end(context: None) -> None:
    with i18n.use_locale("de", "Asia/Tokyo"):
        with i18n.use_locale("en", "Europe/Berlin"):
            assert (i18n.current_language().code, i18n.current_zone()) == ("en", BERLIN)
        assert (i18n.current_language().code, i18n.current_zone()) == ("de", TOKYO)
    assert i18n.current_language().code == "en"


def test_texts_in_several_languages_fall_back(context: None) -> None:
    texts = {"de": "Erstgespräch", "en": "First visit"}
    with i18n.use_locale("de"):
        assert i18n.localized(texts) == "Erstgespräch"
    assert i18n.localized(texts, "fr", "de") == "Erstgespräch"
    assert i18n.localized({"ja": "初回"}, "fr") == "初回"


@pytest.fixture
def site() -> Iterator[None]:
    """A request to a site with a page and a form's address."""
    app = Flask(__name__)
    app.add_url_rule("/a", "page", lambda: "")
    app.add_url_rule("/grüße/<name>", "named", lambda name: name)
    app.add_url_rule("/sign-out", "form", lambda: "", methods=["POST"])
    with app.test_request_context("/a"):
        yield


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/a?b=1", "/a?b=1"),
        ("/gr%C3%BC%C3%9Fe/x%20y", "/gr%C3%BC%C3%9Fe/x%20y"),
        (None, "/"),
        ("https://other.example/x", "/"),
        ("//other.example", "/"),
        ("/\\other.example", "/"),
        ("javascript:alert(1)", "/"),
        ("//[", "/"),
        ("/sign-out", "/"),
    ],
)
@pytest.mark.usefixtures("site")
def test_a_switch_goes_back_to_a_page_of_this_host_only(address: str | None, expected: str) -> None:
    """Not to other hosts, and not to a form's address, which would answer with 405."""
    assert i18n.local_target(address) == expected
