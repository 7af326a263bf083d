"""R1: several processes as one: readable logs, restarts, and an end that leaves nothing behind."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from polyclinic.runtime.leash import alive, wait_until
from polyclinic.runtime.output import Console
from polyclinic.runtime.supervisor import Spec, Supervisor
from polyclinic.runtime.trouble import Trouble

TALKER = "import os, time; print('pid', os.getpid()); time.sleep(60)"
PARENT = (
    "import os, subprocess, time\n"
    "child = subprocess.Popen(['sleep', '60']); print('pid', child.pid); print('pid', os.getpid()); time.sleep(60)"
)
STUBBORN = "import os, signal, time; signal.signal(15, signal.SIG_IGN); print('pid', os.getpid()); time.sleep(60)"


class Scene:
    """A supervisor in this process, and what it and its children said."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        self.supervisor = Supervisor(os.environ, Console(self.out), Path("/"))

    @property
    def said(self) -> str:
        return self.out.getvalue()

    def pids(self, name: str) -> list[int]:
        return [int(pid) for pid in re.findall(rf"^{name} +│ pid (\d+)$", self.said, re.M)]

    def start(self, name: str, code: str) -> int:
        self.supervisor.start(Spec(name, [sys.executable, "-c", code], ready=lambda: bool(self.pids(name))))
        return self.pids(name)[-1]


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.supervisor.stop()


def test_each_line_names_the_process_that_said_it(scene: Scene) -> None:
    scene.start("web", TALKER)
    scene.start("relay", TALKER)
    assert re.search(r"^web       │ pid \d+\nrelay     │ pid \d+$", scene.said, re.M)
    assert "\x1b" not in scene.said  # nobody watches: no colours


def test_a_process_that_ends_is_started_again_and_said_so(scene: Scene) -> None:
    """R1: restarts a crashed child with back-off."""
    first = scene.start("worker", TALKER)
    os.kill(first, signal.SIGKILL)
    scene.supervisor.run(until=lambda: len(scene.pids("worker")) == 2)
    assert "worker ended unexpectedly (signal SIGKILL); it starts again in 0.5 s." in scene.said
    assert alive(scene.pids("worker")[1])


def test_stopping_leaves_neither_children_nor_grandchildren(scene: Scene) -> None:
    """R1: Ctrl-C stops everything."""
    scene.start("worker", PARENT)
    scene.supervisor.run(until=lambda: len(scene.pids("worker")) == 2)
    child, grandchild = scene.pids("worker")
    scene.supervisor.stop()
    assert wait_until(lambda: not alive(child) and not alive(grandchild), 5)


def test_a_process_that_does_not_stop_is_ended(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polyclinic.runtime.supervisor.STOP_SECONDS", 0.3)
    stubborn = scene.start("worker", STUBBORN)
    scene.supervisor.stop()
    assert not alive(stubborn)
    assert "worker did not stop" in scene.said


def test_a_process_that_ends_before_it_is_ready_says_why(scene: Scene) -> None:
    with pytest.raises(Trouble, match=r"web ended while starting \(exit code 1\): the port is taken"):
        scene.start("web", "import sys; sys.exit('the port is taken')")


def test_a_command_that_fails_says_why(scene: Scene) -> None:
    with pytest.raises(Trouble, match=r"sample failed \(exit code 1\): no such portal"):
        scene.supervisor.run_once(Spec("sample", [sys.executable, "-c", "import sys; sys.exit('no such portal')"]))


def test_nobody_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    """R1: no orphan, even after kill -9."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from polyclinic.runtime.output import Console; from polyclinic.runtime.supervisor import Spec, Supervisor\n"
        "supervisor = Supervisor(os.environ, Console(), Path('/'))\n"
        f"supervisor.start(Spec('web', [sys.executable, '-c', {TALKER!r}])); supervisor.run()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline().rpartition(" ")[2])
        supervisor.kill()
    assert wait_until(lambda: not alive(child), 5)


HELD = """
import json, os, time
print("imported", flush=True)
with open(int(os.environ["START_FD"])) as gate:
    told = json.load(gate)
print("pid", os.getpid(), told["WHERE"], flush=True)
time.sleep(60)
"""


def test_a_process_started_early_goes_on_when_it_is_told_where_its_servers_are(scene: Scene) -> None:
    """R1: the second start imports while the servers start; a restart has everything in its environment."""
    child = scene.supervisor.launch(Spec("web", [sys.executable, "-c", HELD]), held=True)
    scene.supervisor.run(until=lambda: "imported" in scene.said)
    assert "pid" not in scene.said
    scene.supervisor.environ["WHERE"] = "there"
    scene.supervisor.let_go(child)
    scene.supervisor.run(until=lambda: "pid" in scene.said)
    assert re.search(r"^web +│ pid \d+ there$", scene.said, re.M)


def _talk() -> None:
    sys.stdout.write(f"pid {os.getpid()} {os.environ['WHERE']}\n")
    time.sleep(60)


def test_a_forked_process_has_its_own_log_and_environment_and_is_started_again_alone(scene: Scene) -> None:
    """R1: forked ones are looked after like all others."""
    for name in ("worker", "relay"):
        scene.supervisor.launch(Spec(name, [], {"WHERE": f"of {name}"}, work=_talk))
    scene.supervisor.run(until=lambda: scene.said.count("pid") == 2)
    (worker,), (relay,) = (
        re.findall(rf"^{name} +│ pid (\d+) of {name}$", scene.said, re.M) for name in ("worker", "relay")
    )
    os.kill(int(worker), signal.SIGKILL)
    scene.supervisor.run(until=lambda: scene.said.count("pid") == 3)
    assert "worker ended unexpectedly (signal SIGKILL)" in scene.said
    assert alive(int(relay))
    scene.supervisor.stop()
    assert not alive(int(relay))


def _fail() -> None:
    sys.exit("no such portal")


def test_a_forked_process_that_fails_says_why(scene: Scene) -> None:
    with pytest.raises(Trouble, match=r"sample failed \(exit code 1\): no such portal"):
        scene.supervisor.run_once(Spec("sample", [], work=_fail))


def test_a_closed_terminal_does_not_break_it() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    out = os.fdopen(writing, "w")
    console = Console(out)
    console.line("nobody hears this")
    console.of("web", "nor this")
    with pytest.raises(BrokenPipeError):
        out.close()
