"""What follows a change elsewhere: published copies take over a specialist's new name and time zone (S3)."""

from __future__ import annotations

import uuid

from flask import Flask
from sqlalchemy.orm import Session

from polyclinic.directory.profiles import get_profile
from polyclinic.directory.publishing import refresh_live_fields
from polyclinic.kernel.scope import Scope
from polyclinic.kernel.transactions import transactional
from polyclinic.web import jobs
from polyclinic.web.db import engine, open_session


def init_app(app: Flask) -> None:
    """Listen to identity."""
    jobs.on(app, "specialist.updated", on_specialist_updated)


def on_specialist_updated(message: jobs.Message) -> None:
    """Bring the copies on all portals up to date, in the specialist's own scope."""
    specialist_id = uuid.UUID(message.payload["specialist_id"])
    with open_session(engine(), Scope("specialist", specialist=specialist_id)) as session:
        take_over(session, specialist_id)


@transactional
def take_over(session: Session, specialist_id: uuid.UUID) -> list[uuid.UUID]:
    """Write name, zone and live fields into every published copy; return the portals."""
    if get_profile(session, specialist_id) is None:
        return []
    return refresh_live_fields(session, specialist_id)
