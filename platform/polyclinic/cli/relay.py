"""`polyclinic relay`: from the outbox to the queue."""

import logging

import click

from polyclinic.cli._application import application
from polyclinic.web.relay import run_relay, stop_on_signals


@click.command()
def relay() -> None:
    """Move messages from the outbox to the queue; several may run."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    run_relay(application(), stop_on_signals())
