"""R2: the same application in every async mode, and eventlet can be left (docs/adr/0004)."""

import subprocess
import sys
import urllib.error
import urllib.request
from importlib.util import find_spec
from typing import Any

import pytest
from click.testing import CliRunner

from polyclinic.cli import main
from polyclinic.runtime.leash import wait_until
from support.source import ROOT

pytestmark = pytest.mark.slow


def _status(port: str, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


@pytest.mark.parametrize("mode", ["eventlet", "gevent", "threading"])
def test_every_mode_serves_and_stops(environ: dict[str, str], mode: str) -> None:
    """R2: graceful end with exit code 0, whoever serves."""
    process = subprocess.Popen(
        [sys.executable, "-m", "polyclinic", "serve"],
        cwd=ROOT,
        env=environ | {"ASYNC_MODE": mode},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert wait_until(lambda: _status(environ["INTERNAL_PORT"], "/ready") == 200, 30, every=0.1)
        assert wait_until(lambda: _status(environ["PORT"], "/") == 404, 10, every=0.1)  # P1: an unknown host
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_mode_without_its_server_says_what_to_install(environ: dict[str, str], monkeypatch: Any) -> None:
    present = find_spec
    monkeypatch.setattr(
        "polyclinic.runtime.serving.find_spec", lambda name: None if name == "gunicorn" else present(name)
    )
    answer = CliRunner().invoke(main, ["serve"], env=environ | {"ASYNC_MODE": "threading"})
    assert answer.exit_code == 1
    assert "ASYNC_MODE=threading is served by gunicorn, and gunicorn is not installed" in answer.output
