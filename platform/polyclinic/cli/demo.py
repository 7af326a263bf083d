"""`polyclinic demo`: a whole network on this machine, for looking, developing and testing."""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from polyclinic.cli import has_command, main
from polyclinic.config import read_launch
from polyclinic.kernel.later import Later
from polyclinic.resources import checkout
from polyclinic.runtime.demo import Demo
from polyclinic.runtime.output import Console

if TYPE_CHECKING:
    from polyclinic.cli import _application
    from polyclinic.web import catalogues
else:  # the servers start before the application is imported
    _application, catalogues = Later("polyclinic.cli._application"), Later("polyclinic.web.catalogues")


class Crew:
    """The commands of a demonstration, in processes forked from one that has made the application (runtime.demo)."""

    def prepare(self, environ: Mapping[str, str]) -> None:
        """Import everything and make the application, before any process is forked."""
        _application.share(environ)

    def work(self, command: str) -> Callable[[], object]:
        """Return what runs a command in a forked process."""
        return lambda: main.main([command], prog_name="polyclinic")


@click.command()
@click.option("--afresh", is_flag=True, help="Delete the demonstration's data first; refused while one runs there.")
def demo(afresh: bool) -> None:
    """Start everything on this machine: servers, sample network, all processes. Ctrl-C stops it."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        Demo(read_launch(), Console(), has_command, Crew(), _compile_texts).run(afresh=afresh)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _compile_texts() -> None:
    """Compile the catalogues of a checkout where a source is newer than what was compiled."""
    if checkout() is not None:
        catalogues.compile_stale()
