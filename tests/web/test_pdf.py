"""Documents as PDF: found like pages' templates, filled with data that stay data, the same bytes each time."""

from __future__ import annotations

import datetime as dt
import io
import time
from pathlib import Path
from typing import Any

import pytest
import typst
from flask import Flask
from flask_babel import Babel
from pypdf import PdfReader

from polyclinic.kernel.errors import Defect
from polyclinic.resources import shipped
from polyclinic.web import pdf
from polyclinic.web.i18n import use_locale
from polyclinic.web.places import PlaceFlask
from polyclinic.web.themes import read_themes
from polyclinic.web.theming import Look, ThemedFlask, Themes, themes

MOMENT = dt.datetime(2026, 11, 25, 9, 30, tzinfo=dt.UTC)
PORTAL_THEMES = sorted(
    path.parent.name for path in shipped("themes").glob("*/theme.toml") if path.parent.name not in ("console",)
)
HOSTILE = (
    '#import "x"',
    "]",
    "$",
    "\\",
    "#panic()",
    '#read("/etc/passwd")',
    "*bold* _thin_ `code` <label> @reference",
    "\\u{41}",
    "// gone",
    "= Heading",
    "{{ 7*7 }}",
    "a\tb\x00\x07",
)


def content(name: str = "Ada Lovelace", **changed: Any) -> dict[str, Any]:
    return {
        "brand": {"name": "Bewegwerk", "contact": ["help@bewegwerk.example", "+49 30 5550 1820"]},
        "foot": "Bewegwerk",
        "heading": "Receipt",
        "parties": [
            {"label": "From", "lines": ["Bewegwerk GmbH", "Torstraße 1"]},
            {"label": "To", "lines": [name]},
        ],
        "facts": [["Number", "BW-000012"], ["Date", "25 November 2026"]],
        "columns": ["Description", "Amount"],
        "lines": [["Appointment", "24 November 2026", "€80.00"]],
        "sums": [["Net", "€67.23"]],
        "total": ["Total", "€80.00"],
        "notes": ["Paid by card."],
        **changed,
    }


def render(look: Look, data: dict[str, Any] | None = None, **changed: Any) -> bytes:
    values = {"title": "Receipt BW-000012", "author": "Bewegwerk", "moment": MOMENT, **changed}
    return pdf.render_pdf(look, "documents/receipt.typ", data=data or content(), **values)


def text_of(made: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)


def fonts_of(made: bytes) -> set[str]:
    """The names of embedded fonts without their subset's prefix: "Figtree-Bold"."""
    resources: Any = PdfReader(io.BytesIO(made)).pages[0]["/Resources"]
    return {str(font.get_object()["/BaseFont"]).partition("+")[2] for font in resources["/Font"].values()}


def base() -> Look:
    return themes().look(themes().theme("base"), {})


@pytest.mark.parametrize("language", ["en", "de", "ar_XB"])
@pytest.mark.parametrize("slug", PORTAL_THEMES)
def test_each_theme_writes_documents_in_each_language(app: PlaceFlask, slug: str, language: str) -> None:
    """L1, L2: tagged, with title and language; archival and accessible by standard."""
    with app.app_context(), use_locale(language):
        made = render(themes().look(themes().theme(slug), {}))
    reader = PdfReader(io.BytesIO(made))
    root: Any = reader.trailer["/Root"]
    assert str(root["/Lang"]).startswith(language.partition("_")[0])
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None and reader.metadata.title == "Receipt BW-000012"
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    assert "Ada Lovelace" in text_of(made)
    assert ("Noto" in str(fonts_of(made))) <= (language == "ar_XB"), fonts_of(made)
    assert len(reader.pages) == 1


@pytest.mark.parametrize("slug", PORTAL_THEMES)
def test_each_theme_brings_the_families_it_writes_with(slug: str) -> None:
    """L1: a family that is not there would quietly become another."""
    theme = read_themes([shipped("themes")])[slug]
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[*theme.font_folders, pdf.TYPEFACES]
    )
    assert {theme.pdf.display, theme.pdf.text, *pdf.FALLBACKS} <= set(fonts.families())


def test_what_people_type_is_never_read_as_typst(app: PlaceFlask) -> None:
    """L1: a name is text, whatever it looks like; control characters are left out."""
    with app.app_context():
        made = text_of(
            render(
                base(), content(name=HOSTILE[0], parties=[{"label": "To", "lines": list(HOSTILE)}], notes=list(HOSTILE))
            )
        )
    for typed in HOSTILE:
        printed = "".join(letter for letter in typed if letter >= " ")
        assert made.count(printed) >= 2, typed


@pytest.mark.parametrize("name", ["Zoë Łukasz Ğül", "山田 花子", "Ada 🎉", "Chloe\u200dé"])
def test_names_of_many_scripts_are_in_the_document(app: PlaceFlask, name: str) -> None:
    """L2: each with a glyph of the fonts that come along."""
    with app.app_context():
        made = render(base(), content(name=name))
    assert b"pdfuaid:part" in metadata_of(made)
    assert name.replace("\u200d", "") in text_of(made).replace("\u200d", "")


def test_arabic_is_shaped_and_its_letters_can_be_copied(app: PlaceFlask) -> None:
    """L2: the order in which a reader of files finds them differs, the letters do not."""
    with app.app_context():
        made = render(base(), content(name="محمد علي"))
    assert set("محمد علي") <= set(text_of(made))


def test_a_letter_without_a_glyph_costs_the_standard_and_not_the_document(app: PlaceFlask) -> None:
    """L3: cuneiform is in no font here; everything else still is in the document."""
    with app.app_context():
        made = render(base(), content(name="Ada \U00012000"))
    assert b"pdfuaid:part" not in metadata_of(made)
    assert "Ada" in text_of(made)


def metadata_of(made: bytes) -> bytes:
    root: Any = PdfReader(io.BytesIO(made)).trailer["/Root"]
    return bytes(root["/Metadata"].get_data())


def test_the_same_data_make_the_same_bytes(app: PlaceFlask) -> None:
    """E10: nothing of the machine or its clock is in a document."""
    with app.app_context():
        first = render(base())
        time.sleep(1.1)
        assert render(base()) == first
        assert render(base(), content(name="Ben")) != first


def test_metadata_name_the_portal_and_its_moment_only(app: PlaceFlask) -> None:
    """P4: the portal, the moment the caller gave, the program that set it, and nothing else."""
    with app.app_context():
        made = render(base())
    found = dict(PdfReader(io.BytesIO(made)).metadata or {})
    assert found.pop("/Creator").startswith("Typst ")
    assert found == {
        "/Title": "Receipt BW-000012",
        "/Author": "Bewegwerk",
        "/CreationDate": "D:20261125000000Z",
        "/ModDate": "D:20261125000000Z",
    }
    assert b"polyclinic" not in (made + metadata_of(made)).lower()


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, source in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source)
    return folder


def small_app(folder: Path, tenants: Path | None = None) -> tuple[Flask, Themes]:
    app = ThemedFlask("polyclinic", static_folder=None)
    Babel(app)
    app.extensions["polyclinic.themes"] = made = Themes(app, [folder], tenants)
    return app, made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tokens = (shipped("themes") / "base" / "theme.toml").read_text()
    return write(
        tmp_path / "themes",
        {
            "parent/theme.toml": tokens,
            "parent/templates/documents/letter.typ": '#let who = "parent"',
            "parent/templates/page.typ": '#import "/documents/letter.typ": who\n#set document(title: "t")\n#who',
            "child/theme.toml": 'extends = "parent"',
            "child/templates/documents/letter.typ": '#import "/@parent/documents/letter.typ": who as above\n'
            '#let who = "child of " + above',
        },
    )


def set_page(app: Flask, made: Themes, slug: str, portal: str = "") -> str:
    with app.app_context():
        look = made.look(made.theme(slug), {})
        return text_of(pdf.render_pdf(look, "page.typ", title="t", author="a", moment=MOMENT, data={}, portal=portal))


def test_typst_templates_are_found_portal_first_then_theme_and_parents(folder: Path, tmp_path: Path) -> None:
    """L1: as pages' templates are; a theme extends what it replaces by its parent's name."""
    app, made = small_app(folder, write(tmp_path / "t", {"mind/templates/documents/letter.typ": '#let who = "mind"'}))
    assert set_page(app, made, "parent") == "parent"
    assert set_page(app, made, "child") == "child of parent"
    assert set_page(app, made, "child", "mind") == "mind"
    assert set_page(app, made, "child", "physio") == "child of parent"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('#import "@preview/cetz:0.3.0"', "imports a package"),
        ('#let p = "@" + "preview/cetz:0.3.0"\n#import p: canvas', "cannot be set"),
        ('#read("/etc/passwd")', "cannot be set"),
        ('#read("../../../../../../etc/passwd")', "cannot be set"),
        ("#nobody", "unknown variable"),
    ],
)
def test_a_template_reaches_neither_network_nor_files(folder: Path, source: str, words: str) -> None:
    """L1: its folder is its world; what is wrong is said with the template's name."""
    app, made = small_app(write(folder, {"parent/templates/page.typ": source}))
    with pytest.raises(Defect, match=words):
        set_page(app, made, "parent")


def test_a_template_that_does_not_end_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """L1: the process is killed; whoever asked goes on."""
    forever = "#for a in range(100000) { for b in range(100000) { let c = a * b } }"
    app, made = small_app(write(folder, {"parent/templates/page.typ": forever}))
    monkeypatch.setattr(pdf, "TIME_LIMIT", 0.5)
    began = time.monotonic()
    with pytest.raises(Defect, match="not set within"):
        set_page(app, made, "parent")
    assert time.monotonic() - began < 5


def test_endless_data_are_refused_before_they_are_set(app: PlaceFlask) -> None:
    """L1: a document is a few pages."""
    with app.app_context(), pytest.raises(Defect, match="characters of data"):
        render(base(), content(name="x" * (pdf.LARGEST + 1)))
