"""Child processes forked from this one: they share the memory of whatever it has imported already.

Only a process without threads may do this: a fork copies the thread that asks and the locks of all others.
"""

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, NoReturn

from polyclinic.runtime.leash import leash

Work = Callable[[], object]


class Forked:
    """A forked child, with as much of ``subprocess.Popen`` as a supervisor needs."""

    def __init__(self, pid: int, stdout: BinaryIO) -> None:
        self.pid = pid
        self.stdout: BinaryIO | None = stdout
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended; raises subprocess.TimeoutExpired."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() >= end:
                raise subprocess.TimeoutExpired("a forked process", timeout or 0.0)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        """Signal it, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


def fork_leashed(work: Work, *, env: Mapping[str, str], cwd: Path) -> Forked:
    """Fork a process that does ``work`` and ends, in a group of its own; its output is read from ``stdout``.

    Like ``start_leashed``, it never outlives this process.
    """
    reading, writing = os.pipe()
    hold = leash(signal.SIGTERM)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _become(work, writing, env, cwd, hold)
    os.close(writing)
    return Forked(pid, os.fdopen(reading, "rb"))


def _become(work: Work, output: int, env: Mapping[str, str], cwd: Path, hold: Callable[[], None] | None) -> NoReturn:
    """Leave everything of the parent behind but its memory, work, and end without returning into its code."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        if hold is not None:
            hold()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.environ.clear()
        os.environ.update(env)
        os.chdir(cwd)
        sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115  # for as long as the process lives
        sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115  # the same
        code = _outcome(work)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _outcome(work: Work) -> int:
    """Do the work; what it raises is said and becomes an exit code, as at the end of an interpreter."""
    try:
        work()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0
