"""Run several processes as one: start, watch, restart with back-off, stop in order.

No child outlives the supervisor: on Linux the kernel ends them even when it is killed with -9 (runtime/leash.py).
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from polyclinic.runtime.leash import start_leashed
from polyclinic.runtime.output import Console
from polyclinic.runtime.trouble import Trouble

BACK_OFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
STEADY_SECONDS = 60.0
"""A process that ran this long begins again at the shortest back-off."""
STOP_SECONDS = 10.0
READY_SECONDS = 90.0
LOOK_SECONDS = 0.25

Process = subprocess.Popen[bytes]


@dataclass(frozen=True)
class Spec:
    """A process to run: its name in the log, its command, what its environment adds, and when it is ready."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None


@dataclass(frozen=True)
class Server:
    """A server that already runs and writes its own log; `start` brings it back, `stop` ends it."""

    name: str
    process: Callable[[], Process]
    start: Callable[[], None]
    stop: Callable[[], None]


@dataclass
class _Child:
    spec: Spec
    process: Process | None = None
    reader: threading.Thread | None = None
    began: float = 0.0
    failures: int = 0
    due: float = 0.0
    last: str = ""


class Supervisor:
    """Looks after children and servers from the main thread; see `run`."""

    def __init__(self, environ: Mapping[str, str], console: Console, cwd: Path) -> None:
        self.environ = {**environ, "PYTHONUNBUFFERED": "1"}
        self.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        self.console = console
        self.cwd = cwd
        self._children: list[_Child] = []
        self._servers: list[Server] = []
        self._stopping = threading.Event()

    def catch_signals(self) -> None:
        """Stop on Ctrl-C, SIGTERM and a closed terminal."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stopping.is_set() and number == signal.SIGINT:
            for child in self._children:
                _signal_group(child.process, signal.SIGKILL)
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether somebody asked us to stop."""
        return self._stopping.is_set()

    def watch(self, server: Server) -> None:
        """Take over a running server: restart it when it dies, stop it last (the latest one first)."""
        self._servers.append(server)

    def start(self, spec: Spec) -> None:
        """Start a process and wait until it is ready; raises Trouble when it ends first or takes too long."""
        child = _Child(spec)
        self._children.append(child)
        self._launch(child)
        end = time.monotonic() + READY_SECONDS
        while spec.ready is not None and not self.stopping:
            if spec.ready():
                return
            if child.process is not None and child.process.poll() is not None:
                self._drain(child)
                raise Trouble(f"{spec.name} ended while starting ({_outcome(child.process)}): {child.last}")
            if time.monotonic() > end:
                raise Trouble(f"{spec.name} was not ready after {READY_SECONDS:.0f} seconds: {child.last}")
            time.sleep(0.05)

    def run_once(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Run a command to its end, showing what it says; raises Trouble when it fails."""
        child = _Child(Spec(name, argv, env))
        self._launch(child)
        assert child.process is not None  # noqa: S101 – just launched
        try:
            code = child.process.wait()
        finally:
            _signal_group(child.process, signal.SIGKILL)
        self._drain(child)
        if code != 0:
            raise Trouble(f"{name} failed ({_outcome(child.process)}): {child.last}")

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Watch over everything until a signal asks to stop, or `until()` is true."""
        while not self._stopping.wait(LOOK_SECONDS) and not until():
            for server in self._servers:
                self._look_at_server(server)
            for child in self._children:
                self._look_at(child)

    def stop(self) -> None:
        """End the children, in the order of their start, then the servers, latest first."""
        self._stopping.set()
        running = [child for child in self._children if child.process and child.process.poll() is None]
        for child in running:
            _signal_process(child.process, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        for child in running:
            if child.process and not _ended(child.process, end - time.monotonic()):
                self.console.notice(f"{child.spec.name} did not stop in {STOP_SECONDS:.0f} s and was ended.")
        for child in self._children:
            _signal_group(child.process, signal.SIGKILL)  # what a child left behind
            self._drain(child)
        for server in reversed(self._servers):
            server.stop()

    def _launch(self, child: _Child) -> None:
        child.process = start_leashed(
            child.spec.argv, env={**self.environ, **child.spec.env}, output=subprocess.PIPE, cwd=self.cwd
        )
        child.began = time.monotonic()
        child.reader = threading.Thread(target=self._read, args=(child, child.process), daemon=True)
        child.reader.start()

    def _read(self, child: _Child, process: Process) -> None:
        assert process.stdout is not None  # noqa: S101 – start_leashed gave it a pipe
        with process.stdout as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip()
                child.last = text or child.last
                self.console.of(child.spec.name, text)

    def _drain(self, child: _Child) -> None:
        if child.reader is not None:
            child.reader.join(2)

    def _look_at(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            if now - child.began > STEADY_SECONDS:
                child.failures = 0
            pause = BACK_OFF[min(child.failures, len(BACK_OFF) - 1)]
            child.failures, child.due = child.failures + 1, now + pause
            ended = f"{child.spec.name} ended unexpectedly ({_outcome(child.process)})"
            _signal_group(child.process, signal.SIGKILL)
            child.process = None
            self.console.notice(f"{ended}; it starts again in {pause:g} s.")
        elif child.process is None and now >= child.due:
            self._launch(child)

    def _look_at_server(self, server: Server) -> None:
        if server.process().poll() is None:
            return
        self.console.notice(f"{server.name} ended unexpectedly ({_outcome(server.process())}); it starts again.")
        server.start()


def _outcome(process: Process) -> str:
    code = process.returncode
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _ended(process: Process, seconds: float) -> bool:
    try:
        process.wait(max(seconds, 0.0))
    except subprocess.TimeoutExpired:
        _signal_group(process, signal.SIGKILL)
        process.wait()
        return False
    return True


def _signal_process(process: Process | None, number: signal.Signals) -> None:
    if process is not None and process.poll() is None:
        process.send_signal(number)


def _signal_group(process: Process | None, number: signal.Signals) -> None:
    """Signal the group that the process leads; it outlives its leader while somebody is left in it."""
    if process is None:
        return
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # nobody is left (macOS says the latter)
        return
