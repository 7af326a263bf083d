"""When and how a visit can be booked and given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from polyclinic.tenancy.kinds import Duration, Integer, Percent
from polyclinic.tenancy.settings import Problem, Setting, Settings

MINIMUM_NOTICE = Setting(
    "booking.minimum_notice",
    Duration(timedelta(minutes=0), timedelta(days=30)),
    _l("Minimum notice"),
    _l("How long before its start a time stops being offered for direct booking."),
    default=timedelta(hours=12),
    stricter="higher",
)
HORIZON = Setting(
    "booking.horizon",
    Duration(timedelta(days=1), timedelta(days=365)),
    _l("Horizon"),
    _l("How far ahead times are offered."),
    default=timedelta(days=60),
    stricter="lower",
)
SLOT_STEP = Setting(
    "booking.slot_step",
    Duration(timedelta(minutes=5), timedelta(hours=4), divides_a_day=True),
    _l("Slot step"),
    _l("Times begin at multiples of this, counted from midnight in the specialist's zone."),
    default=timedelta(minutes=30),
)
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
    MINIMUM_NOTICE,
    HORIZON,
    SLOT_STEP,
    BOOKING_HOLD,
    HOLDS_PER_ADDRESS,
    FREE_CANCELLATION,
    LATE_FEE,
)


def check_window(settings: Settings) -> Iterator[Problem]:
    """Between notice and horizon there must be something left to book."""
    notice, horizon = settings.get(MINIMUM_NOTICE), settings.get(HORIZON)
    if notice >= horizon:
        yield Problem(
            MINIMUM_NOTICE.path,
            _("the minimum notice is not shorter than the horizon, so nothing could be booked"),
            _("less than %(days)s days", days=horizon.days),
        )


CHECKS = (check_window,)


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
