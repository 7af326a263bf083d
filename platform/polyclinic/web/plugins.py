"""The plugins of the running application, for services that call their hooks."""

from __future__ import annotations

from typing import cast

from flask import current_app

from polyclinic.hooks.registry import Hooks


def current_hooks() -> Hooks:
    """Return the hooks of the current application."""
    return cast(Hooks, current_app.extensions["polyclinic.hooks"])
