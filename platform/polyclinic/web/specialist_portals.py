"""The portals that a specialist works for, as the Specialist Portal's filters and badges need them."""

from __future__ import annotations

from typing import cast

from flask import current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from polyclinic.kernel.actor import Actor
from polyclinic.tenancy.places import PortalView
from polyclinic.web.places import PlaceFlask

_MINE = text("SELECT portal_id FROM listing WHERE specialist_id = :specialist AND state <> 'ended'")


def my_portals(session: Session, actor: Actor) -> list[PortalView]:
    """Return the portals that list the specialist, by name, whatever state the listing is in."""
    mine = set(session.execute(_MINE, {"specialist": actor.id}).scalars())
    return [portal for portal in cast(PlaceFlask, current_app).places.portals() if portal.id in mine]
