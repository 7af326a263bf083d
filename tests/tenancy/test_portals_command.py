"""`polyclinic portals` as an operator runs it (Y1)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from polyclinic.cli import main
from polyclinic.config import Settings
from polyclinic.tenancy.models import PortalSetting
from support.cast import Cast
from support.portal_folders import TOML, change, make_folder

Run = Callable[..., Result]


@pytest.fixture
def run(cast: Cast, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command beside the cast's portals, in an environment of its own."""
    environ = {
        "MODE": "test",
        "POLYCLINIC_HOME": str(tmp_path / "home"),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
    }

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["portals", *arguments], env=environ)

    return invoke


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the portal "delta" below `tenants`."""
    return make_folder(tmp_path / "tenants")


def test_plan_apply_and_export_in_turn(run: Run, folder: Path) -> None:
    """Y1: plan changes nothing, apply does, export after apply has nothing to write."""
    tenants = ("--tenants", str(folder.parent))
    planned = run("plan", *tenants)
    assert planned.exit_code == 0, planned.output
    assert "delta: would change" in planned.output
    assert "(new portal)" in planned.output
    assert run("plan", *tenants).output == planned.output
    applied = run("apply", *tenants, "delta")
    assert applied.exit_code == 0, applied.output
    assert "delta: changed" in applied.output
    assert run("plan", str(folder)).output == "delta: nothing to change\n"
    assert run("export", *tenants).output == "delta: the files agree\n"
    assert (folder / "portal.toml").read_text(encoding="utf-8") == TOML


def test_a_wrong_file_ends_with_its_complaints_and_changes_no_other_portal(run: Run, folder: Path) -> None:
    """Y1: nothing is changed if any file is wrong."""
    make_folder(folder.parent, "epsilon", TOML.replace("delta.", "epsilon."))
    change(folder, 'hold = "15 min"', 'hold = "soon"')
    result = run("apply", "--tenants", str(folder.parent))
    assert result.exit_code == 1
    assert f"{folder / 'portal.toml'}:27: booking.hold: “soon” is not a duration; expected" in result.output
    assert "Nothing was changed." in result.output
    assert "(new portal)" in run("plan", str(folder.parent / "epsilon")).output


def test_drift_is_shown_and_only_overwritten_on_request(run: Run, folder: Path, owner: Engine) -> None:
    """Y1."""
    assert run("apply", str(folder)).exit_code == 0
    with Session(owner) as session:
        session.execute(update(PortalSetting).where(PortalSetting.key == "booking.hold").values(value=600))
        session.commit()
    refused = run("apply", str(folder))
    assert refused.exit_code == 1
    assert "drift, changed elsewhere since the last apply: ~ settings.booking.hold: 900 -> 600" in refused.output
    exported = run("export", str(folder))
    assert f"{folder / 'portal.toml'}: written" in exported.output
    assert 'hold = "10 min" # people are slow' in (folder / "portal.toml").read_text(encoding="utf-8")
    make_folder(folder.parent)
    assert run("apply", "--overwrite", str(folder)).exit_code == 0
    assert run("plan", str(folder)).output == "delta: nothing to change\n"


def test_a_portal_that_nobody_knows_gets_a_sentence(run: Run, folder: Path) -> None:
    """Y1."""
    assert "there is no portal “delta”" in run("export", str(folder)).output
    result = run("plan", str(folder.parent / "nobody"))
    assert result.exit_code == 1
    assert "there is no such file" in result.output
    (folder / "portal.toml").unlink()
    assert "There is no portal in" in run("plan", "--tenants", str(folder.parent)).output


def test_the_page_of_settings_is_written_by_the_command(run: Run) -> None:
    """§5."""
    assert run("settings").output.startswith("# Settings\n")
