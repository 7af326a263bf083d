"""`polyclinic scheduler`: from what falls due to the outbox."""

import click

from polyclinic.cli._application import application
from polyclinic.cli._logging import log_to_stderr
from polyclinic.web.relay import run_scheduler, stop_on_signals


@click.command()
def scheduler() -> None:
    """Announce what has become due by the application's clock; several may run."""
    log_to_stderr()
    run_scheduler(application(), stop_on_signals())
