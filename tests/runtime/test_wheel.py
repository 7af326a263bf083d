"""R2: what is built is whole: code, migrations, themes, tenants, texts and the web process's entry."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.source import ROOT

pytestmark = pytest.mark.slow
ENTRIES = ("polyclinic/app.py", "polyclinic_admin/plugin.py", "polyclinic_free/plugin.py")
SHARED = ("wsgi.py", "migrations/env.py", "migrations/versions/0001_ground.py")


def test_the_wheel_has_everything_and_finds_it(tmp_path: Path) -> None:
    """Run from an unpacked wheel, away from the checkout: data folders are found in it."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        wheel.extractall(tmp_path / "site")
    assert {*ENTRIES, *(f"polyclinic/_share/{name}" for name in SHARED)} <= names
    assert [name for name in names if name.startswith("polyclinic/static/build/") and name.endswith("manifest.json")]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from polyclinic import resources as r\n"
        "assert r.checkout() is None; print(r.shipped('migrations')); print(r.shipped('wsgi.py'))"
    )
    run = [sys.executable, "-I", "-c", code, str(tmp_path / "site")]
    answer = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True)
    share = tmp_path / "site/polyclinic/_share"
    assert answer.stdout.split() == [str(share / "migrations"), str(share / "wsgi.py")]
