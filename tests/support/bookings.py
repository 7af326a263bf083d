"""Booking on the real database as people do it: holds, details, confirmation."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from polyclinic.booking.holds import hold_slot
from polyclinic.booking.models import Appointment, Hold
from polyclinic.booking.rules import Details
from polyclinic.booking.services import confirm_booking
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import open_session
from polyclinic.tenancy.places import PortalView
from polyclinic.web.places import PlaceFlask
from support.cast import Cast, PortalCast

#: Tuesday, ten o'clock in Berlin, seen from Monday morning (support.calendars.START).
TEN = dt.datetime(2027, 3, 2, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def set_setting(owner: Engine, portal: PortalCast, key: str, value: Any) -> None:
    """Change a portal's setting, for processes that will read it."""
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO portal_setting (portal_id, key, value) VALUES (:portal, :key, cast(:value AS jsonb))"
                " ON CONFLICT (portal_id, key) DO UPDATE SET value = excluded.value"
            ),
            {"portal": portal.id, "key": key, "value": json.dumps(value)},
        )


@dataclass
class Desk:
    """Books for the cast and looks at the rows from outside every policy."""

    app: PlaceFlask
    cast: Cast
    engine: Engine
    owner: Engine
    details: Details = field(default_factory=lambda: Details("Pat Alpha", "+49 30 123456", "My knee hurts."))

    def portal(self, portal: PortalCast | uuid.UUID | None) -> PortalView:
        """A portal as the application knows it."""
        found = self.app.places.portal(portal.id if isinstance(portal, PortalCast) else portal)  # type: ignore[arg-type]  # None is found nowhere
        assert found
        return found

    def guest(self, portal: PortalCast, name: str = "guest", address: str | None = None) -> Actor:
        """A visitor with a guest cookie."""
        return Actor("visitor", portal_id=portal.id, guest=name, address=address or f"address of {name}")

    def hold(self, actor: Actor, specialist: Actor, starts_at: dt.datetime = TEN) -> Hold:
        """Keep a time with a specialist on the actor's portal."""
        portal = next(one for one in self.cast.portals if one.id == actor.portal_id)
        listing = self.cast.listing(portal, specialist)
        with self.app.app_context(), open_session(self.engine, actor.scope()) as session:
            return hold_slot(session, actor, self.portal(portal), listing, portal.service, starts_at, "Europe/London")

    def confirm(self, actor: Actor, hold_id: uuid.UUID, details: Details | None = None) -> Appointment:
        """Confirm a hold with all agreements."""
        portal = next(one for one in self.cast.portals if one.id == actor.portal_id)
        with self.app.app_context(), open_session(self.engine, actor.scope()) as session:
            return confirm_booking(
                session, actor, self.portal(portal), hold_id, details or self.details, [portal.version]
            )

    def book(self, actor: Actor, specialist: Actor, starts_at: dt.datetime = TEN) -> Appointment:
        """Hold and confirm."""
        return self.confirm(actor, self.hold(actor, specialist, starts_at).id)

    def setting(self, portal: PortalCast, key: str, value: Any) -> None:
        """Change a portal's setting."""
        set_setting(self.owner, portal, key, value)
        self.app.places.forget()

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Ask the database from outside every policy."""
        with self.owner.connect() as connection:
            return list(connection.execute(text(query), values).all())

    def write(self, statement: str, **values: Any) -> None:
        """Change rows from outside every policy, to set a scene."""
        with self.owner.begin() as connection:
            connection.execute(text(statement), values)


def in_browser(patient: Actor, guest: str) -> Actor:
    """The patient, signed in in a browser that has a guest cookie."""
    return replace(patient, guest=guest)


@pytest.fixture
def desk(scene: Cast, app: PlaceFlask, engine: Engine, owner: Engine) -> Desk:
    """Somebody who books for the cast."""
    return Desk(app, scene, engine, owner)
