"""L2: every text is extracted, translated and checked; the pseudo-locale is generated."""

from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.support import Translations

from polyclinic.web import catalogues

PYTHON = """
_("Hello %(name)s", name=x)
lazy_gettext("Later")
ngettext("%(num)d day", "%(num)d days", n)
pgettext("verb", "Book")
"""
HTML = """<p title="{{ _("A title") }}">{% trans name=y %}
  Dear {{ name }},
  <b>welcome</b>
{% endtrans %}</p>
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small checkout with one module and one template."""
    folder = tmp_path / "platform/polyclinic/greeting/templates/greeting"
    folder.mkdir(parents=True)
    (folder / "page.html").write_text(HTML)
    (folder.parents[1] / "views.py").write_text(PYTHON)
    return tmp_path


@pytest.fixture
def template(tree: Path) -> Catalog:
    """What is extracted from it."""
    return catalogues.extract(tree)


def translate(folder: Path, template: Catalog, **texts: str) -> None:
    """Write a German catalogue with some translations."""
    catalogues.merge(template, "de", folder)
    catalog = catalogues.read("de", folder)
    for message in catalog:
        first = str(message.id[0] if isinstance(message.id, tuple | list) else message.id)
        message.string = texts.get(first.partition(" ")[0], message.string)
    catalogues.write(catalog, catalogues.po_path("de", folder))


def kinds(folder: Path, template: Catalog) -> set[tuple[str, str]]:
    """Kinds of problems with the first word of the text."""
    return {(problem.kind, problem.text.split()[0]) for problem in catalogues.check("de", template, folder)}


def test_texts_of_python_and_templates_are_extracted(template: Catalog) -> None:
    found = {message.id for message in template if message.id}
    assert found == {
        "Hello %(name)s",
        "Later",
        ("%(num)d day", "%(num)d days"),
        "Book",
        "A title",
        "Dear %(name)s, <b>welcome</b>",
    }


def test_a_missing_translation_is_noticed(tmp_path: Path, template: Catalog) -> None:
    assert ("not in the catalogue", "Later") in kinds(tmp_path, template)
    catalogues.merge(template, "de", tmp_path)
    assert kinds(tmp_path, template) >= {("not translated", "Later"), ("not translated", "%(num)d")}


def test_a_complete_catalogue_has_no_problem(tmp_path: Path, template: Catalog) -> None:
    days = ("%(num)d Tag", "%(num)d Tage")
    texts = {"Hello": "Hallo %(name)s", "Later": "Später", "Book": "Buchen", "A": "Ein Titel"}
    texts |= {"Dear": "%(name)s, <b>willkommen</b>", "%(num)d": days}  # type: ignore[dict-item]  # a plural
    translate(tmp_path, template, **texts)
    assert catalogues.check("de", template, tmp_path) == []


def test_the_same_text_fails_unless_it_was_reviewed(tmp_path: Path, template: Catalog) -> None:
    translate(tmp_path, template, Later="Later")
    wrong = ("same as the English text, and not in same.txt", "Later")
    assert wrong in kinds(tmp_path, template)
    (tmp_path / "de/same.txt").write_text("# reviewed\nLater | a name\n")
    assert wrong not in kinds(tmp_path, template)
    (tmp_path / "de/same.txt").write_text("Later | \n")
    assert wrong in kinds(tmp_path, template), "a reason is needed"


def test_lost_placeholders_and_markup_fail(tmp_path: Path, template: Catalog) -> None:
    translate(tmp_path, template, Hello="Hallo", Dear="%(name)s, willkommen")
    wrong = "placeholders or markup differ"
    assert kinds(tmp_path, template) >= {(wrong, "Hello"), (wrong, "Dear")}


def test_a_text_no_longer_used_fails_and_update_drops_it(tmp_path: Path, template: Catalog) -> None:
    template.add("Gone soon")
    translate(tmp_path, template)
    template.delete("Gone soon")
    assert ("no longer used", "Gone") in kinds(tmp_path, template)
    catalogues.merge(template, "de", tmp_path)
    assert ("no longer used", "Gone") not in kinds(tmp_path, template)


def test_update_keeps_translations_and_is_stable(tmp_path: Path, template: Catalog) -> None:
    translate(tmp_path, template, Later="Später")
    before = catalogues.po_path("de", tmp_path).read_text()
    catalogues.merge(template, "de", tmp_path)
    assert catalogues.po_path("de", tmp_path).read_text() == before
    assert "Später" in before


def test_the_pseudo_locale_changes_every_text_and_no_placeholder(tmp_path: Path, template: Catalog) -> None:
    catalogues.merge(template, "en", tmp_path)
    catalogues.compile_catalogues(tmp_path)
    texts = Translations.load(tmp_path, [catalogues.PSEUDO])
    assert texts.gettext("Dear %(name)s, <b>welcome</b>") == "⟦Déàr %(name)s, <b>wélçömé</b>····⟧"
    assert {texts.ngettext("%(num)d day", "%(num)d days", n) for n in (0, 1, 2, 5, 50)} == {"⟦%(num)d dàÿš·⟧"}
    assert texts.pgettext("verb", "Book") == "⟦Böök·⟧"


def test_an_edited_catalogue_is_compiled_again(tmp_path: Path, template: Catalog) -> None:
    catalogues.merge(template, "en", tmp_path)
    assert catalogues.compile_stale(tmp_path)
    assert catalogues.compile_stale(tmp_path) == []


@pytest.fixture(scope="session")
def product() -> Catalog:
    """Every text of the product."""
    return catalogues.extract()


@pytest.mark.parametrize("locale", catalogues.written_locales())
def test_every_text_of_the_product_is_translated(locale: str, product: Catalog) -> None:
    """L2: nothing missing, nothing fuzzy, nothing left in English by accident."""
    assert [str(problem) for problem in catalogues.check(locale, product)] == []


def test_reviewed_lists_are_in_use(product: Catalog) -> None:
    """A reviewed text that has gone from the sources goes from the list."""
    known = {str(m.id[0] if isinstance(m.id, tuple | list) else m.id) for m in product}
    assert [text for text in catalogues.same_texts("de") if text not in known] == []
