"""Homes and servers for the tests of the runtime itself, which start and break their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from polyclinic.runtime.throwaway import throwaway_home


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that the servers' account can reach."""
    with throwaway_home() as folder:
        yield folder
