"""The first ``make demo`` in a fresh clone, against the packages, a database and a one-table application alone.

Both begin without an environment and install from whatever package cache this machine has; the clone before them fills
it. Takes some minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measuring import Row
from benchmarks.over_http import ROOT, answers
from benchmarks.starting import await_start, running
from polyclinic.runtime.ports import free_port
from polyclinic.runtime.throwaway import throwaway_home


def rows() -> Iterator[Row]:
    """Install and start each once, the packages being in the cache already."""
    with _clone() as filling:
        _install(filling)
    with _clone() as theirs, throwaway_home() as home:
        base = _alone(theirs, home)
    with _clone() as ours, throwaway_home() as home:
        figure = _demo(ours, home)
    baseline = "packages, PostgreSQL and a one-table application alone"
    yield Row("first make demo, filled cache", baseline, figure, base, "s", "≤ 1.4 ×", figure <= 1.4 * base)


@contextmanager
def _clone() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="polyclinic-") as folder:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), folder], check=True)
        yield Path(folder)


def _install(clone: Path) -> None:
    subprocess.run([sys.executable, "requirements/install.py", "run"], cwd=clone, check=True, stdout=subprocess.DEVNULL)


def _alone(clone: Path, home: Path) -> float:
    port, began = free_port(), time.monotonic()
    _install(clone)
    argv = (str(clone / ".venv/bin/python"), "-m", "benchmarks.alone", str(home), str(port))
    with running({"PYTHONPATH": str(clone)}, *argv, cwd=clone) as process:
        await_start(process, lambda: answers(port))
        return time.monotonic() - began


def _demo(clone: Path, home: Path) -> float:
    environ = {"POLYCLINIC_HOME": str(home), "PORT": str(free_port()), "PYTHON": sys.executable}
    began = time.monotonic()
    with running(environ, "make", "demo", cwd=clone) as process:
        await_start(process, lambda: (home / "demo.json").exists())
        return time.monotonic() - began
