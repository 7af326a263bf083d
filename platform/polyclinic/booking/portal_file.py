"""What a portal's history forbids its file to change (Y1)."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from polyclinic.booking.models import Appointment
from polyclinic.tenancy.models import Portal
from polyclinic.tenancy.policy import CURRENCY
from polyclinic.tenancy.settings import Problem, Settings


def currency_is_locked(session: Session, portal: Portal, before: Settings, after: Settings) -> Iterator[Problem]:
    """Refuse another currency once something was owed in this one: there is no conversion (E2)."""
    old, new = before.find(CURRENCY), after.find(CURRENCY)
    if old is None or old == new:
        return
    owed = exists().where(Appointment.portal_id == portal.id, Appointment.price_minor > 0)
    if session.scalar(select(owed)):
        yield Problem(
            CURRENCY.path, _("the currency cannot be changed: visits were already booked in %(old)s", old=old), old
        )
