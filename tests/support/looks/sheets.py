"""Contact sheets: all pages of a look in one way beside each other, and an index that leads to sheets and findings."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from support.looks.matrix import Cell
from support.looks.shooting import Album, Finding, Shot

#: Width of one picture on a sheet, by the width of the page, and how many stand in a row.
THUMBS = {390: (260, 8), 820: (400, 5), 1440: (640, 3)}
#: Height of a picture on a sheet as a multiple of its width: what is below is on the picture itself.
CUT = {390: 3.2, 820: 2.2, 1440: 1.4}
GAP, LABEL = 16, 22
PAPER, INK = "#8b8f94", "#ffffff"
#: Pictures of one sheet, by the width of the page.
PER_SHEET = {390: 24, 820: 15, 1440: 12}


def write_sheets(album: Album) -> list[Path]:
    """Write every sheet; returns their files."""
    ways: dict[tuple[str, Cell], list[Shot]] = defaultdict(list)
    for shot in album.shots:
        ways[shot.look, shot.cell].append(shot)
    found = []
    folder = album.folder / "sheets"
    folder.mkdir(parents=True, exist_ok=True)
    for (look, cell), unordered in sorted(ways.items()):
        shots = sorted(unordered, key=lambda shot: shot.title)
        for number, start in enumerate(range(0, len(shots), PER_SHEET[cell.width]), 1):
            path = folder / f"{look}-{cell.width}-{cell.scheme}-{cell.language}-{number}.png"
            _sheet(shots[start : start + PER_SHEET[cell.width]], cell).save(path, optimize=False, compress_level=6)
            found.append(path)
    return found


def _sheet(shots: list[Shot], cell: Cell) -> Image.Image:
    width, columns = THUMBS[cell.width]
    columns = min(columns, len(shots))
    pictures = [(shot.title, _thumb(shot.path, width, cell)) for shot in shots]
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    heights = [max(picture.height for _title, picture in row) + LABEL + GAP for row in rows]
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, sum(heights) + GAP), PAPER)
    pen, font, top = ImageDraw.Draw(sheet), ImageFont.load_default(14), GAP
    for row, height in zip(rows, heights, strict=True):
        for number, (title, picture) in enumerate(row):
            left = GAP + number * (width + GAP)
            pen.text((left, top), title[: width // 7].replace("…", "..."), fill=INK, font=font)
            sheet.paste(picture, (left, top + LABEL))
        top += height
    return sheet


def _thumb(path: Path, width: int, cell: Cell) -> Image.Image:
    with Image.open(path) as picture:
        scale = width / picture.width
        seen = picture.crop((0, 0, picture.width, min(picture.height, int(width * CUT[cell.width] / scale))))
        return seen.resize((width, round(seen.height * scale)), Image.Resampling.LANCZOS)


def grouped(findings: list[Finding]) -> Iterator[tuple[Finding, list[str]]]:
    """Each finding once, with all the ways in which it was seen."""
    ordered = sorted(set(findings))
    for _key, same in groupby(ordered, key=lambda one: (one.look, one.title, one.what)):
        several = list(same)
        yield several[0], [one.cell for one in several]


def write_index(album: Album, sheets: list[Path], sentence: str) -> Path:
    """Write the page that leads to everything."""
    rows = "".join(
        f"<tr><td>{html.escape(one.look)}<td>{html.escape(one.title)}<td>{html.escape(one.what)}"
        f"<td>{html.escape(', '.join(cells))}"
        for one, cells in grouped(album.findings)
    )
    by_look: dict[str, list[Path]] = defaultdict(list)
    for sheet in sheets:
        by_look[sheet.name.partition("-")[0]].append(sheet)
    links = "".join(
        f"<h2>{look}</h2><p>"
        + " · ".join(f'<a href="sheets/{sheet.name}">{sheet.stem.partition("-")[2]}</a>' for sheet in found)
        + "</p>"
        for look, found in by_look.items()
    )
    pictures = "".join(
        f'<a href="{shot.path.relative_to(album.folder)}">{html.escape(f"{shot.look} {shot.title} {shot.cell}")}</a> '
        for shot in sorted(album.shots, key=lambda shot: (shot.look, shot.title, shot.cell))
    )
    page = album.folder / "index.html"
    page.write_text(
        '<!doctype html><meta charset="utf-8"><title>Looks</title>'
        "<style>body{font:15px/1.5 system-ui;margin:2rem;max-width:80rem}td{padding:.2rem .6rem;vertical-align:top;"
        "border-top:1px solid #ccc}details a{display:inline-block;margin:0 1rem .2rem 0}</style>"
        f"<h1>Looks</h1><p>{html.escape(sentence)}</p>{links}<h2>Findings</h2><table>{rows}</table>"
        f"<details><summary>Every picture</summary>{pictures}</details>",
        encoding="utf-8",
    )
    return page
