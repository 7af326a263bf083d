"""How things are measured: in turn with their baseline, medians, and a ratio that has a limit."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, against what, and whether the limit was kept."""

    name: str
    baseline: str
    figure: float
    base: float
    unit: str
    limit: str
    kept: bool
    note: str = ""

    @property
    def ratio(self) -> float:
        """The figure as a multiple of its baseline."""
        return self.figure / self.base if self.base else 0.0

    def as_json(self) -> dict[str, Any]:
        """What `var/bench.json` holds."""
        return asdict(self) | {"ratio": round(self.ratio, 3)}


def at_most(name: str, baseline: str, figure: float, base: float, limit: float, note: str = "") -> Row:
    """A row of times in milliseconds whose ratio may not exceed ``limit``."""
    return Row(name, baseline, figure, base, "ms", f"≤ {limit:g} ×", figure <= limit * base, note)


def interleaved(*measured: Callable[[], object], rounds: int = 200, warm: int = 20) -> list[float]:
    """Run things in turn and return the median time of each in milliseconds."""
    times: list[list[float]] = [[] for _ in measured]
    for number in range(rounds + warm):
        for place, run in enumerate(measured):
            began = time.perf_counter()
            run()
            if number >= warm:
                times[place].append((time.perf_counter() - began) * 1000)
    return [statistics.median(found) for found in times]
