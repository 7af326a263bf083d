"""Pages as files: read, told what is wrong with line and expectation, applied, exported (Y1, §5)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.catalogue import file_sections
from polyclinic.kernel.actor import SYSTEM
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.pages.rules import RESERVED
from polyclinic.resources import shipped
from polyclinic.tenancy.documents import WrongFiles, read_document
from polyclinic.tenancy.files import apply_portal, export_portal, parse_portal, plan_portal
from polyclinic.tenancy.models import Page, Portal
from polyclinic.tenancy.pages import WOVEN
from polyclinic.web.markup import questions_of
from polyclinic.web.places import PlaceFlask
from support.cast import Cast
from support.portal_folders import make_folder

HOW = """+++
title = "So geht es"
description = "Was Sie erwartet."
placement = "header"
order = 10

[[steps]]
title = "Buchen"
text = "Wir halten die Zeit {{ booking.hold }} lang fest."
+++

## Absagen

Bis {{ booking.free_cancellation }} vorher.
"""


@pytest.fixture
def network(engine: Engine, cast: Cast) -> Iterator[Session]:
    """A session of the network, beside the cast's portals."""
    with open_session(engine, Scope("network")) as session:
        yield session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the portal "delta", with a page in its first language."""
    folder = make_folder(tmp_path)
    put(folder, "how-it-works.de", HOW)
    return folder


def put(folder: Path, name: str, text: str) -> None:
    """Write the file of a page."""
    file = folder / "pages" / f"{name}.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")


def complaints(folder: Path) -> list[str]:
    """What is said of a folder."""
    document = read_document(folder, "delta/portal.toml")
    parse_portal(document, file_sections())
    try:
        document.finish()
    except WrongFiles as wrong:
        return list(wrong.complaints)
    return []


def test_apply_writes_pages_and_export_changes_nothing(network: Session, folder: Path) -> None:
    """Y1: the database has what the file says, the next plan is empty, and the folder agrees."""
    done = apply_portal(network, SYSTEM, folder, file_sections(), record)
    assert any(change.path[:2] == ("pages", "how-it-works") for change in done.changes)
    row = network.scalars(select(Page).join(Portal).where(Portal.slug == "delta")).one()
    assert (row.kind, row.placement, row.position) == ("text", "header", 10)
    assert row.texts["de"]["parts"]["steps"][0]["title"] == "Buchen"
    assert plan_portal(network, folder, file_sections()).empty
    assert export_portal(network, "delta", folder, file_sections()).files == {}


def test_a_page_changed_elsewhere_is_drift_and_is_exported(network: Session, folder: Path) -> None:
    """Y1: what the console changed is shown, not undone; export brings it into the file."""
    apply_portal(network, SYSTEM, folder, file_sections(), record)
    texts = {"de": {"title": "So läuft es", "body": "Neu."}}
    network.execute(update(Page).values(texts=texts))
    network.commit()
    found = plan_portal(network, folder, file_sections())
    assert {difference.path[:2] for difference in found.drift} == {("pages", "how-it-works")}
    with pytest.raises(Conflict):
        apply_portal(network, SYSTEM, folder, file_sections(), record)
    network.rollback()
    files = export_portal(network, "delta", folder, file_sections()).files
    assert set(files) == {"pages/how-it-works.de.md"}
    put(folder, "how-it-works.de", files["pages/how-it-works.de.md"])
    assert plan_portal(network, folder, file_sections()).empty
    assert export_portal(network, "delta", folder, file_sections()).files == {}


def test_a_page_that_leaves_the_folder_is_gone_and_one_that_leaves_the_database_leaves_the_folder(
    network: Session, folder: Path
) -> None:
    """Y1: both ways."""
    apply_portal(network, SYSTEM, folder, file_sections(), record)
    put(folder, "about.de", '+++\ntitle = "Über uns"\n+++\n')
    assert export_portal(network, "delta", folder, file_sections()).removed == ("pages/about.de.md",)
    (folder / "pages/about.de.md").unlink()
    (folder / "pages/how-it-works.de.md").unlink()
    apply_portal(network, SYSTEM, folder, file_sections(), record)
    assert network.scalars(select(Page).join(Portal).where(Portal.slug == "delta")).all() == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.de", "Hello", "delta/pages/a.de.md:1: the front matter is missing; expected a line “+++”"),
        ("a.de", "+++\ntitle = \n+++\n", "delta/pages/a.de.md:2: this is not TOML"),
        ("a.de", "+++\ndescription = 'x'\n+++\n", "delta/pages/a.de.md:1: “title” is missing; expected text"),
        ("a.de", "+++\ntitle = 'x'\ntitel = 'y'\n+++\n", ":3: titel: “titel” is unknown here (did you mean “title”?)"),
        ("a.de", "+++\ntitle = 'x'\norder = 'first'\n+++\n", ":3: order: “first” is not accepted; expected a whole"),
        ("a.de", "+++\ntitle = 'x'\nplacement = 'top'\n+++\n", ":3: placement: “top” is unknown; expected one of"),
        ("a.de", "+++\ntitle = 'x'\n\n[[steps]]\ntitle = 'y'\n+++\n", ":4: steps[1]: “text” is missing"),
        ("a.de", "+++\ntitle = 'x'\nsteps = 3\n+++\n", ":3: steps: this is not a list of tables; expected [[steps]]"),
        ("a.de", "+++\ntitle = 'x'\n+++\n\nSee {{ brand.nam }}.\n", ":5: “{{ brand.nam }}” stands for nothing (did"),
        ("a.de", "+++\ntitle = 'x {{ nothing }}'\n+++\n", ":2: “{{ nothing }}” stands for nothing"),
        ("a.fr", "+++\ntitle = 'x'\n+++\n", "a.fr.md:1: “fr” is not a language of this portal; expected one of de, en"),
        ("a.en", "+++\ntitle = 'x'\n+++\n", "the page in the portal's first language, “de”, is missing"),
        ("api.de", "+++\ntitle = 'x'\n+++\n", "the address /api is taken by the website itself; expected another name"),
        ("A b.de", "+++\ntitle = 'x'\n+++\n", "this is not the name of a page's file; expected a name in lower-case"),
        ("home.de", "+++\ntitle = 'x'\nkind = 'contact'\n+++\n", ":3: “kind” means nothing on the page “home”"),
        ("q.de", "+++\ntitle = 'x'\nkind = 'questions'\n+++\n\nText\n", ":6: there is no question in the text"),
        (
            "t.de",
            "+++\ntitle = 'x'\nkind = 'agreement'\nagreement = 'no'\n+++\n",
            "“no” is no agreement of this portal",
        ),
    ],
)
def test_a_wrong_page_is_told_with_line_and_expectation(folder: Path, name: str, text: str, said: str) -> None:
    """Y1: which file, which line, what was wrong, what was expected."""
    put(folder, name, text)
    found = complaints(folder)
    assert len(found) >= 1
    assert any(said in complaint and "; expected " in complaint for complaint in found), found


def test_what_counts_for_all_languages_is_said_once(folder: Path) -> None:
    put(folder, "how-it-works.en", '+++\ntitle = "How"\norder = 3\n+++\n')
    assert complaints(folder) == [
        "delta/pages/how-it-works.en.md:3: “order” is said once for all languages; expected pages/how-it-works.de.md"
    ]


def test_one_contact_form_is_enough(folder: Path) -> None:
    for name in ("a", "b"):
        put(folder, f"{name}.de", '+++\ntitle = "Kontakt"\nkind = "contact"\n+++\n')
    assert ["has the contact form already" in complaint for complaint in complaints(folder)] == [True]


def test_questions_are_found_with_their_groups() -> None:
    text = "Hello.\n\n# Before\n\n## How?\n\nSo.\n\n### Still the answer\n\n# After\n\n## What? ##\n\nThat."
    introduction, found = questions_of(text)
    assert introduction == "Hello."
    assert [(one.group, one.question, one.answer) for one in found] == [
        ("Before", "How?", "So.\n\n### Still the answer"),
        ("After", "What?", "That."),
    ]


def test_no_page_can_take_an_address_of_the_website(app: PlaceFlask) -> None:
    """The names that are refused are those of the portal's own routes, all of them."""
    firsts = {
        rule.rule.split("/")[1] for rule in app.url_map.iter_rules() if rule.subdomain == "portal" and rule.rule != "/"
    }
    words = {first for first in firsts if "<" not in first}
    assert words - RESERVED - set(WOVEN) == set()


@pytest.mark.parametrize("slug", ["physio", "mind", "nutrition"])
def test_sample_portals_write_their_pages_in_all_their_languages(slug: str) -> None:
    """§5: home, how it works, questions, contact, help in an emergency, who runs it, and the legal texts."""
    document = read_document(shipped("tenants") / slug)
    pages = parse_portal(document, file_sections())["pages"]
    document.finish()
    languages = {locale.partition("_")[0] for locale in document.context.locales}
    assert {name: set(page["texts"]) for name, page in pages.items() if set(page["texts"]) != languages} == {}
    assert {"home", "specialists", "profile", "crisis"} <= set(pages)
    kinds = [page["kind"] for page in pages.values()]
    assert kinds.count("contact") == kinds.count("questions") == 1
    assert kinds.count("agreement") == 2
