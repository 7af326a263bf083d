"""`polyclinic worker`: does what is queued."""

import logging

import click

from polyclinic.cli._application import application
from polyclinic.web.jobs import work


@click.command()
@click.option("--burst", is_flag=True, help="Stop when the queue is empty.")
def worker(burst: bool) -> None:
    """Do what is queued: mails, notifications, clean-up; several may run."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    work(application(), burst=burst)
