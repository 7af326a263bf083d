"""The second start of the demonstration and its memory at rest, against a database and a one-table application."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measuring import Row
from benchmarks.over_http import ROOT, answers
from polyclinic.runtime.ports import free_port
from polyclinic.runtime.throwaway import throwaway_home

ROUNDS, PATIENCE, REST = 5, 900.0, 2.0


def rows() -> Iterator[Row]:
    """Start both once so that their data exist, then in turn, and compare the later starts."""
    with throwaway_home() as ours, throwaway_home() as theirs:
        demo(ours), alone(theirs)
        found = [(demo(ours), alone(theirs)) for _ in range(ROUNDS)]
    for name, place, unit, limit in (("second start of the demonstration", 0, "s", 2.0), ("idle memory", 1, "MB", 2.5)):
        figure, base = (statistics.median(pair[side][place] for pair in found) for side in (0, 1))
        baseline = "PostgreSQL and a one-table application alone"
        yield Row(name, baseline, figure, base, unit, f"≤ {limit:g} ×", figure <= limit * base)


def demo(home: Path) -> tuple[float, float]:
    """Start ``polyclinic demo`` in a home; return seconds until it is ready, and its memory at rest."""
    environ = {"POLYCLINIC_HOME": str(home), "PORT": str(free_port())}
    began = time.monotonic()
    with running(environ, sys.executable, "-m", "polyclinic", "demo") as process:
        await_start(process, lambda: (home / "demo.json").exists())
        seconds = time.monotonic() - began
        time.sleep(REST)
        return seconds, memory(process.pid)


def alone(home: Path) -> tuple[float, float]:
    """Start the database and the application of one table; return seconds until it answers, and its memory at rest."""
    port = free_port()
    began = time.monotonic()
    with running({}, sys.executable, "-m", "benchmarks.alone", str(home), str(port)) as process:
        await_start(process, lambda: answers(port))
        seconds = time.monotonic() - began
        time.sleep(REST)
        return seconds, memory(process.pid)


@contextmanager
def running(environ: dict[str, str], *argv: str, cwd: Path = ROOT) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program and end it, showing the end of its log where it did not start."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            argv, cwd=cwd, env={**inherited, "PYTHONPATH": str(ROOT), **environ}, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield process
        except AssertionError as error:
            log.seek(0)
            error.add_note(log.read().decode(errors="replace")[-3000:])
            raise
        finally:
            process.terminate()
            process.wait(60)


def await_start(process: subprocess.Popen[bytes], happened: Callable[[], bool]) -> None:
    """Wait until a program is ready; raises AssertionError where it ends first or takes too long."""
    end = time.monotonic() + PATIENCE
    while not happened():
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError("it did not start")
        time.sleep(0.02)


def memory(pid: int) -> float:
    """Return the proportional memory of a process and everything it started, in MB."""
    parents = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in parents.splitlines()]
    family = {pid}
    while more := {child for child, parent in pairs if parent in family} - family:
        family |= more
    return sum(_proportional(one) for one in family) / 1000


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it ended meanwhile
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
