"""The settings of a command: those of its environment, or of the demonstration that runs in its home."""

import os

from polyclinic.config import Settings, read_settings
from polyclinic.runtime.joining import joined_environment


def environment() -> dict[str, str]:
    """This process's environment, completed by a demonstration that runs in its home."""
    return joined_environment(os.environ)


def settings() -> Settings:
    """The settings a command works with; raises ConfigError."""
    return read_settings(environment())
