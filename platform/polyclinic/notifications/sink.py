"""A mail server that delivers nothing: it keeps each mail as a file, for the mailbox page and for tests."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from polyclinic.kernel.later import Later

if TYPE_CHECKING:
    from aiosmtpd import controller
    from aiosmtpd.smtp import SMTP, Envelope, Session
else:  # the mailbox page only reads the folder
    controller = Later("aiosmtpd.controller")

KEPT = 500
SIZE = 20 * 1024 * 1024


def folder_of(home: Path) -> Path:
    """Where the mails of an installation's home are kept."""
    return home / "mail"


class Keeper:
    """Writes what arrives; a mail that arrives twice with one Message-ID is one file, as in a reader's mailbox."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a mail."""
        content = envelope.original_content or b""
        message_id = str(message_from_bytes(content, policy=default).get("Message-ID", "")) or repr(content)
        known = hashlib.sha256(f"{message_id}{sorted(envelope.rcpt_tos)}".encode()).hexdigest()[:16]
        if not list(self.folder.glob(f"*-{known}.eml")):
            self._write(f"{time.time_ns():020d}-{known}.eml", content)
        return "250 kept"

    def _write(self, name: str, content: bytes) -> None:
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as file:
            file.write(content)
        os.replace(file.name, self.folder / name)
        for old in sorted(self.folder.glob("*.eml"))[:-KEPT]:
            old.unlink(missing_ok=True)


class Sink:
    """A running mail server on a loopback address; a context manager."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = 0, handler: Any = None) -> None:
        """Keep mails in ``folder``; tests may bring a ``handler`` of their own that refuses."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._controller = controller.Controller(
            handler or Keeper(folder), hostname=host, port=port, data_size_limit=SIZE, ident="mail sink"
        )

    @property
    def url(self) -> str:
        """Its address for SMTP_URL."""
        return f"smtp://{self._controller.hostname}:{self._controller.port}"

    def __enter__(self) -> Sink:
        """Start listening."""
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._controller.stop()
