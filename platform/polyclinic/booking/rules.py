"""Pure decisions about booking: who sees slots, what may happen to an appointment, what cancelling means."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal
from unicodedata import category

from flask_babel import lazy_gettext as _l

from polyclinic.allocation.rules import Relationship, is_established
from polyclinic.kernel.errors import Conflict, Forbidden, Invalid, Refusal, TooMany
from polyclinic.kernel.money import Money

Party = Literal["patient", "specialist", "operator", "system"]
Action = Literal["pay", "pay_late", "expire", "cancel", "complete"]
HoldStatus = Literal["live", "expired", "booked", "released"]


@dataclass(frozen=True, slots=True)
class Transition:
    """Where an action leads, and who may take it."""

    to: str
    by: frozenset[Party]


_ALL: frozenset[Party] = frozenset({"patient", "specialist", "operator", "system"})
_SYSTEM: frozenset[Party] = frozenset({"system"})

#: B5: the one table of transitions. What is not here does not happen; payments, visits and moves add their rows.
TRANSITIONS: Mapping[tuple[str, Action], Transition] = {
    ("pending_payment", "pay"): Transition("confirmed", _SYSTEM),
    ("pending_payment", "expire"): Transition("cancelled", _SYSTEM),
    # B8: money that came after the time was given up, and the time is still free.
    ("cancelled", "pay_late"): Transition("confirmed", _SYSTEM),
    ("pending_payment", "cancel"): Transition("cancelled", _ALL),
    ("confirmed", "cancel"): Transition("cancelled", _ALL),
    ("confirmed", "complete"): Transition("completed", frozenset({"specialist"})),
    ("in_progress", "complete"): Transition("completed", frozenset({"specialist"})),
}
#: States that establish a relationship (B1): past the first booking.
VISITED = ("confirmed", "in_progress", "completed", "missed_by_patient", "missed_by_specialist")
#: States in which the time is still taken.
UPCOMING = ("pending_payment", "confirmed", "in_progress")

NAME_LENGTH, PHONE_LENGTH, MESSAGE_LENGTH = 120, 40, 2000
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.\-]{3,}[0-9]")


PAYING_TIME = dt.timedelta(minutes=15)
"""How long a time is kept once paying has begun; the one extension of a hold (B2)."""


def state_now(state: str, pay_until: dt.datetime | None, now: dt.datetime) -> str:
    """Return the state of an appointment as it counts now: unpaid at the end of its time it is over, swept or not."""
    if state == "pending_payment" and pay_until is not None and pay_until <= now:
        return "cancelled"
    return state


def may_revive(state: str, cancelled_by: str | None, pay_until: dt.datetime | None) -> bool:
    """Tell whether an appointment was only given up for want of payment, so that late money may confirm it (B8)."""
    return state == "cancelled" and cancelled_by == "system" and pay_until is not None


def refuse_transition(state: str, action: Action, by: Party) -> Refusal | None:
    """Say why ``by`` may not take ``action`` on an appointment in ``state``, or None (B5)."""
    transition = TRANSITIONS.get((state, action))
    if transition is None:
        return Conflict(
            "appointment-state",
            _l("This appointment is no longer open for that: its state has changed."),
            extra={"state": state},
        )
    if by not in transition.by:
        return Forbidden("not-yours-to-do", _l("Only the specialist can do that."))
    return None


def can_cancel(state: str, by: Party, starts_at: dt.datetime, now: dt.datetime) -> Refusal | None:
    """Say why ``by`` cannot cancel an appointment now, or None: only before it begins (B5)."""
    if (refusal := refuse_transition(state, "cancel", by)) is not None:
        return refusal
    if now >= starts_at:
        return Conflict("appointment-begun", _l("This appointment has begun and can no longer be cancelled."))
    return None


def can_complete(state: str, by: Party, starts_at: dt.datetime, now: dt.datetime) -> Refusal | None:
    """Say why ``by`` cannot complete an appointment now, or None: only once it has begun (B5)."""
    if (refusal := refuse_transition(state, "complete", by)) is not None:
        return refusal
    if now < starts_at:
        return Conflict("appointment-not-begun", _l("This appointment has not begun yet."))
    return None


@dataclass(frozen=True, slots=True)
class CancellationPolicy:
    """What cancelling costs, frozen with the booking (B6)."""

    free_until: dt.timedelta
    """Before the start; cancelling earlier than that is free."""
    late_fee: Decimal
    """Percent of the price that is owed for cancelling later."""

    def as_json(self) -> dict[str, Any]:
        """Return what the appointment keeps; ``from_json`` reads it back."""
        return {"free_until": int(self.free_until.total_seconds()), "late_fee": str(self.late_fee)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CancellationPolicy:
        """Read what an appointment keeps."""
        return cls(dt.timedelta(seconds=data["free_until"]), Decimal(str(data["late_fee"])))


@dataclass(frozen=True, slots=True)
class CancellationTerms:
    """What cancelling at some moment means, said before the button (B6)."""

    free_until: dt.datetime
    late: bool
    """Whether a patient who cancels now is late; others never are."""
    fee: Money
    """What would be owed now."""
    late_fee: Money
    """What is owed from ``free_until`` on."""


def cancellation_terms(
    starts_at: dt.datetime, price: Money, policy: CancellationPolicy, now: dt.datetime, by: Party
) -> CancellationTerms:
    """Return what cancelling now means by the frozen policy; a fee is rounded half up to whole minor units."""
    free_until = starts_at - policy.free_until
    share = (Decimal(price.minor) * policy.late_fee / 100).quantize(Decimal(1), ROUND_HALF_UP)
    late_fee = Money(int(share), price.currency)
    late = by == "patient" and now > free_until
    return CancellationTerms(free_until, late, late_fee if late else Money(0, price.currency), late_fee)


@dataclass(frozen=True, slots=True)
class Bookable:
    """What decides about a listing's slots for everybody."""

    modes: Collection[str]
    name: str
    accepts_booking: bool
    capacity: int | None
    active_allocations: int
    payable: bool = True
    """Whether a price could be paid: where the specialist's account charges, only once it is ready (E3)."""


def may_see_slots(listing: Bookable, relationship: Relationship) -> Refusal | None:
    """Say why this viewer is shown no slots of a visible listing, or None (B1). Every door asks this."""
    if relationship.undecided:
        return Conflict(
            "decision-open",
            _l("You have an open payment or proposal with %(name)s. Please finish that first.", name=listing.name),
        )
    if is_established(relationship) and not relationship.standing_permission:
        return Conflict(
            "specialist-proposes",
            _l("You are already with %(name)s, who proposes your next appointment to you.", name=listing.name),
        )
    if "browse" not in listing.modes or not listing.accepts_booking:
        return Conflict("not-bookable", _l("%(name)s does not take direct bookings here.", name=listing.name))
    if not listing.payable:
        return Conflict("not-payable", _l("%(name)s takes no online bookings here at the moment.", name=listing.name))
    full = listing.capacity is not None and listing.active_allocations >= listing.capacity
    if full and not relationship.active:
        return Conflict("fully-booked", _l("%(name)s takes no new patients at the moment.", name=listing.name))
    return None


def hold_status(state: str, expires_at: dt.datetime, now: dt.datetime) -> HoldStatus:
    """Return what a hold is worth now: dead once its time has passed, swept or not (C5)."""
    if state == "open":
        return "live" if expires_at > now else "expired"
    return "booked" if state == "booked" else "released" if state == "released" else "expired"


def refuse_hold_of_address(live: int, most: int) -> Refusal | None:
    """Say why guests of one network address cannot keep another time, or None (B2)."""
    if live < most:
        return None
    return TooMany(
        "holds-per-address",
        _l("Several times are being kept from your network already. Sign in, or try again in a few minutes."),
        retry_after=120,
    )


_TOO_LONG = _l("Shorten your message to %(most)s characters.", most=MESSAGE_LENGTH)


@dataclass(frozen=True, slots=True)
class Details:
    """What the patient says when booking."""

    name: str
    phone: str = ""
    message: str = ""


def clean_details(name: str, phone: str = "", message: str = "") -> Details:
    """Return details as they are stored; raises Invalid with a sentence per wrong field."""
    name, phone = " ".join(_plain(name).split()), " ".join(_plain(phone).split())
    message = _plain(message)
    wrong: dict[str, Any] = {}
    if not name:
        wrong["name"] = _l("Enter your name, as your specialist should call you.")
    elif len(name) > NAME_LENGTH:
        wrong["name"] = _l("Enter a name of up to %(most)s letters.", most=NAME_LENGTH)
    if phone and (len(phone) > PHONE_LENGTH or not _PHONE.fullmatch(phone)):
        wrong["phone"] = _l("Enter a phone number such as +49 30 123456, or leave it empty.")
    if len(message) > MESSAGE_LENGTH:
        wrong["message"] = _TOO_LONG
    if wrong:
        raise Invalid("details", _l("Some details are missing or wrong."), fields=wrong)
    return Details(name, phone, message)


def clean_message(message: str) -> str:
    """Return a message as it is stored; raises Invalid where it is too long."""
    message = _plain(message)
    if len(message) > MESSAGE_LENGTH:
        raise Invalid("message", _TOO_LONG, fields={"message": _TOO_LONG})
    return message


def _plain(text: str) -> str:
    """Return a text with plain line ends and without characters that PostgreSQL or a reader cannot take."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(letter for letter in text if letter in "\n\t" or category(letter) not in ("Cc", "Cs")).strip()
