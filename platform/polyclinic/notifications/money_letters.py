"""Letters about money: what was paid, what goes back and why, without a word about health (E8, T3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from polyclinic.kernel.money import Money
from polyclinic.notifications.letters import Letter, greeting
from polyclinic.web.i18n import format_money, format_when


@dataclass(frozen=True, slots=True)
class Bill:
    """What a letter may say of a payment: how much, for which neutral words, where to look."""

    amount: Money
    description: str
    link: str


def payment_received(name: str, bill: Bill) -> Letter:
    """To the patient: the money has arrived."""
    return Letter(
        subject=_("We received your payment"),
        greeting=greeting(name),
        paragraphs=(_("thank you: your payment has arrived."),),
        facts=((_("Amount"), format_money(bill.amount)), (_("For"), bill.description)),
        action=(_("Show my appointment"), bill.link),
    )


def payment_failed(name: str, bill: Bill) -> Letter:
    """To the patient: nothing was taken; what to do."""
    return Letter(
        subject=_("Your payment did not work"),
        greeting=greeting(name),
        paragraphs=(
            _("your payment did not work, and nothing was charged."),
            _("As long as the time is kept for you, you can try again or pay in another way."),
        ),
        facts=((_("Amount"), format_money(bill.amount)), (_("For"), bill.description)),
        action=(_("Try again"), bill.link),
    )


def refund_requested(name: str, bill: Bill, back: Money, reason: str) -> Letter:
    """To the patient: money is on its way back, and by which rule."""
    return Letter(
        subject=_("Your money is on its way back"),
        greeting=greeting(name),
        paragraphs=(_("we are returning money to you, the way it came. Banks take 5 to 10 days."),),
        facts=(
            (_("You get back"), _("%(back)s of %(paid)s", back=format_money(back), paid=format_money(bill.amount))),
            (_("Why"), reason),
            (_("For"), bill.description),
        ),
        action=(_("Show my appointment"), bill.link),
    )


def paid_too_late(name: str, bill: Bill, back: Money, times: Sequence[dt.datetime], zone: str, home: str) -> Letter:
    """To the patient whose payment came after the time was given up: an apology, the money, the next times (B8)."""
    where = ZoneInfo(zone)
    said = tuple((_("Free again"), format_when(time, home=where, viewer=where)) for time in times)
    return Letter(
        subject=_("We are sorry: your time is no longer free"),
        greeting=greeting(name),
        paragraphs=(
            _("your payment arrived after the time that was kept for you, and somebody else has it now. We are sorry."),
            _("All of your money goes back to you, the way it came. Banks take 5 to 10 days."),
        ),
        facts=((_("You get back"), format_money(back)), (_("For"), bill.description), *said),
        action=(_("Find another time"), home),
    )


def refunded(name: str, bill: Bill, back: Money) -> Letter:
    """To the patient: the provider has returned the money."""
    return Letter(
        subject=_("Your money was returned"),
        greeting=greeting(name),
        paragraphs=(_("the money has left us and reaches you the way it came. Banks take 5 to 10 days."),),
        facts=((_("Amount"), format_money(back)), (_("For"), bill.description)),
        action=(_("Show my appointment"), bill.link),
    )


def refund_failed(name: str, bill: Bill, back: Money) -> Letter:
    """To the patient: the money could not be returned; somebody looks after it."""
    return Letter(
        subject=_("Your money could not be returned yet"),
        greeting=greeting(name),
        paragraphs=(
            _("we tried to return money to you, and it came back. We look after it and write to you."),
            _("You need not do anything. If your card or account has changed, please tell us."),
        ),
        facts=((_("Amount"), format_money(back)), (_("For"), bill.description)),
        action=(_("Show my appointment"), bill.link),
    )
