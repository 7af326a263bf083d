"""How a mail leaves: a protocol, and SMTP as its real implementation (SMTP_URL)."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

from polyclinic.kernel.errors import Unavailable

TIMEOUT = 20.0


class Transport(Protocol):
    """Hands a mail over for delivery."""

    def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """Hand over a mail; raises where the server did not take it, so that the job tries again."""


class Smtp:
    """A mail server by its address: smtp://user:password@host:587 (TLS where offered), smtps://host."""

    def __init__(self, url: str | None) -> None:
        """Take the address; a missing one is told when a mail should leave."""
        self._url = url

    def send(self, message: EmailMessage, sender: str, recipient: str) -> None:
        """See Transport; raises smtplib.SMTPException or OSError."""
        if not self._url:
            raise Unavailable("smtp-missing", "SMTP_URL is not set, so no mail can leave.")
        parts = urlsplit(self._url)
        domain = sender.rpartition("@")[2]  # the machine's own name is nobody's business (P4)
        with self._connect(parts.scheme, parts.hostname or "", parts.port, domain) as server:
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message, from_addr=sender, to_addrs=[recipient])

    def _connect(self, scheme: str, host: str, port: int | None, domain: str) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if scheme == "smtps":
            return smtplib.SMTP_SSL(host, port or 465, local_hostname=domain, timeout=TIMEOUT, context=context)
        server = smtplib.SMTP(host, port or 25, local_hostname=domain, timeout=TIMEOUT)
        try:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
        except BaseException:
            server.close()
            raise
        return server
