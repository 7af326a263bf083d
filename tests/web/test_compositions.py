"""L1: three themes are three companies: compositions differ, nothing leaks, every template is drawn."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import html5lib
import pytest

from polyclinic.notifications.compose import Recipient, compose
from polyclinic.notifications.letters import Letter
from polyclinic.notifications.senders import as_portal
from polyclinic.resources import shipped
from polyclinic.web.i18n import current_language
from polyclinic.web.places import PlaceFlask
from polyclinic.web.themes import Theme, read_themes
from polyclinic.web.theming import look_of_portal, themes
from support.bookings import HOUR, TEN, Desk, in_browser
from support.cast import PortalCast
from support.client import Browser

COMPANIES = ("tempo", "lamplight", "bento")
FOLDERS = read_themes([shipped("themes")])
#: Pages whose composition makes the company; the forms inside them are the features'.
PLACES = ("home", "directory", "profile", "step", "door", "appointments", "visit", "booked", "layout")


def set_theme(desk: Desk, theme: str) -> PortalCast:
    """Put Alpha into a theme."""
    desk.setting(desk.cast.alpha, "brand.theme", theme)
    return desk.cast.alpha


def visit(desk: Desk, browser: Browser, theme: str, appointment: uuid.UUID) -> dict[str, str]:
    """The pages of Alpha in a theme, by what they show; the same people, times and words in each."""
    portal = set_theme(desk, theme)
    browser.keep(portal.host, "language", "en")
    with desk.app.app_context():
        hold = desk.hold(in_browser(portal.patient, f"browser of {theme}"), desk.cast.lea, TEN + 3 * HOUR).id
    addresses = {
        "home": "/",
        "directory": "/specialists",
        "profile": f"/specialists/{desk.cast.listing(portal, desk.cast.sam)}",
        "step": f"/book/{hold}",
        "appointments": "/appointments",
        "visit": f"/appointments/{appointment}",
        "booked": f"/appointments/{appointment}/booked",
        "cancel": f"/appointments/{appointment}/cancel",
        "nobody": "/specialists?q=nobody+of+this+name",
        "past": "/appointments?show=past",
    }
    found = {"door": browser.get(portal.host, "/sign-in").get_data(as_text=True)}
    browser.sign_in(portal.patient)
    for name, path in addresses.items():
        answer = browser.get(portal.host, path)
        assert answer.status_code == 200, (theme, path)
        found[name] = answer.get_data(as_text=True)
    found["layout"] = re.sub(r"<main.*?</main>", "<main></main>", found["home"], flags=re.S)
    return found


def skeleton(page: str, part: str) -> list[str]:
    """The elements of a page's main part (or of all of it) with their depth: no words, classes or tokens."""
    document = html5lib.parse(page, namespaceHTMLElements=False)
    top = document.find("body") if part == "layout" else document.find(".//main")

    def walk(node: object, depth: int) -> Iterator[str]:
        for child in node:  # type: ignore[attr-defined]  # an Element
            if isinstance(child.tag, str):
                yield f"{depth}{child.tag}"
                if child.tag not in ("svg", "select", "form"):
                    yield from walk(child, depth + 1)

    return list(walk(top, 0))


@pytest.fixture
def booked(desk: Desk) -> uuid.UUID:
    """An appointment of Alpha's patient."""
    with desk.app.app_context():
        return desk.book(desk.cast.alpha.patient, desk.cast.ada).id


@pytest.mark.slow
def test_no_two_companies_share_a_composition(desk: Desk, app: PlaceFlask, booked: uuid.UUID) -> None:
    """L1: with the same data and words, each page of each theme is put together in its own way."""
    pages = {theme: visit(desk, Browser(app), theme, booked) for theme in (*COMPANIES, "base")}
    alike = [
        (one, other, part)
        for part in PLACES
        for one, other in combinations((*COMPANIES, "base"), 2)
        if skeleton(pages[one][part], part) == skeleton(pages[other][part], part)
    ]
    assert alike == []
    pictures = {
        theme: set(re.findall(r'<svg class="picture.*?</svg>', pages[theme]["home"], re.S)) for theme in COMPANIES
    }
    assert all(pictures.values())
    assert not any(pictures[one] & pictures[other] for one, other in combinations(COMPANIES, 2))


def test_a_skeleton_sees_structure_and_no_tokens() -> None:
    """The comparison can fail: words, classes and looks make no difference, another element does."""
    page = "<html data-card='raised'><main><div class='a'><p>One</p></div></main></html>"
    other = "<html data-card='filled'><main><div class='b'><p>Two</p></div></main></html>"
    assert skeleton(page, "home") == skeleton(other, "home") == ["0div", "1p"]
    assert skeleton(page.replace("<p>One</p>", "<h2>One</h2>"), "home") != skeleton(page, "home")


def drawn(app: PlaceFlask, theme: str) -> set[str]:
    """The templates of a theme's own folder that its environment has loaded."""
    own = FOLDERS[theme].folder / "templates"
    with app.app_context():
        cache = themes().environment(themes().theme(theme)).cache
    files = {Path(template.filename) for template in (cache or {}).values() if template.filename}
    return {file.relative_to(own).as_posix() for file in files if own in file.parents}


@pytest.mark.slow
@pytest.mark.parametrize("theme", COMPANIES)
def test_every_template_of_a_theme_is_drawn(desk: Desk, app: PlaceFlask, booked: uuid.UUID, theme: str) -> None:
    """L1: none of its files is dead; pages, parts, pictures, mails."""
    visit(desk, Browser(app), theme, booked)
    write_mail(desk, theme)
    own = FOLDERS[theme].folder / "templates"
    written = {path.relative_to(own).as_posix() for path in own.rglob("*.*")}
    assert len(written) > 15
    assert written - drawn(app, theme) == set()


def test_templates_of_the_three_companies_never_leak(app: PlaceFlask) -> None:
    """L1, P4: the names they share come from each one's own folder, in whatever order they are asked for."""
    with app.app_context():
        shared = [
            path.relative_to(FOLDERS["tempo"].folder / "templates").as_posix()
            for path in (FOLDERS["tempo"].folder / "templates").rglob("*.html")
        ]
        for name in (*shared, *reversed(shared)):
            for theme in (*COMPANIES, *reversed(COMPANIES)):
                file = FOLDERS[theme].folder / "templates" / name
                if file.is_file():
                    loaded = themes().environment(themes().theme(theme)).get_template(name)
                    assert loaded.filename == str(file)


@pytest.mark.parametrize("theme", COMPANIES)
def test_a_portal_serves_files_of_its_own_company_only(desk: Desk, browser: Browser, theme: str) -> None:
    """P4: the styles of another company are not there."""
    host = set_theme(desk, theme).host
    for slug in COMPANIES:
        with browser.get(host, f"/static/theme/{slug}/theme.css") as sheet:
            assert sheet.status_code == (200 if slug == theme else 404)
    page = browser.get(host, "/").get_data(as_text=True)
    for other in set(COMPANIES) - {theme}:
        assert other not in page


def write_mail(desk: Desk, theme: str) -> str:
    """A mail of Alpha in a theme, as HTML."""
    portal = set_theme(desk, theme)
    letter = Letter(
        subject="Your appointment is booked",
        greeting="Hello Pat,",
        paragraphs=("See you <soon>.",),
        code="123456",
        facts=(("When", "Tue 2 Mar, 10:00"), ("With", "Ada")),
        action=("Show the appointment", "http://alpha.localhost/appointments/1"),
    )
    with desk.app.test_request_context("/", base_url=f"http://{portal.host}:8000"):
        recipient = Recipient("patient", "1", "Pat", "pat@example.org", "en", "Europe/Berlin")
        mail = compose(as_portal(desk.portal(portal)), recipient, letter, "<1@alpha.example>", current_language())
    body = mail.get_body(("html",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("theme", COMPANIES)
def test_a_mail_is_the_companys_too(desk: Desk, theme: str) -> None:
    """L1: its own composition, styles as attributes, both schemes, nothing that a mail program would not load."""
    mail = write_mail(desk, theme)
    others = [write_mail(desk, other) for other in COMPANIES if other != theme]
    frames = [re.findall(r"<(\w+)", text.split("<body", 1)[1]) for text in (mail, *others)]
    assert frames[0] not in frames[1:]
    for said in ("Hello Pat,", "See you &lt;soon&gt;.", "123456", "Tue 2 Mar, 10:00", "Show the appointment"):
        assert said in mail
    assert "prefers-color-scheme: dark" in mail
    assert re.search(r'<td class="head"[^>]* style="|<p class="name" style="|<div class="tile tile-head" style="', mail)
    assert re.findall(r"<(?:script|img|link|svg)|url\(", mail) == []


@pytest.mark.parametrize("theme", COMPANIES)
def test_a_companys_colours_need_no_repair(desk: Desk, theme: str) -> None:
    """L1, L3: light and dark are designed with enough contrast; nothing had to be lifted."""
    portal = set_theme(desk, theme)
    with desk.app.app_context():
        look = look_of_portal(desk.portal(portal))
    assert look.theme.slug == theme
    assert look.repairs == ()


@pytest.mark.parametrize("theme", [one for one in FOLDERS.values() if one.parent is None or one.slug in COMPANIES])
def test_a_theme_brings_the_families_of_its_documents(theme: Theme) -> None:
    """L1: PDF files are set with fonts that are there, each folder with its licences."""
    names = "".join(path.name.casefold() for folder in theme.font_folders for path in folder.glob("*.ttf"))
    for family in (theme.pdf.display, theme.pdf.text):
        assert family.casefold().replace(" ", "") in names.replace("-", "")
    assert all(list(folder.glob("OFL-*.txt")) for folder in theme.font_folders)


def macro_signatures(file: Path) -> set[str]:
    """The public macros of a file as they are declared."""
    return set(re.findall(r"{% macro ([a-z]\w*\([^%]*?\)) -?%}", file.read_text()))


@pytest.mark.parametrize("theme", COMPANIES)
def test_replaced_components_keep_their_signatures(theme: str) -> None:
    """docs/components.md holds in every theme."""
    base = shipped("themes") / "base" / "templates" / "components"
    for own in (FOLDERS[theme].folder / "templates" / "components").glob("*.html"):
        assert macro_signatures(own) == macro_signatures(base / own.name), own
