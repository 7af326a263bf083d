"""Hook implementations of the admin console."""

from typing import Any

from polyclinic.hooks.specs import hookimpl
from polyclinic_admin.console import add_console


@hookimpl
def register_pages(app: Any) -> None:
    """Serve the console on the place of the operators."""
    add_console(app)
