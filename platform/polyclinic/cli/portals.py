"""`polyclinic portals`: portals as files (Y1)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.catalogue import file_sections, settings_catalogue
from polyclinic.cli._environment import settings
from polyclinic.kernel.actor import SYSTEM
from polyclinic.kernel.errors import Refusal
from polyclinic.kernel.scope import Scope, bind_roles, open_session
from polyclinic.models import load_models
from polyclinic.resources import shipped
from polyclinic.runtime.trouble import Trouble
from polyclinic.tenancy.documents import FILE, WrongFiles
from polyclinic.tenancy.files import Plan, apply_portal, export_portal, plan_portal
from polyclinic.tenancy.settings_docs import settings_markdown
from polyclinic.web.db import engine_options

NAMES = click.argument("names", nargs=-1, metavar="[PORTAL]...")
TENANTS = click.option(
    "--tenants", type=click.Path(file_okay=False, path_type=Path), help="The folder of the portals' folders."
)
NETWORK = Scope("network")


@click.group()
def portals() -> None:
    """Compare portals with their files, make them so, and write them back.

    A PORTAL is the name of a folder below the tenants folder, or a path; without one, all of them.
    """


@portals.command()
@NAMES
@TENANTS
def plan(names: tuple[str, ...], tenants: Path | None) -> None:
    """Show what applying the files would change; changes nothing."""
    folders = _folders(names, tenants)
    with _session() as session:
        for found in _plans(session, folders):
            _show(found, "would change")


@portals.command()
@NAMES
@TENANTS
@click.option("--overwrite", is_flag=True, help="Also undo what was changed elsewhere since the last apply.")
def apply(names: tuple[str, ...], tenants: Path | None, overwrite: bool) -> None:
    """Make the portals what their files say: each in one transaction, none if any file is wrong."""
    folders = _folders(names, tenants)
    with _session() as session:
        drifting = [found for found in _plans(session, folders) if found.drift]
        session.rollback()
        if drifting and not overwrite:
            for found in drifting:
                _show(found, "would change")
            raise Trouble("Nothing was applied: export these changes, or apply with --overwrite to undo them.")
        for folder in folders:
            done = apply_portal(session, SYSTEM, folder, file_sections(), record, overwrite=overwrite)
            _show(done, "changed")


@portals.command()
@NAMES
@TENANTS
def export(names: tuple[str, ...], tenants: Path | None) -> None:
    """Write portals back to their files; comments stay, and what agrees is not touched."""
    below = _tenants(tenants)
    folders = [_folder(name, below) for name in names] or _folders((), tenants)
    with _session() as session:
        exports = [export_portal(session, folder.name, folder, file_sections()) for folder in folders]
    for folder, found in zip(folders, exports, strict=True):
        for name, content in found.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
            click.echo(f"{file}: written")
        for name in found.removed:
            (folder / name).unlink()
            click.echo(f"{folder / name}: removed")
        if not found.files and not found.removed:
            click.echo(f"{found.slug}: the files agree")


@portals.command(name="settings")
def settings_() -> None:
    """Write docs/settings.md: every setting with its type, default and meaning."""
    click.echo(settings_markdown(settings_catalogue()), nl=False)


@contextmanager
def _session() -> Iterator[Session]:
    """Open a session of the network; what is refused is told line by line, with exit code 1."""
    load_models()
    mine = settings()
    engine = bind_roles(create_engine(mine.database_url, **engine_options(mine)), mine.role_prefix)
    try:
        with open_session(engine, NETWORK) as session:
            yield session
    except WrongFiles as wrong:
        _fail(wrong.complaints)
    except Refusal as refusal:
        _fail([str(refusal.message), *(f"{name}: {why}" for name, why in refusal.fields.items())])
    finally:
        engine.dispose()


def _fail(lines: Sequence[str]) -> None:
    for line in lines:
        click.secho(line, fg="red", err=True)
    click.secho("Nothing was changed.", fg="red", err=True)
    sys.exit(1)


def _plans(session: Session, folders: Sequence[Path]) -> list[Plan]:
    """Plan every portal; raises WrongFiles with the problems of all files."""
    plans: list[Plan] = []
    complaints: list[str] = []
    for folder in folders:
        try:
            plans.append(plan_portal(session, folder, file_sections()))
        except WrongFiles as wrong:
            complaints += wrong.complaints
    if complaints:
        raise WrongFiles(complaints)
    return plans


def _show(found: Plan, verb: str) -> None:
    if found.empty:
        click.echo(f"{found.slug}: nothing to change")
        return
    click.echo(f"{found.slug}: {verb} {len(found.changes)}{' (new portal)' if found.new else ''}")
    for difference in found.changes:
        click.echo(f"  {difference}")
    for difference in found.drift:
        click.secho(f"  drift, changed elsewhere since the last apply: {difference}", fg="yellow")


def _tenants(tenants: Path | None) -> Path:
    named = tenants or (Path(os.environ["TENANTS"]) if os.environ.get("TENANTS") else None)
    return named or (Path("tenants") if Path("tenants").is_dir() else shipped("tenants"))


def _folder(name: str, below: Path) -> Path:
    path = Path(name)
    path = path.parent if path.name == FILE else path
    return path if len(path.parts) > 1 or path.is_absolute() else below / name


def _folders(names: Sequence[str], tenants: Path | None) -> list[Path]:
    below = _tenants(tenants)
    if names:
        return [_folder(name, below) for name in names]
    found = sorted(file.parent for file in below.glob(f"*/{FILE}"))
    if not found:
        raise Trouble(f"There is no portal in {below}: expected folders with a {FILE}, or their names.")
    return found
