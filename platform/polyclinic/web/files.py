"""Where uploaded files are kept: a Protocol, and the folder that one machine needs.

Keys are random and made by the feature that stores a file; they name no tenant, person or upload, and are never part of
an address that people see.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Protocol, cast

from flask import Flask, current_app

from polyclinic.kernel.errors import Defect

_KEY = re.compile(r"[a-z]+/[A-Za-z0-9_-]{16,64}(\.[a-z0-9-]+)+")
_EXTENSION = "polyclinic.files"


class FileStore(Protocol):
    """Keeps bytes under a key ("portraits/<random>.webp")."""

    def put(self, key: str, content: bytes) -> None:
        """Keep ``content``; whole or not at all."""

    def get(self, key: str) -> bytes | None:
        """Return what is kept, None where nothing is."""

    def delete(self, key: str) -> None:
        """Forget a file; one that is not there is forgotten already."""


class LocalFiles:
    """A folder of this machine, readable by the application's user alone."""

    def __init__(self, folder: Path) -> None:
        """Keep files below ``folder``, which is made when the first one comes."""
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        """See FileStore."""
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def get(self, key: str) -> bytes | None:
        """See FileStore."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def delete(self, key: str) -> None:
        """See FileStore."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise Defect(f"{key!r} is not the key of a file")
        return self._folder / key


def set_files(app: Flask, files: FileStore) -> None:
    """Install where the application keeps files."""
    app.extensions[_EXTENSION] = files


def files() -> FileStore:
    """Return where the application keeps files."""
    return cast(FileStore, current_app.extensions[_EXTENSION])


def init_app(app: Flask) -> None:
    """Keep files below the installation's own folder."""
    set_files(app, LocalFiles(app.config["POLYCLINIC"].home / "files"))
