"""Time zones come from the pinned ``tzdata`` package, never from the machine.

The data of systems, of PostgreSQL and of the package differ from each other at any time (Vancouver from 2026-11 is one
example), and a promise made to a patient must not depend on which of them was asked. So the search path of ``zoneinfo``
is emptied here, once, and everybody who needs a zone asks this module.
"""

from __future__ import annotations

import functools
import zoneinfo
from zoneinfo import ZoneInfo

from polyclinic.kernel.errors import Invalid

zoneinfo.reset_tzpath(to=())
ZoneInfo.clear_cache()


class UnknownZone(Invalid):
    """The name is not one of the IANA time zones."""

    def __init__(self, name: object) -> None:
        """Say which name was given and what a right one looks like."""
        super().__init__("unknown-zone", f"“{name}” is not a time zone. Expected a name such as Europe/Berlin.")
        self.name = name


@functools.cache
def zone_names() -> frozenset[str]:
    """Return the names of all IANA zones of the pinned data."""
    return frozenset(zoneinfo.available_timezones())


def is_zone(name: object) -> bool:
    """Tell whether ``name`` is an IANA zone, spelled exactly."""
    return isinstance(name, str) and name in zone_names()


def zone(name: str) -> ZoneInfo:
    """Return the zone called ``name``; raises UnknownZone where there is none."""
    if not is_zone(name):
        raise UnknownZone(name)
    return ZoneInfo(name)
