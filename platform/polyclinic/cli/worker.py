"""`polyclinic worker`: does what is queued."""

import click

from polyclinic.cli._application import application
from polyclinic.cli._logging import log_to_stderr
from polyclinic.web.jobs import work


@click.command()
@click.option("--burst", is_flag=True, help="Stop when the queue is empty.")
def worker(burst: bool) -> None:
    """Do what is queued: mails, notifications, clean-up; several may run."""
    log_to_stderr()
    work(application(), burst=burst)
