"""`polyclinic demo`: a whole network on this machine, for looking, developing and testing."""

import os

import click

from polyclinic.cli import has_command
from polyclinic.config import read_launch
from polyclinic.resources import checkout
from polyclinic.runtime.demo import Demo
from polyclinic.runtime.output import Console
from polyclinic.web.catalogues import compile_stale


@click.command()
@click.option("--afresh", is_flag=True, help="Delete the demonstration's data first; refused while one runs there.")
def demo(afresh: bool) -> None:
    """Start everything on this machine: servers, sample network, all processes. Ctrl-C stops it."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        Demo(read_launch(), Console(), has_command, _compile_texts).run(afresh=afresh)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _compile_texts() -> None:
    """Compile the catalogues of a checkout where a source is newer than what was compiled."""
    if checkout() is not None:
        compile_stale()
