"""Run several processes as one: start, watch, restart with back-off, stop in order.

No child outlives the supervisor: on Linux the kernel ends them even when it is killed with -9 (runtime/leash.py).
"""

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from polyclinic.runtime.forking import Forked, Work, fork_leashed
from polyclinic.runtime.leash import start_leashed
from polyclinic.runtime.output import Console
from polyclinic.runtime.trouble import Trouble

BACK_OFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
STEADY_SECONDS = 60.0
"""A process that ran this long begins again at the shortest back-off."""
STOP_SECONDS = 10.0
READY_SECONDS = 90.0
LOOK_SECONDS = 0.25
READY_LOOK_SECONDS = 0.02
GATE = "START_FD"
"""Names the pipe from which a process that was started early reads the rest of its environment, and goes on."""

Process = subprocess.Popen[bytes] | Forked


@dataclass(frozen=True)
class Spec:
    """A process to run: its name in the log, its command, what its environment adds, and when it is ready."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    work: Work | None = None
    """What to do in a fork of this process, instead of running the command."""


@dataclass(frozen=True)
class Server:
    """A server that already runs and writes its own log; `start` brings it back, `stop` ends it."""

    name: str
    process: Callable[[], subprocess.Popen[bytes]]
    start: Callable[[], None]
    stop: Callable[[], None]


@dataclass
class Child:
    """A process that is looked after."""

    spec: Spec
    process: Process | None = None
    gate: int | None = None
    """Where a process that was started early is told to go on."""
    said: "_Said | None" = None
    began: float = 0.0
    failures: int = 0
    due: float = 0.0
    last: str = ""


@dataclass
class _Said:
    """The output of one run of a child: what is read of the line that has not ended yet."""

    child: Child
    fd: int
    rest: bytes = b""


class Supervisor:
    """Looks after children and servers from the main thread; see `run`."""

    def __init__(self, environ: Mapping[str, str], console: Console, cwd: Path) -> None:
        self.environ = {**environ, "PYTHONUNBUFFERED": "1"}
        self.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        self.console = console
        self.cwd = cwd
        self._children: list[Child] = []
        self._servers: list[Server] = []
        self._stopping = False
        self._outputs = selectors.DefaultSelector()

    def catch_signals(self) -> None:
        """Stop on Ctrl-C, SIGTERM and a closed terminal."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stopping and number == signal.SIGINT:
            for child in self._children:
                _signal_group(child.process, signal.SIGKILL)
        self._stopping = True

    @property
    def stopping(self) -> bool:
        """Whether somebody asked us to stop."""
        return self._stopping

    def watch(self, server: Server) -> None:
        """Take over a running server: restart it when it dies, stop it last (the latest one first)."""
        self._servers.append(server)

    def start(self, spec: Spec) -> None:
        """Start a process and wait until it is ready; raises Trouble when it ends first or takes too long."""
        self.await_ready(self.launch(spec))

    def launch(self, spec: Spec, *, held: bool = False) -> Child:
        """Start a process; one that is ``held`` imports what it needs and waits for ``let_go``."""
        child = Child(spec)
        self._children.append(child)
        self._launch(child, held=held)
        return child

    def let_go(self, child: Child) -> None:
        """Tell a process that was held its whole environment, so that it goes on."""
        if child.gate is not None:
            gate, child.gate = child.gate, None
            with os.fdopen(gate, "w") as out:
                json.dump({**self.environ, **child.spec.env}, out)

    def await_ready(self, child: Child) -> None:
        """Wait until a process is ready; raises Trouble when it ends first or takes too long."""
        spec, end = child.spec, time.monotonic() + READY_SECONDS
        while spec.ready is not None and not self.stopping:
            if spec.ready():
                return
            if child.process is not None and child.process.poll() is not None:
                self._drain(child)
                raise Trouble(f"{spec.name} ended while starting ({_outcome(child.process)}): {child.last}")
            if time.monotonic() > end:
                raise Trouble(f"{spec.name} was not ready after {READY_SECONDS:.0f} seconds: {child.last}")
            self._listen(READY_LOOK_SECONDS)

    def run_once(self, spec: Spec) -> None:
        """Run a process to its end, showing what it says; raises Trouble when it fails."""
        child = Child(spec)
        self._launch(child)
        assert child.process is not None  # noqa: S101 – just launched
        try:
            while child.process.poll() is None:
                self._listen(READY_LOOK_SECONDS)
        finally:
            _signal_group(child.process, signal.SIGKILL)
        self._drain(child)
        if child.process.returncode != 0:
            raise Trouble(f"{spec.name} failed ({_outcome(child.process)}): {child.last}")

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Watch over everything until a signal asks to stop, or `until()` is true."""
        while not self._stopping and not until():
            self._listen(LOOK_SECONDS)
            if self._stopping:
                return
            for server in self._servers:
                self._look_at_server(server)
            for child in self._children:
                self._look_at(child)

    def stop(self) -> None:
        """End the children, in the order of their start, then the servers, latest first."""
        self._stopping = True
        running = [child for child in self._children if child.process and child.process.poll() is None]
        for child in running:
            _signal_process(child.process, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        for child in running:
            if child.process and not self._ended(child.process, end):
                self.console.notice(f"{child.spec.name} did not stop in {STOP_SECONDS:.0f} s and was ended.")
        for child in self._children:
            _signal_group(child.process, signal.SIGKILL)  # what a child left behind
            self._drain(child)
        for server in reversed(self._servers):
            server.stop()

    def _launch(self, child: Child, *, held: bool = False) -> None:
        env, spec = {**self.environ, **child.spec.env}, child.spec
        if spec.work is not None:
            child.process = fork_leashed(spec.work, env=env, cwd=self.cwd)
        elif held:
            reading, child.gate = os.pipe()
            child.process = start_leashed(
                spec.argv, env=env | {GATE: str(reading)}, output=subprocess.PIPE, cwd=self.cwd, pass_fds=(reading,)
            )
            os.close(reading)
        else:
            child.process = start_leashed(spec.argv, env=env, output=subprocess.PIPE, cwd=self.cwd)
        child.began = time.monotonic()
        assert child.process.stdout is not None  # noqa: S101 – both kinds have a pipe
        child.said = _Said(child, child.process.stdout.fileno())
        self._outputs.register(child.process.stdout, selectors.EVENT_READ, child.said)

    def _listen(self, seconds: float) -> None:
        """Pass on what children say, for at most ``seconds``; returns when somebody said something."""
        if not self._outputs.get_map():
            time.sleep(seconds)
            return
        for key, _events in self._outputs.select(seconds):
            said: _Said = key.data
            chunk = os.read(said.fd, 65536)
            *lines, said.rest = (said.rest + chunk).split(b"\n")
            for line in lines if chunk else [said.rest] if said.rest else []:
                text = line.decode(errors="replace").rstrip()
                said.child.last = text or said.child.last
                self.console.of(said.child.spec.name, text)
            if not chunk:
                self._outputs.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]  # the pipe of a process, never a number
                said.fd = -1

    def _drain(self, child: Child) -> None:
        end = time.monotonic() + 2
        while child.said is not None and child.said.fd >= 0 and time.monotonic() < end:
            self._listen(READY_LOOK_SECONDS)

    def _ended(self, process: Process, end: float) -> bool:
        """Whether a process ends before ``end``; it is made to otherwise."""
        while process.poll() is None:
            if time.monotonic() >= end:
                _signal_group(process, signal.SIGKILL)
                process.wait()
                return False
            self._listen(READY_LOOK_SECONDS)
        return True

    def _look_at(self, child: Child) -> None:
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
    code = process.returncode or 0
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


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
