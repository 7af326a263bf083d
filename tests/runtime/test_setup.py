"""R1: what `make` does before the product runs: packages by lock file, a browser for the tests."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from polyclinic.runtime.frontend import build_front_end, node_version
from support.browser import NoBrowser, chromium
from support.source import ROOT

pytestmark = pytest.mark.slow


def _make(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, **environ}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_help_lists_every_target_with_a_sentence() -> None:
    listed = {line.split()[1] for line in _make().stdout.splitlines() if line.startswith("  make ")}
    assert {"demo", "demo-reset", "test", "check", "doctor", "setup", "lock", "clean"} <= listed


def test_a_missing_python_is_said_in_a_sentence() -> None:
    answer = _make("setup", "PYTHON=")
    assert answer.returncode != 0
    assert "Polyclinic needs Python 3.11 or newer, and none was found" in answer.stderr


def test_an_unreachable_index_is_said_in_a_sentence(tmp_path: Path) -> None:
    """Nothing is half done afterwards: without its stamp the next run begins again."""
    for name in ("requirements", "pyproject.toml"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    answer = subprocess.run(
        [sys.executable, "requirements/install.py", "run"],
        cwd=tmp_path,
        env={**nowhere, "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "The packages could not be installed. Is the package index reachable" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / ".venv/installed.json").exists()


def test_an_installed_set_is_not_installed_again() -> None:
    """A second start needs neither index nor time; the development set contains the other."""
    subprocess.run([sys.executable, "requirements/install.py", "dev"], cwd=ROOT, check=True)
    assert {"run", "dev", "checkout"} <= set(json.loads((ROOT / ".venv/installed.json").read_text()))
    again = [sys.executable, "requirements/install.py", "run"]
    answer = subprocess.run(again, cwd=ROOT, env={"PATH": "", "PIP_NO_INDEX": "1"}, capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (0, "")


def test_an_unchanged_front_end_is_not_built_again() -> None:
    build_front_end()
    assert build_front_end() is None
    assert node_version().startswith("v")


def test_a_browser_that_is_not_there_is_a_failure_that_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(NoBrowser, match="Install the package chromium"):
        chromium()
