"""Start child processes that never outlive this one."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def start_leashed(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    output: int | IO[bytes],
    cwd: Path = Path("/"),
    account: "tuple[int, int] | None" = None,
    at_parents_death: signal.Signals = signal.SIGTERM,
    pass_fds: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start a process in a group of its own, so that Ctrl-C in the terminal reaches only us.

    On Linux the kernel signals it when the thread that started it dies, even by kill -9: call this from a thread that
    lives as long as the child should. `account` is the (uid, gid) to drop to.
    """
    uid, gid = account if account else (None, None)
    return subprocess.Popen(  # the child only calls prctl, from a library that is already loaded
        list(argv),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=uid,
        group=gid,
        extra_groups=[] if account else None,
        umask=0o077 if account else -1,
        pass_fds=pass_fds,
        preexec_fn=leash(at_parents_death),
    )


def leash(at_parents_death: signal.Signals) -> Callable[[], None] | None:
    """Return what a child calls first to end with this process; None where the kernel cannot do that."""
    if _LIBC is None:
        return None
    parent = os.getpid()

    def hold() -> None:
        # After the change of account: changing credentials forgets the signal (prctl(2)).
        assert _LIBC is not None  # noqa: S101  # the library is loaded before any child is started
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(at_parents_death))
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return hold


def alive(pid: int) -> bool:
    """Whether a process with this id exists, whoever owns it; a zombie does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False


def command_of(pid: int) -> str:
    """The command line of a process; empty when there is none."""
    found = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def wait_until(happened: Callable[[], bool], seconds: float, every: float = 0.02) -> bool:
    """Wait until `happened()` is true; False when the time is over first."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() >= end:
            return False
        time.sleep(every)
    return True
