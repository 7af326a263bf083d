"""The `polyclinic` command."""

import click

from polyclinic.cli.translations import translations


@click.group()
def main() -> None:
    """Run and look after a Polyclinic installation."""


main.add_command(translations)
