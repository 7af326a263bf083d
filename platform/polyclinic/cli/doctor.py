"""`polyclinic doctor`: what is wrong with this machine or installation, and what to do."""

import os
import sys
from collections.abc import Iterator

import click

from polyclinic.cli._environment import environment
from polyclinic.config import ConfigError, read_launch, read_settings
from polyclinic.kernel.models import Base
from polyclinic.models import load_models
from polyclinic.runtime.doctor import look_at_machine
from polyclinic.runtime.doctor_database import look_at_database
from polyclinic.runtime.findings import Finding, note, wrong

SIGNS = {"ok": ("✓", "green"), "note": ("·", "yellow"), "wrong": ("✗", "red")}


@click.command()
def doctor() -> None:
    """Check machine, home, servers and roles; one line each, exit code 1 where something is wrong."""
    failed = False
    for finding in _findings():
        sign, colour = SIGNS[finding.state]
        click.echo(f"{click.style(sign, fg=colour)} {finding.title:<10} {finding.text}")
        failed = failed or finding.state == "wrong"
    sys.exit(1 if failed else 0)


def _findings() -> Iterator[Finding]:
    joined = environment()
    demo_runs = not os.environ.get("DATABASE_URL") and bool(joined.get("DATABASE_URL"))
    own = {name: value for name, value in os.environ.items() if name != "MODE" or value != "production"}
    try:
        yield from look_at_machine(read_launch(own), demo_runs=demo_runs)
    except ConfigError as error:
        yield from (wrong("Setting", problem) for problem in error.problems)
        return
    if not joined.get("DATABASE_URL"):
        yield note("Servers", "nothing runs in this home and no DATABASE_URL is set, so roles were not checked")
        return
    try:
        settings = read_settings(joined)
    except ConfigError as error:
        yield from (wrong("Setting", problem) for problem in error.problems)
        return
    load_models()
    classes = {name: str(table.info["tenancy"]) for name, table in Base.metadata.tables.items()}
    yield from look_at_database(settings, classes)
