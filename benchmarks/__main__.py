"""``python -m benchmarks [NAME …]``: measure, print a table, write var/bench.json; exit 1 where a limit is missed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import directory, first, one_slot, over_http, slots, starting
from benchmarks.ground import Ground, ground
from benchmarks.measuring import Row

RESULTS = Path("var/bench.json")


def _alone(rows: Callable[[Ground], Iterator[Row]]) -> Callable[[], Iterator[Row]]:
    def run() -> Iterator[Row]:
        with ground() as on:
            yield from rows(on)

    return run


def _at_scale() -> Iterator[Row]:
    with ground() as small, ground() as large:
        yield from directory.rows_at_scale(small, large)


MEASUREMENTS: dict[str, Callable[[], Iterator[Row]]] = {
    "slots": _alone(slots.rows),
    "directory": _alone(directory.rows),
    "http": _alone(over_http.rows),
    "one-slot": _alone(one_slot.rows),
    "scale": _at_scale,
    "starting": starting.rows,
    "first": first.rows,
}


def main(names: list[str]) -> int:
    """Measure what is named, or everything."""
    unknown = set(names) - set(MEASUREMENTS)
    if unknown:
        print(f"There is no measurement {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}.")
        return 2
    found: list[Row] = []
    for name in names or MEASUREMENTS:
        began = time.monotonic()
        for row in MEASUREMENTS[name]():
            found.append(row)
            print(_line(row), flush=True)
        print(f"  ({name}: {time.monotonic() - began:.0f} s)", flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([row.as_json() for row in found], indent=2, ensure_ascii=False) + "\n")
    missed = [row.name for row in found if not row.kept]
    print(f"Written to {RESULTS}." + (f" Missed: {', '.join(missed)}." if missed else " Every limit was kept."))
    return 1 if missed else 0


def _line(row: Row) -> str:
    mark = "kept  " if row.kept else "MISSED"
    times = f"{row.figure:.2f} {row.unit} against {row.base:.2f} {row.unit}"
    ratio = f"{row.ratio:5.2f} ×" if row.base else "       "
    return f"{mark} {ratio} {row.limit:18} {row.name}: {times} ({row.baseline}){'; ' + row.note if row.note else ''}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
