"""Whom messages are about, as somebody to write to, and the portal they belong to."""

from __future__ import annotations

from typing import cast

from flask import current_app

from polyclinic.identity.models import Operator, Patient, Specialist
from polyclinic.kernel.errors import Defect
from polyclinic.notifications.compose import Recipient
from polyclinic.tenancy.places import PortalView
from polyclinic.web.jobs import Message
from polyclinic.web.places import PlaceFlask


def patient_recipient(patient: Patient) -> Recipient:
    """A patient as somebody to write to."""
    return Recipient("patient", str(patient.id), patient.name, patient.email, patient.locale, patient.zone)


def specialist_recipient(specialist: Specialist) -> Recipient:
    """A specialist as somebody to write to."""
    return Recipient(
        "specialist", str(specialist.id), specialist.name, specialist.email, specialist.locale, specialist.zone
    )


def operator_recipient(operator: Operator) -> Recipient:
    """An operator as somebody to write to."""
    return Recipient("operator", str(operator.id), operator.name, operator.email, operator.locale, operator.zone)


def portal_of(message: Message) -> PortalView:
    """Return the portal a message belongs to; raises Defect where it belongs to none."""
    app = cast(PlaceFlask, current_app)
    portal = app.places.portal(message.portal_id) if message.portal_id else None
    if portal is None:
        raise Defect(f"{message.cause} belongs to no portal")
    return portal
