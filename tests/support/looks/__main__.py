"""``python -m support.looks [ONLY]``: look at everything, write var/looks; exit 1 where something was found."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import asdict

from support.looks.documents import shoot_documents
from support.looks.letters import write_again
from support.looks.matrix import Only
from support.looks.network import looked_at
from support.looks.scenes import visits
from support.looks.sheets import grouped, write_index, write_sheets
from support.looks.shooting import Album, Finding, shoot
from support.looks.walk import walk
from support.source import ROOT

FOLDER = ROOT / "var" / "looks"
LOOKS = ("physio", "mind", "nutrition", "specialists", "admin", "dev")


def say(line: str) -> None:
    """Tell how far it is."""
    print(f"  {line}", flush=True)


def main(words: str) -> int:
    """Look, write, report."""
    try:
        only = Only.parse(words, LOOKS)
    except ValueError as wrong:
        print(wrong)
        return 2
    began = time.monotonic()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    album = Album(FOLDER)
    with looked_at(say) as network:
        walk(network, only, album)  # first: what it does is told by mails
        everything = [*visits(network, only), *write_again(network, FOLDER / "mails")]
        try:
            shoot(network, everything, only, album, say)
            shoot_documents(network, only, album)
        except KeyboardInterrupt:
            album.findings.append(Finding("all", "", "broken off: what follows was not looked at", ""))
    if not album.shots:
        print(f"Nothing was looked at: no page is called '{words}'. Looks are {', '.join(LOOKS)}.")
        return 2
    found = list(grouped(album.findings))
    sentence = (
        f"{len(album.shots)} pictures of {len({(shot.look, shot.title) for shot in album.shots})} pages,"
        f" {len(found)} findings, {time.monotonic() - began:.0f} s"
    )
    index = write_index(album, write_sheets(album), sentence)
    (FOLDER / "findings.json").write_text(
        json.dumps([asdict(one) | {"cell": cells} for one, cells in found], indent=1, ensure_ascii=False) + "\n"
    )
    for one, cells in found:
        print(f"{one.look} {one.title}: {one.what} ({', '.join(cells)})")
    print(f"{sentence}. See {index.relative_to(ROOT)}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(",".join(sys.argv[1:])))
