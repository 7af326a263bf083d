"""Catalogues of translations: extract from the sources, merge, check, compile, and the generated pseudo-locale (L2).

English is the source. Python marks texts with ``_``, ``lazy_gettext`` and their kin, templates with ``_()`` and
``{% trans %}``; scripts have no texts of their own, they read them from the page.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from polyclinic.kernel.later import Later
from polyclinic.resources import checkout, shipped

if TYPE_CHECKING:
    from babel.messages import Catalog, Message, mofile, pofile
    from babel.messages import catalog as catalogs
    from babel.messages import extract as extracting
else:  # a start only looks whether the catalogues are compiled
    extracting, mofile, pofile, catalogs = (
        Later(f"babel.messages.{name}") for name in ("extract", "mofile", "pofile", "catalog")
    )

SOURCE = "en"
#: accents, brackets, a third longer, right to left; formats are Arabic. Generated, never written by hand.
PSEUDO = "ar_XB"
PSEUDO_DATA = "ar"
ROOTS = ("platform/polyclinic", "admin", "plugins", "themes")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "lazy_npgettext": ((1, "c"), 2, 3),
}
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract"), ("**.txt", "jinja2.ext:babel_extract")]
OPTIONS = {name: {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"} for name in ("**.html", "**.txt")}
HEADER = """\
msgid ""
msgstr ""
"Project-Id-Version: Polyclinic\\n"
"Language: {language}\\n"
"Plural-Forms: {plural}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
PLACEHOLDER = re.compile(r"%\(\w+\)[sdgfi]|%[sd%]|\{\w*\}|</?\w+[^>]*>|&\w+;")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one message of one catalogue."""

    locale: str
    kind: str
    text: str

    def __str__(self) -> str:
        """One line for a terminal or a failing test."""
        return f"{self.locale}: {self.kind}: {self.text!r}"


def po_path(locale: str, folder: Path | None = None) -> Path:
    """Where the catalogue of a locale lies."""
    return (folder or shipped("translations")) / locale / "LC_MESSAGES" / "messages.po"


def written_locales(folder: Path | None = None) -> list[str]:
    """The locales with a catalogue, the source first."""
    found = [path.parents[1].name for path in (folder or shipped("translations")).glob("*/LC_MESSAGES/messages.po")]
    return sorted(found, key=lambda name: (name != SOURCE, name))


def extract(root: Path | None = None) -> Catalog:
    """Every text in the sources that people see; needs a checkout."""
    top = root or checkout()
    if top is None:
        raise FileNotFoundError("Texts can be extracted in a checkout only, not from an installed package.")
    catalog = catalogs.Catalog(
        project="Polyclinic", msgid_bugs_address="", copyright_holder="the authors of Polyclinic"
    )
    for folder in (name for name in ROOTS if (top / name).is_dir()):
        found = extracting.extract_from_dir(
            top / folder,
            METHODS,
            OPTIONS,
            KEYWORDS,
            ("Translators:",),
            strip_comment_tags=True,
            directory_filter=lambda path: Path(path).name not in {"node_modules", "build", "__pycache__", "_share"},
        )
        for name, line, message, comments, context in found:
            catalog.add(message, None, [(f"{folder}/{name}", line)], auto_comments=comments, context=context)
    return catalog


def read(locale: str, folder: Path | None = None) -> Catalog:
    """The written catalogue of a locale."""
    with po_path(locale, folder).open("rb") as file:
        return pofile.read_po(file, locale)


def merge(template: Catalog, locale: str, folder: Path | None = None) -> None:
    """Bring a catalogue up to date with the sources; what is no longer used is dropped, nothing is guessed."""
    path = po_path(locale, folder)
    catalog = read(locale, folder) if path.exists() else catalogs.Catalog(locale)
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    path.parent.mkdir(parents=True, exist_ok=True)
    write(catalog, path)


def write(catalog: Catalog, path: Path) -> None:
    """Write a catalogue as text, sorted, with a header that does not change from day to day."""
    buffer = io.BytesIO()
    pofile.write_po(
        buffer, catalog, width=120, include_lineno=False, sort_output=True, ignore_obsolete=True, omit_header=True
    )
    header = HEADER.format(language=catalog.locale_identifier or "", plural=catalog.plural_forms)
    path.write_text(header + buffer.getvalue().decode())


def compile_catalogues(folder: Path | None = None) -> list[Path]:
    """Write every catalogue in the form gettext reads, and the pseudo-locale from the source's texts."""
    top = folder or shipped("translations")
    written = []
    for locale in written_locales(top):
        written.append(_write(read(locale, top), po_path(locale, top).with_suffix(".mo")))
    if po_path(SOURCE, top).exists():
        written.append(_write(pseudo(read(SOURCE, top)), po_path(PSEUDO, top).with_suffix(".mo")))
    return written


def compile_stale(folder: Path | None = None) -> list[Path]:
    """Compile all catalogues if one is newer than its compiled form, as after an edit in a checkout."""
    top = folder or shipped("translations")
    pairs = [(po_path(name, top), po_path(name, top).with_suffix(".mo")) for name in written_locales(top)]
    pairs += [(po_path(SOURCE, top), po_path(PSEUDO, top).with_suffix(".mo"))]
    stale = any(po.exists() and (not mo.exists() or mo.stat().st_mtime < po.stat().st_mtime) for po, mo in pairs)
    return compile_catalogues(top) if stale else []


def _write(catalog: Catalog, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        mofile.write_mo(file, catalog)
    Path(file.name).chmod(0o644)
    os.replace(file.name, path)  # several processes may compile at once
    return path


_ACCENTS = str.maketrans("aceinosuyzACEINOSUYZ", "àçéîñöšûÿžÀÇÉÎÑÖŠÛŸŽ")


def pseudo_text(text: str) -> str:
    """A text with accents and brackets and a third longer; placeholders and markup stay as they are."""
    parts, end = [], 0
    for found in PLACEHOLDER.finditer(text):
        parts += [text[end : found.start()].translate(_ACCENTS), found.group()]
        end = found.end()
    plain = "".join([*parts, text[end:].translate(_ACCENTS)])
    letters = len(PLACEHOLDER.sub("", text))
    return f"⟦{plain}{'·' * (letters // 3)}⟧"


def pseudo(source: Catalog) -> Catalog:
    """The pseudo-locale: every text of the source changed visibly, so that a text outside gettext stands out."""
    catalog = catalogs.Catalog(PSEUDO_DATA)
    for message in source:
        if not message.id:
            continue
        if isinstance(message.id, tuple | list):
            text: str | tuple[str, ...] = tuple(pseudo_text(message.id[1]) for _ in range(catalog.num_plurals))
        else:
            text = pseudo_text(str(message.id))
        catalog.add(message.id, text, context=message.context)
    return catalog


def same_texts(locale: str, folder: Path | None = None) -> dict[str, str]:
    """The reviewed texts that are the same in a locale as in English, with the reason."""
    path = (folder or shipped("translations")) / locale / "same.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = (line.rpartition(" | ") for line in lines if line.strip() and not line.startswith("#"))
    return {text.strip(): reason.strip() for text, _, reason in pairs}


def check(locale: str, template: Catalog, folder: Path | None = None) -> list[Problem]:
    """What is missing or wrong in a catalogue, compared with the texts in the sources."""
    catalog = read(locale, folder) if po_path(locale, folder).exists() else catalogs.Catalog(locale)
    allowed = same_texts(locale, folder)
    found = []
    for wanted in template:
        if not wanted.id:
            continue
        message = catalog.get(_first(wanted), context=wanted.context)
        if message is None:
            found.append(Problem(locale, "not in the catalogue", _first(wanted)))
        elif locale != SOURCE:
            found += [Problem(locale, kind, _first(wanted)) for kind in faults(message, allowed)]
    found += [Problem(locale, "no longer used", _first(m)) for m in catalog if m.id and not _wanted(m, template)]
    return found


def _wanted(message: Message, template: Catalog) -> bool:
    return template.get(_first(message), context=message.context) is not None


def _first(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, tuple | list) else message.id)


def faults(message: Message, allowed: dict[str, str]) -> Iterator[str]:
    """What is wrong with one translation."""
    plural = isinstance(message.id, tuple | list)
    sources = [str(text) for text in message.id] if plural else [str(message.id)]
    texts = (
        [str(text) for text in message.string] if isinstance(message.string, tuple | list) else [str(message.string)]
    )
    if message.fuzzy:
        yield "fuzzy"
    if not all(texts):
        yield "not translated"
        return
    has_words = re.search(r"[^\W\d_]{2}", PLACEHOLDER.sub("", sources[0]))
    if has_words and any(text in sources for text in texts) and not allowed.get(sources[0]):
        yield "same as the English text, and not in same.txt"
    wanted = sorted(PLACEHOLDER.findall(sources[-1]))
    counted = [name for name in wanted if name not in ("%(num)d", "%(num)s")] if plural else wanted
    if any(sorted(PLACEHOLDER.findall(text)) not in (wanted, counted) for text in texts):
        yield "placeholders or markup differ"
