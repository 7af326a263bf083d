"""Generated passwords of the embedded servers, in a file only its owner can read."""

import json
import os
import secrets
from pathlib import Path

from polyclinic.runtime.trouble import Trouble


class Passwords:
    """Passwords by name, made on first use and kept in `file` (0600)."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def of(self, name: str) -> str:
        """The password of a name; made, and on disk, before it is returned."""
        known = self._read()
        if name not in known:
            known[name] = secrets.token_urlsafe(32)
            self._write(known)
        return known[name]

    def known(self, name: str) -> bool:
        """Whether a password was made before."""
        return name in self._read()

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self.file.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise Trouble(f"The passwords in {self.file} cannot be read: {error}. Restore that file.") from error
        return {str(name): str(password) for name, password in found.items()}

    def _write(self, known: dict[str, str]) -> None:
        fresh = self.file.with_name(self.file.name + ".new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(known, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(self.file)
