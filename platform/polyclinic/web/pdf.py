"""Documents as PDF in a portal's look (L1): Typst templates found like pages' templates, filled with data.

Values travel as JSON and are text wherever they appear: nothing a person typed is ever read as Typst. All words come
from gettext, in the caller's language; a template has none of its own. The same data make the same bytes: the date of
a document is the caller's, from the app's clock. Metadata name the portal and nothing else (P4).
"""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from flask import current_app
from jinja2 import FileSystemLoader

from polyclinic.kernel.errors import Defect
from polyclinic.resources import PACKAGE
from polyclinic.web import typesetting
from polyclinic.web.i18n import Language, current_language
from polyclinic.web.themes import Theme
from polyclinic.web.theming import Look, themes

#: Seconds until a document is given up; a receipt takes 0.2, most of it for starting.
TIME_LIMIT: Final = 20
#: Characters of data; a statement of a busy month has 200,000.
LARGEST: Final = 4_000_000
FALLBACKS: Final = ("Noto Sans Arabic", "Noto Sans JP", "Noto Emoji")
TYPEFACES: Final = PACKAGE / "typefaces"
_PACKAGE_IMPORT = re.compile(r'"@[a-z]')
_COLOURS: Final = (
    "text",
    "text_muted",
    "accent",
    "accent_text",
    "accent_ink",
    "accent_soft",
    "border",
    "surface",
    "surface_sunken",
)


def render_pdf(
    look: Look,
    template: str,
    *,
    title: str,
    author: str,
    moment: dt.datetime,
    data: Mapping[str, Any],
    portal: str = "",
) -> bytes:
    """Return the document `template` ("documents/receipt.typ") in `look` and the language of the moment.

    `moment` is what its metadata say about when it was made, UTC; `portal` the slug of a portal that may have templates
    of its own. Needs an app context. Raises Defect where the template cannot be set.
    """
    values = {
        "title": title,
        "author": author,
        "date": [moment.year, moment.month, moment.day],
        "language": _language(current_language()),
        "look": _look(look),
        "data": data,
    }
    written = json.dumps(_printable(values), ensure_ascii=False, sort_keys=True)
    if len(written) > LARGEST:
        raise Defect(f"the document {template} has {len(written)} characters of data; the most are {LARGEST}")
    order = {
        "main": template,
        "templates": templates_of(look.theme, portal),
        "fonts": [str(folder) for folder in (*look.theme.font_folders, TYPEFACES)],
        "data": written,
        "timestamp": int(moment.timestamp()),
    }
    return _typeset(order)


def _typeset(order: Mapping[str, Any]) -> bytes:
    """Run the typesetter; the waiting is in pipes, so that other requests of a green process go on."""
    command = [sys.executable, "-I", typesetting.__file__]
    # A package that slipped past the check below meets a closed port instead of the network.
    nowhere = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "HOME": "/nonexistent"}
    try:
        done = subprocess.run(  # noqa: S603  # our own program; what varies travels in its standard input
            command, input=json.dumps(order).encode(), capture_output=True, timeout=TIME_LIMIT, env=nowhere, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise Defect(f"the document {order['main']} was not set within {TIME_LIMIT} s") from late
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip() or f"ended with {done.returncode}"
        raise Defect(f"the document {order['main']} cannot be set: {said}")
    return done.stdout


def templates_of(theme: Theme, portal: str = "") -> dict[str, str]:
    """All Typst templates a document of `theme` can import, nearest first; a theme's own also as `@slug/…`."""
    found: dict[str, str] = {}
    for folder, prefix in _folders(theme, portal):
        for path in sorted(folder.rglob("*.typ")) if folder.is_dir() else ():
            name = path.relative_to(folder).as_posix()
            if prefix + name not in found:
                found[prefix + name] = _read(path)
    return found


def _folders(theme: Theme, portal: str) -> Iterator[tuple[Path, str]]:
    own = themes().portal_folder(portal) if portal else None
    if own is not None:
        yield own, ""
    for folder in theme.template_folders:
        yield folder, ""
    for ancestor in theme.chain:
        yield ancestor.folder / "templates", f"@{ancestor.slug}/"
    for blueprint in current_app.iter_blueprints():
        if isinstance(blueprint.jinja_loader, FileSystemLoader):
            for path in blueprint.jinja_loader.searchpath:
                yield Path(path), ""


def _read(path: Path) -> str:
    source = path.read_text(encoding="utf-8")
    if _PACKAGE_IMPORT.search(source):
        raise Defect(f"{path} imports a package; documents are made of their own templates, without the network")
    return source


def _language(language: Language) -> dict[str, str]:
    code, _, region = language.code.partition("_")
    return {"code": code, "region": region if len(region) == 2 else "", "direction": language.direction}


def _look(look: Look) -> dict[str, Any]:
    shared, paper = look.tokens.shared, look.theme.pdf
    return {
        **{name: look.tokens.light[name].hex for name in _COLOURS},
        "accent_print": look.tokens.light[paper.accent].hex,
        "display": [paper.display, *FALLBACKS],
        "body": [paper.text, *FALLBACKS],
        "header": paper.header,
        "radius": min(float(str(shared["radius"]).removesuffix("px")) * 0.5, 12.0),
        "border_width": float(str(shared["border_width"]).removesuffix("px")) * 0.75,
        "heading_weight": round(float(str(shared["heading_weight"]))),
    }


def _printable(value: Any) -> Any:
    """Texts without control characters, and marked-up or lazy ones as plain text: nothing of them is markup here."""
    if isinstance(value, Mapping):
        return {str(key): _printable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(each) for each in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return "".join(letter for letter in str(value) if letter == "\n" or (letter >= " " and letter != "\x7f"))
