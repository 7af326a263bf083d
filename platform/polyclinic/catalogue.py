"""What the features contribute to a portal, collected: settings with their checks.

The one place below the composition root that knows every feature's policy; console, files, API and documentation
read settings through it.
"""

from __future__ import annotations

from functools import cache

from polyclinic.allocation import policy as allocation
from polyclinic.booking import policy as booking
from polyclinic.calendar import policy as calendar
from polyclinic.directory import policy as directory
from polyclinic.identity import policy as identity
from polyclinic.payments import policy as payments
from polyclinic.tenancy import policy as tenancy
from polyclinic.tenancy.settings import Catalogue

POLICIES = (tenancy, identity, allocation, directory, payments, calendar, booking)


@cache
def settings_catalogue() -> Catalogue:
    """Return every setting of the product."""
    return Catalogue(
        [setting for policy in POLICIES for setting in policy.SETTINGS],
        [check for policy in POLICIES for check in policy.CHECKS],
    )
