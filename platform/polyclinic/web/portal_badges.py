"""The badge of a portal in the Specialist Portal and the console: its name and its own hue (I3)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import cast

from flask import current_app

from polyclinic.tenancy.places import PortalView
from polyclinic.web.components import hue_for_colour
from polyclinic.web.places import PlaceFlask
from polyclinic.web.theming import look_of_portal


@dataclass(frozen=True, slots=True)
class PortalBadge:
    """What stands for a portal beside a row."""

    id: uuid.UUID
    slug: str
    name: str
    hue: int
    """0 to 23: `.hue-<n>`, nearest to the portal's accent."""


def badge_of(portal: PortalView) -> PortalBadge:
    """Return the badge of a portal."""
    return PortalBadge(
        portal.id, portal.slug, portal.name, hue_for_colour(look_of_portal(portal).tokens.light["accent"].hex)
    )


def portal_badge(portal_id: uuid.UUID) -> PortalBadge:
    """Return the badge of a portal by its id; a portal that this process has not heard of yet has none but its id."""
    portal = cast(PlaceFlask, current_app).places.portal(portal_id)
    return badge_of(portal) if portal else PortalBadge(portal_id, "", "", 0)
