"""`polyclinic sample`: the sample network of demonstrations."""

import time

import click

from polyclinic.cli._application import application
from polyclinic.cli._environment import settings
from polyclinic.config import Settings
from polyclinic.runtime.trouble import Trouble
from polyclinic.sample.making import make_sample_network


@click.command()
@click.option("--weeks", default=9, show_default=True, help="How many weeks of history.")
def sample(weeks: int) -> None:
    """Make the sample network: three portals, 24 specialists, their patients, and weeks of history.

    What is there already is left alone. Needs OWNER_DATABASE_URL, because it moves the application's clock.
    """
    mine = _demonstration(settings())
    began = time.monotonic()
    made = make_sample_network(application(), mine, weeks, click.echo)
    click.echo(f"Sample network: {made}, {time.monotonic() - began:.1f} s")


def _demonstration(mine: Settings) -> Settings:
    if mine.production:
        raise Trouble("The sample network belongs to demonstrations and tests: MODE is 'production'.")
    if mine.owner_database_url is None:
        raise Trouble("OWNER_DATABASE_URL is missing: history is made under a moved clock, which only the owner moves.")
    return mine
