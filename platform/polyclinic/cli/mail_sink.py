"""`polyclinic mail-sink`: takes every mail and delivers none."""

from urllib.parse import urlsplit

import click

from polyclinic.cli._environment import settings
from polyclinic.notifications.sink import Sink, folder_of
from polyclinic.runtime.trouble import Trouble
from polyclinic.web.relay import stop_on_signals


@click.command()
def mail_sink() -> None:
    """Take mails at SMTP_URL, a loopback address, and keep them for the mailbox page; not in production."""
    found = settings()
    address = urlsplit(found.smtp_url or "")
    if found.production or address.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise Trouble("The mail sink is for demonstration and tests: MODE=demo and SMTP_URL=smtp://127.0.0.1:PORT.")
    with Sink(folder_of(found.home), address.hostname, address.port or 25):
        stop_on_signals().wait()
