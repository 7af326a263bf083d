"""`polyclinic scheduler`: from what falls due to the outbox."""

import logging

import click

from polyclinic.cli._application import application
from polyclinic.web.relay import run_scheduler, stop_on_signals


@click.command()
def scheduler() -> None:
    """Announce what has become due by the application's clock; several may run."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    run_scheduler(application(), stop_on_signals())
