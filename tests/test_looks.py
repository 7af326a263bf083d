"""``make looks`` sees every page: by the application's own map of addresses, and by what somebody asked for."""

from __future__ import annotations

import pytest
from flask import Flask

from polyclinic.web.places import PlaceFlask
from support.looks.__main__ import LOOKS
from support.looks.matrix import Cell, Only
from support.looks.pages import EXAMPLES, NOT_SHOT, PageRoute, documents, is_page, pages


def test_every_page_is_shot_or_says_why_not(app: PlaceFlask) -> None:
    """L3: a page with an id in its path has an example on the sample network (looks/pages.py), or a reason."""
    everything = [*pages(app), *documents(app)]
    missing = {page.path: page.needs for page in everything if page.needs and page.needs not in EXAMPLES}
    assert missing == {}


def test_reasons_and_examples_are_for_pages_that_exist(app: PlaceFlask) -> None:
    """A reason for a page that has gone hides the next one of its name."""
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules() if is_page(rule)}
    assert sorted(set(NOT_SHOT) - endpoints) == []
    assert all(NOT_SHOT.values())
    assert set(EXAMPLES) - {page.needs for page in (*pages(app), *documents(app))} == set()


def test_a_page_with_an_unknown_id_is_noticed() -> None:
    """The check above sees what it is to see."""
    app = Flask("pages", static_folder=None)
    app.add_url_rule("/wishes/<int:wish_id>", "portal_wishes.show", subdomain="portal")
    app.add_url_rule("/api/v1/wishes", "portal_wishes_api.list", subdomain="portal")
    app.add_url_rule("/wishes", "portal_wishes.send", subdomain="portal", methods=["POST"])
    app.add_url_rule("/stripe", "hooks_stripe.receive", subdomain="hooks")
    assert [page.needs for page in pages(app)] == [("portal", "/wishes/")]


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("/appointments/<uuid:appointment_id>/cancel", "/appointments/7/cancel"),
        ("/listings/<uuid:portal_id>/<uuid:listing_id>", "/listings/7"),
        ("/account", "/account"),
    ],
)
def test_an_example_stands_where_the_ids_were(path: str, address: str) -> None:
    assert PageRoute("admin", "a.b", path).address("7") == address


def test_what_was_asked_for() -> None:
    """Widths, modes, languages and looks by their names; every other word names pages."""
    only = Only.parse("physio,390,dark,appointments", LOOKS)
    assert list(only.cells("de", reads_again=False)) == [Cell(390, "dark", "de")]
    assert only.wants("physio", "/appointments [many]")
    assert not only.wants("mind", "/appointments [many]")
    assert not only.wants("physio", "/account [many]")
    assert only.languages_of(("de", "en")) == ["de", "en"]
    with pytest.raises(ValueError, match="expected one of 390, 820, 1440"):
        Only.parse("400", LOOKS)


def test_nothing_asked_for_is_everything() -> None:
    """Three widths in two modes; a page that is resized without opening it again changes its mode once."""
    assert len(list(Only().cells("rtl", reads_again=True))) == 6
    assert [cell.scheme for cell in Only().cells("de", reads_again=False)] == ["light"] * 3 + ["dark"] * 3
