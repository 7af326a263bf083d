"""Which times of a specialist a portal offers: the part of its booking rules that slots are computed with (C2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from polyclinic.tenancy.kinds import Duration
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
SETTINGS: tuple[Setting[Any], ...] = (MINIMUM_NOTICE, HORIZON, SLOT_STEP)


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
