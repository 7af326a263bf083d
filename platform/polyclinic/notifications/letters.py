"""What is written to whom: each letter as text in the reader's language, without a word about health (T3)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import ngettext

from polyclinic.notifications.invitation import Invitation
from polyclinic.notifications.senders import Sender
from polyclinic.web.i18n import format_time, format_when, format_zone


@dataclass(frozen=True, slots=True)
class Letter:
    """The parts of a mail; templates decide what they look like."""

    subject: str
    greeting: str
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    code: str = ""
    action: tuple[str, str] | None = None
    """The words and the address of the one button."""
    closing: str = ""
    invitation: Invitation | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Visit:
    """What a letter may say of an appointment: when and with whom, never what for."""

    uid: str
    sequence: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    specialist: str
    link: str


def greeting(name: str) -> str:
    """Say hello, by name where there is one."""
    return _("Hello %(name)s,", name=name) if name else _("Hello,")


def _when(visit: Visit, zone: str) -> str:
    where = ZoneInfo(zone)
    begin = format_when(visit.starts_at, home=where, viewer=where)
    return f"{begin}–{format_time(visit.ends_at, where)} ({format_zone(where)})"


def confirmation(sender: Sender, name: str, zone: str, visit: Visit) -> Letter:
    """To the patient: the appointment is confirmed, with an invitation for the calendar."""
    return Letter(
        subject=_("Your appointment is confirmed"),
        greeting=greeting(name),
        paragraphs=(
            _("Your appointment is confirmed. It takes place by video, in your browser; there is nothing to install."),
        ),
        facts=((_("When"), _when(visit, zone)), (_("With"), visit.specialist)),
        action=(_("Show my appointment"), visit.link),
        closing=_("If you cannot come, please cancel in good time on the page of your appointment."),
        invitation=Invitation(
            visit.uid,
            visit.sequence,
            "REQUEST",
            visit.starts_at,
            visit.ends_at,
            zone,
            _("Appointment with %(name)s", name=visit.specialist),
            visit.link,
        ),
    )


def new_appointment(sender: Sender, name: str, zone: str, visit: Visit, portal: str) -> Letter:
    """To the specialist: somebody has booked. It names the portal, not the patient."""
    return Letter(
        subject=_("New appointment on %(portal)s", portal=portal),
        greeting=greeting(name),
        paragraphs=(_("A new appointment is in your calendar."),),
        facts=((_("When"), _when(visit, zone)), (_("Portal"), portal)),
        action=(_("Open the appointment"), visit.link),
        invitation=Invitation(
            visit.uid, visit.sequence, "REQUEST", visit.starts_at, visit.ends_at, zone, _("Session"), visit.link
        ),
    )


def cancellation(sender: Sender, name: str, zone: str, visit: Visit, portal: str = "") -> Letter:
    """To whoever did not cancel: the appointment does not take place; the calendar entry goes."""
    facts = [(_("When"), _when(visit, zone))]
    facts.append((_("Portal"), portal) if portal else (_("With"), visit.specialist))
    title = _("Session") if portal else _("Appointment with %(name)s", name=visit.specialist)
    return Letter(
        subject=_("Appointment cancelled on %(portal)s", portal=portal)
        if portal
        else _("Your appointment was cancelled"),
        greeting=greeting(name),
        paragraphs=(_("This appointment was cancelled and does not take place."),),
        facts=tuple(facts),
        action=(_("Open my calendar"), visit.link) if portal else (_("Find another time"), sender.home()),
        invitation=Invitation(
            visit.uid, visit.sequence, "CANCEL", visit.starts_at, visit.ends_at, zone, title, visit.link
        ),
    )


def code(sender: Sender, value: str, minutes: int) -> Letter:
    """To whoever gave the address: a code to go on with. It says nothing about an account."""
    valid = ngettext("It is valid for one minute.", "It is valid for %(num)d minutes.", minutes)
    return Letter(
        subject=_("Your code: %(code)s", code=value),
        greeting=_("Hello,"),
        paragraphs=(_("here is the code you asked for. Type it into the page that is waiting for it."), valid),
        code=value,
        closing=_("If you did not ask for it, somebody mistyped their address. You need not do anything."),
    )


def welcome(sender: Sender, name: str) -> Letter:
    """To a new patient or specialist."""
    return Letter(
        subject=_("Welcome to %(name)s", name=sender.name),
        greeting=greeting(name),
        paragraphs=(_("your account is ready. You sign in with this e-mail address."),),
        action=(_("Sign in"), sender.home()),
    )


def contact_message(sender: Sender, portal: str, topic: str, link: str) -> Letter:
    """To a portal's support desk: somebody wrote. What they wrote stays in the console (T3)."""
    topics = {
        "booking": _("A visit: booking, moving, cancelling"),
        "payment": _("An invoice or a payment"),
        "technology": _("Video, sound or the website"),
        "data": _("My data and my account"),
    }
    return Letter(
        subject=_("New message on %(portal)s", portal=portal),
        greeting=_("Hello,"),
        paragraphs=(
            _("somebody has written to the support desk. You read the message in the console, not in this mail."),
        ),
        facts=((_("Portal"), portal), (_("About"), topics.get(topic, _("Something else")))),
        action=(_("Read the message"), link),
    )


def enquiry(sender: Sender, name: str, link: str) -> Letter:
    """To an operator of the network: somebody would like to work here."""
    return Letter(
        subject=_("Somebody would like to work with you"),
        greeting=greeting(name),
        paragraphs=(_("An enquiry has arrived from the public site for specialists. It waits for an answer."),),
        action=(_("Read the enquiry"), link),
    )
