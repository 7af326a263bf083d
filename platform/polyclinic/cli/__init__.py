"""The `polyclinic` command: every module beside this one holds the command of its own name.

A module is imported when its command runs, so that starting one does not load what the others need.
"""

import importlib
import pkgutil
import sys
import warnings

import click

from polyclinic.config import ConfigError
from polyclinic.runtime.trouble import Trouble

# Socket.IO's package imports it where it is installed; docs/adr/0004 says how it can be left.
warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")


class Commands(click.Group):
    """Finds commands by file name; tells problems as sentences instead of tracebacks."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted(name.replace("_", "-") for _, name, _ in pkgutil.iter_modules(__path__) if name[0] != "_")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, loaded now; None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        name = cmd_name.replace("-", "_")
        found = getattr(importlib.import_module(f"polyclinic.cli.{name}"), name)
        if not isinstance(found, click.Command):
            raise TypeError(f"polyclinic.cli.{name}.{name} is no click command")
        return found

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what stands in its way goes to stderr, with exit code 1."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            for problem in error.problems:
                click.secho(problem, fg="red", err=True)
        except (Trouble, FileNotFoundError) as error:
            click.secho(str(error), fg="red", err=True)
        sys.exit(1)


@click.group(cls=Commands)
def main() -> None:
    """Run and look after a Polyclinic installation."""


def has_command(name: str) -> bool:
    """Whether a command of that name exists."""
    return name in main.list_commands(click.Context(main))
