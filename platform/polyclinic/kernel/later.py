"""Modules that are imported when something of them is first used: a process pays only for what it does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any


class Later:
    """Stands for a module; type checkers are shown the real one by ``if TYPE_CHECKING``."""

    def __init__(self, name: str) -> None:
        """Promise the module ``name``."""
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        """Import the module, and remember what was asked for."""
        found = getattr(import_module(self._name), attribute)
        setattr(self, attribute, found)
        return found


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Import something as if ``names`` were not installed: its own try … except ImportError leaves them out.

    What this process has imported already is not touched.
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None means: may not be imported
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
