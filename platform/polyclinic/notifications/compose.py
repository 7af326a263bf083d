"""From a letter to a mail: themed HTML and text, headers that cannot be injected, the invitation attached (T1, P4)."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING

from polyclinic.kernel.clock import real_now
from polyclinic.kernel.later import Later
from polyclinic.notifications.invitation import write_ics
from polyclinic.notifications.letters import Letter
from polyclinic.notifications.senders import Sender
from polyclinic.web.i18n import Language, localized
from polyclinic.web.theming import render_for
from polyclinic.web.tokens.colour import Colour

if TYPE_CHECKING:
    import css_inline
else:  # web processes queue mails, workers write them
    css_inline = Later("css_inline")


@functools.cache
def _inliner() -> css_inline.CSSInliner:
    # Rules become attributes, for programs that read no styles; the dark scheme is a media query and stays one.
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a mail goes to, in which language and zone it is written."""

    kind: str
    id: str
    name: str
    address: str
    locale: str
    zone: str


def one_line(text: str) -> str:
    """A text without line breaks and control characters, as headers need it."""
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029\s]+", " ", text).strip()


def compose(sender: Sender, recipient: Recipient, letter: Letter, message_id: str, language: Language) -> EmailMessage:
    """Write the mail; raises ValueError for an address that is none (a line break in it among others)."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(str(sender.name), sender.address)
    mail["To"] = _address(recipient.name, recipient.address)
    if sender.support_email:
        mail["Reply-To"] = _address(str(sender.name), sender.support_email)
    mail["Subject"] = one_line(letter.subject)
    mail["Date"] = format_datetime(real_now())
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    values = {
        "letter": letter,
        "sender": sender,
        "language": language,
        "colours": {name: colour.hex for name, colour in _scheme(sender).items()},
        "dark": {name: colour.hex for name, colour in sender.look.tokens.dark.items()},
        "crisis": localized(sender.crisis, language.code, sender.default_locale) if sender.crisis else "",
    }
    text = render_for(sender.look, "notifications/mail.txt", sender.slug, **values)
    mail.set_content(re.sub(r"\n{3,}", "\n\n", text).strip() + "\n")
    html = render_for(sender.look, "notifications/mail.html", sender.slug, **values)
    mail.add_alternative(_inliner().inline(html), subtype="html")
    if letter.invitation is not None:
        _attach(mail, sender, recipient, letter)
    mail["Content-Language"] = language.tag  # last: setting content drops the headers that describe it
    return mail


def _scheme(sender: Sender) -> dict[str, Colour]:
    tokens = sender.look.tokens
    return dict(tokens.dark if tokens.shared["schemes"] == "dark" else tokens.light)


def _address(name: str, address: str) -> Address:
    if address != one_line(address) or address.count("@") != 1:
        raise ValueError("this is not an e-mail address")
    return Address(display_name=one_line(name), addr_spec=address)


def _attach(mail: EmailMessage, sender: Sender, recipient: Recipient, letter: Letter) -> None:
    """As an alternative, which calendars of mail programs understand, and as a file for all others."""
    invitation = letter.invitation
    if invitation is None:
        return
    organizer = (one_line(str(sender.name)), sender.address)
    content = write_ics(invitation, organizer, (one_line(recipient.name), recipient.address))
    mail.add_alternative(content.decode(), subtype="calendar", params={"method": invitation.method})
    mail.add_attachment(
        content,
        maintype="text",
        subtype="calendar",
        filename="appointment.ics",
        params={"method": invitation.method, "charset": "utf-8"},
    )
