"""A portal's own pages as people read them: addresses, languages, quoted settings, safety, caches (§5, P1, L2)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from polyclinic.tenancy.models import Page, PortalSetting
from polyclinic.web.places import PlaceFlask
from support.cast import Cast, PortalCast
from support.client import Browser
from support.pages import page

BODY = """Cancel until {{ booking.free_cancellation }} before. Write to {{ brand.support_email }}.

{{ prices }}

<script>alert(1)</script>

[evil](javascript:alert(1)) ![pixel](https://elsewhere.example/pixel.png)
"""


@pytest.fixture
def write(owner: Engine, cast: Cast, app: PlaceFlask) -> Any:
    """Return a callable that gives a portal a page."""

    def add(portal: PortalCast, name: str, texts: dict[str, dict[str, Any]], **more: Any) -> None:
        labels = {locale: words.get("label", words["title"]) for locale, words in texts.items()}
        values = {"kind": "text", "placement": "header", "position": 5, **more}
        with Session(owner) as session:
            session.add(Page(portal_id=portal.id, name=name, labels=labels, texts=texts, **values))
            session.commit()
        app.places.forget()

    return add


@pytest.fixture
def support(owner: Engine, cast: Cast, app: PlaceFlask) -> None:
    """Alpha has a support address and says whom to call."""
    with Session(owner) as session:
        for key, value in {
            "brand.support_email": "help@alpha.example",
            "brand.crisis": {"en": "Call 112 at once.", "de": "Rufen Sie sofort 112."},
        }.items():
            session.add(PortalSetting(portal_id=cast.alpha.id, key=key, value=value))
        session.commit()
    app.places.forget()


def story(body: str = BODY) -> dict[str, dict[str, Any]]:
    """A page in both of Alpha's languages."""
    return {"de": {"title": "Geschichte", "body": "Es war einmal."}, "en": {"title": "Our story", "body": body}}


def test_a_page_is_served_at_its_name_and_in_the_navigation(cast: Cast, browser: Browser, write: Any) -> None:
    """§5: in the reader's language, marked as the current page."""
    write(cast.alpha, "story", story())
    html = page(browser, cast.alpha, "/story", headers={"Accept-Language": "en"})
    assert re.search(r'<a href="/story" aria-current="page">.*?Our story', html)
    assert "<h1>Our story</h1>" in html
    assert "<h1>Geschichte</h1>" in page(browser, cast.alpha, "/story", headers={"Accept-Language": "de"})


def test_settings_and_prices_are_quoted_and_nothing_of_a_text_runs(
    cast: Cast, browser: Browser, write: Any, support: None
) -> None:
    write(cast.alpha, "story", story())
    html = page(browser, cast.alpha, "/story", headers={"Accept-Language": "en"})
    text = html.partition('<div class="prose words"')[2].partition("</article>")[0]
    assert "Cancel until 24 hours before." in text
    assert '<a href="mailto:help@alpha.example">help@alpha.example</a>' in text
    assert f"First visit {cast.alpha.canary}" in text
    assert "€80" in text
    assert "<script" not in text
    assert "javascript:" not in text.replace("[evil](javascript:alert(1))", "")
    assert "<img" not in text


def test_a_missing_language_falls_back_to_the_portals_first_and_says_so(
    cast: Cast, browser: Browser, write: Any
) -> None:
    """L2: whoever listens with a screen reader hears German as German."""
    write(cast.alpha, "story", {"de": {"title": "Geschichte", "body": "Es war einmal."}})
    html = page(browser, cast.alpha, "/story", headers={"Accept-Language": "en"})
    assert '<div class="prose words" lang="de" dir="ltr">' in html


def test_unknown_pages_and_those_of_another_portal_are_not_there(cast: Cast, browser: Browser, write: Any) -> None:
    """P1, I2: by any method, and on any place."""
    write(cast.beta, "story", story())
    assert browser.get(cast.beta.host, "/story").status_code == 200
    for host in (cast.alpha.host, cast.specialists_host, cast.admin_host):
        assert browser.get(host, "/story").status_code == 404
        assert browser.post(host, "/story", {"csrf_token": "none"}).status_code == 404
    assert browser.get(cast.beta.host, "/home").status_code == 404


def test_what_is_woven_into_the_products_pages_has_no_address(cast: Cast, browser: Browser, write: Any) -> None:
    parts = {"headline": "Rest here", "steps": [{"title": "Breathe", "text": "In and out."}], "questions": 1}
    write(cast.alpha, "home", {"de": {"title": "Ruhe", "body": "", "parts": parts}}, kind="home", placement="none")
    write(cast.alpha, "faq", {"de": {"title": "Fragen", "body": "## Wann?\n\nJetzt."}}, kind="questions")
    html = page(browser, cast.alpha)
    assert "Rest here</h1>" in html
    assert "Breathe" in html
    assert "<span>Wann?</span>" in html
    assert browser.get(cast.alpha.host, "/home").status_code == 404


def test_questions_open_without_script_and_are_data_for_search_engines(
    cast: Cast, browser: Browser, write: Any
) -> None:
    write(cast.alpha, "faq", {"de": {"title": "Fragen", "body": "# Anfang\n\n## Wann?\n\nJetzt."}}, kind="questions")
    html = page(browser, cast.alpha, "/faq")
    assert '<h2 id="group-1">Anfang</h2>' in html
    assert "<details" in html
    assert '"@type": "FAQPage"' in html


def test_an_agreement_is_shown_in_the_words_that_are_in_force(cast: Cast, browser: Browser, write: Any) -> None:
    """K1: one text, wherever it is read."""
    write(cast.alpha, "conditions", {"de": {"title": "Bedingungen"}}, kind="agreement", agreement="terms")
    html = page(browser, cast.alpha, "/conditions")
    assert f"These are the terms of {cast.alpha.canary}." in html
    assert 'href="/agreements/terms"' in html


def test_each_language_has_an_address_of_its_own(cast: Cast, browser: Browser, write: Any) -> None:
    """L2: hreflang for search engines, and the switch still decides afterwards."""
    write(cast.alpha, "story", story())
    html = page(browser, cast.alpha, "/story?lang=en", headers={"Accept-Language": "de"})
    assert "<h1>Our story</h1>" in html
    for tag, query in (("de", "?lang=de"), ("en", "?lang=en"), ("x-default", "")):
        assert re.search(
            f'<link rel="alternate" hreflang="{tag}" href="http://alpha.localhost[^"]*/story\\{query}"', html
        )
    assert "hreflang" not in browser.get(cast.alpha.host, "/sign-in").get_data(as_text=True)
    back = browser.post(cast.alpha.host, "/language", {"language": "de", "next": "/story?lang=en&a=1"}, page="/")
    assert back.headers["Location"] == "/story?a=1"


def test_an_unchanged_page_is_not_sent_again(cast: Cast, browser: Browser, write: Any, owner: Engine) -> None:
    """HEAD and ETag: kept by the browser, asked about each time, new with its words and its reader."""
    write(cast.alpha, "story", story())
    first = browser.get(cast.alpha.host, "/story")
    known = {"If-None-Match": first.headers["ETag"]}
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert browser.get(cast.alpha.host, "/story", headers=known).status_code == 304
    head = browser.head(cast.alpha.host, "/story")
    assert (head.status_code, head.get_data()) == (200, b"")
    assert browser.get(cast.alpha.host, "/story", headers={**known, "Accept-Language": "en"}).status_code == 200
    with Session(owner) as session:
        session.query(Page).update({"texts": {"de": {"title": "Anders", "body": "Neu."}}})
        session.commit()
    assert browser.get(cast.alpha.host, "/story", headers=known).status_code == 200


def test_whom_to_call_stands_on_every_page_and_where_people_write(
    cast: Cast, browser: Browser, write: Any, support: None
) -> None:
    write(cast.alpha, "story", story())
    write(cast.alpha, "contact", {"de": {"title": "Kontakt", "body": ""}}, kind="contact")
    assert page(browser, cast.alpha, "/story").count("Rufen Sie sofort 112.") == 1
    assert page(browser, cast.alpha, "/contact").count("Rufen Sie sofort 112.") == 2
