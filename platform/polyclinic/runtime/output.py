"""What the supervisor and its children say: one line at a time, prefixed, coloured where somebody watches."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)
_DIM, _BOLD, _RED, _GREEN = 2, 1, 31, 32


class Console:
    """Writes whole lines from several threads; falls silent, rather than failing, when nobody reads any more."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = sys.stdout if out is None else out
        self._lock = threading.Lock()
        self._colours: dict[str, int] = {}
        self._coloured = self._out.isatty() and "NO_COLOR" not in os.environ
        self._gone = False
        self._noticed: set[str] = set()

    def line(self, text: str = "") -> None:
        """One line of our own."""
        with self._lock:
            self._write(f"{text}\n")

    def of(self, name: str, text: str) -> None:
        """One line of a child."""
        colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        with self._lock:
            self._write(f"{self._paint(colour, f'{name:<9} │')} {text}\n")

    def notice(self, text: str) -> None:
        """Something the reader should not miss."""
        self.line(self._paint(_BOLD, text))

    def notice_once(self, text: str) -> None:
        """The same, unless it was said before."""
        if text not in self._noticed:
            self._noticed.add(text)
            self.notice(text)

    @contextmanager
    def step(self, title: str) -> "Iterator[Progress]":
        """A step of the start with its time; name what happened through the yielded progress."""
        began = time.monotonic()
        progress = Progress(title)
        try:
            yield progress
        except BaseException:
            self.line(f"{self._paint(_RED, '✗')} {title}")
            raise
        took = time.monotonic() - began
        self.line(f"{self._paint(_GREEN, '✓')} {progress.title:<58} {self._paint(_DIM, f'{took:6.1f} s')}")

    def bold(self, text: str) -> str:
        """Text that stands out."""
        return self._paint(_BOLD, text)

    def _paint(self, code: int, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured else text

    def _write(self, text: str) -> None:
        if self._gone:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except (OSError, ValueError):  # the terminal was closed, or the reader of the pipe is gone
            self._gone = True


class Progress:
    """A step under way; its title may become more exact."""

    def __init__(self, title: str) -> None:
        self.title = title
