"""The program that sets one document and ends: `python -I typesetting.py`, JSON in, PDF out.

A process of its own, because Typst runs in C and a thread cannot be stopped: web/pdf.py kills this one. It sees the
templates it was sent, in a folder made for them, the fonts it was named, and nothing else: no packages, no network, no
environment. It imports nothing of the product.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

import typst

#: Seconds of processor time; a receipt takes 0.1.
CPU_SECONDS = 10
#: Archival and accessible (PDF/A-2a, PDF/UA-1): Typst refuses what would break them.
STANDARDS: tuple[Any, ...] = ("a-2a", "ua-1")


def set_document(order: dict[str, Any]) -> bytes:
    """Write the templates where Typst may read them and compile `main`; a glyph in no font costs the standards only."""
    with tempfile.TemporaryDirectory(prefix="document-") as folder:
        root = Path(folder)
        for name, source in order["templates"].items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, encoding="utf-8")
        empty = root / ".packages"
        empty.mkdir()
        compiler = typst.Compiler(
            input=root / order["main"],
            root=root,
            font_paths=typst.Fonts(
                include_system_fonts=False, include_embedded_fonts=False, font_paths=list(order["fonts"])
            ),
            sys_inputs={"data": order["data"]},
            package_path=empty,
            package_cache_path=empty,
        )
        try:
            return _compile(compiler, order["timestamp"], STANDARDS)
        except typst.TypstError as refused:
            if "could not be displayed" not in str(refused):
                raise
            return _compile(compiler, order["timestamp"], ())


def _compile(compiler: typst.Compiler, timestamp: int, standards: tuple[Any, ...]) -> bytes:
    made = compiler.compile(format="pdf", timestamp=timestamp, pdf_standards=list(standards))
    if not isinstance(made, bytes):
        raise TypeError("Typst gave pages instead of a document")
    return made


def main() -> int:
    """Read the order from standard input and write the document to standard output, or what was wrong to errors."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        made = set_document(json.load(sys.stdin.buffer))
    except typst.TypstError as refused:
        sys.stderr.write(refused.diagnostic or refused.message)
        return 1
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
