"""When and how a visit can be booked and given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l

from polyclinic.calendar.policy import HORIZON, MINIMUM_NOTICE, SLOT_STEP
from polyclinic.tenancy.kinds import Duration, Integer, Percent
from polyclinic.tenancy.settings import Check, Setting, Settings

BOOKING_HOLD = Setting(
    "booking.hold",
    Duration(timedelta(minutes=2), timedelta(minutes=30)),
    _l("Hold"),
    _l("How long a chosen time is kept while somebody fills in the details."),
    default=timedelta(minutes=10),
)
HOLDS_PER_ADDRESS = Setting(
    "booking.holds_per_address",
    Integer(1, 50),
    _l("Guests' holds per address"),
    _l("How many times guests from one network address may keep at once."),
    default=3,
    stricter="lower",
)
FREE_CANCELLATION = Setting(
    "booking.free_cancellation",
    Duration(timedelta(minutes=0), timedelta(days=14)),
    _l("Free cancellation"),
    _l("Until how long before its start a visit can be cancelled without a fee."),
    default=timedelta(hours=24),
)
LATE_FEE = Setting(
    "booking.late_fee",
    Percent(),
    _l("Late fee"),
    _l("The share of the price that is owed when a visit is cancelled later than that."),
    default=Decimal(100),
)

SETTINGS: tuple[Setting[Any], ...] = (
    BOOKING_HOLD,
    HOLDS_PER_ADDRESS,
    FREE_CANCELLATION,
    LATE_FEE,
)


CHECKS: tuple[Check, ...] = ()


@dataclass(frozen=True)
class BookingPolicy:
    """The booking group of a portal, typed."""

    minimum_notice: timedelta
    horizon: timedelta
    slot_step: timedelta
    hold: timedelta
    holds_per_address: int
    free_cancellation: timedelta
    late_fee: Decimal


def booking_policy_of(settings: Settings) -> BookingPolicy:
    """Read the booking group."""
    return BookingPolicy(
        minimum_notice=settings.get(MINIMUM_NOTICE),
        horizon=settings.get(HORIZON),
        slot_step=settings.get(SLOT_STEP),
        hold=settings.get(BOOKING_HOLD),
        holds_per_address=settings.get(HOLDS_PER_ADDRESS),
        free_cancellation=settings.get(FREE_CANCELLATION),
        late_fee=settings.get(LATE_FEE),
    )
