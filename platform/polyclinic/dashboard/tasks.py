"""Jobs that tell a specialist's open pages that something changed; what it is, the pages ask for (D1)."""

from __future__ import annotations

import uuid
from typing import cast

from flask import Flask, current_app
from sqlalchemy import select

from polyclinic.booking.models import Appointment
from polyclinic.config import Settings
from polyclinic.payments.accounts import CHANGED
from polyclinic.web import jobs
from polyclinic.web.db import db, open_session
from polyclinic.web.sockets import tell

KINDS = ("appointment.confirmed", "appointment.cancelled", "appointment.completed")


def init_app(app: Flask) -> None:
    """Listen to what happens to appointments and accounts."""
    for kind in KINDS:
        jobs.on(app, kind, tell_specialist)
    jobs.on(app, CHANGED, tell_of_account)


def tell_of_account(message: jobs.Message) -> None:
    """Tell a specialist that an account of theirs is ready, or no longer; telling twice does no harm."""
    settings = cast(Settings, current_app.config["POLYCLINIC"])
    tell(settings.redis_url, "specialist", uuid.UUID(message.payload["specialist_id"]), "counts")


def tell_specialist(message: jobs.Message) -> None:
    """Tell the specialist of an appointment; telling twice does no harm."""
    settings = cast(Settings, current_app.config["POLYCLINIC"])
    with open_session(db.engine, message.scope) as session:
        query = select(Appointment.specialist_id).where(Appointment.id == uuid.UUID(message.payload["appointment_id"]))
        specialist = session.scalar(query)
    if specialist is not None:
        tell(settings.redis_url, "specialist", specialist, "appointment")
