"""`polyclinic relay`: from the outbox to the queue."""

import click

from polyclinic.cli._application import application
from polyclinic.cli._logging import log_to_stderr
from polyclinic.web.relay import run_relay, stop_on_signals


@click.command()
def relay() -> None:
    """Move messages from the outbox to the queue; several may run."""
    log_to_stderr()
    run_relay(application(), stop_on_signals())
