"""`/me` of each place (W1)."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.identity import services
from polyclinic.identity.browser import this_entrance
from polyclinic.identity.models import Operator
from polyclinic.identity.people import Person
from polyclinic.identity.schemas import MeChangeSchema, MeSchema
from polyclinic.identity.tokens import add_scopes
from polyclinic.kernel.actor import Actor
from polyclinic.tenancy.places import PlaceName
from polyclinic.web.api import api_blueprint, idempotent
from polyclinic.web.auth import current_session, require_kind, require_scope
from polyclinic.web.i18n import offered_codes

READ, WRITE = "profile:read", "profile:write"
PLACES: tuple[PlaceName, ...] = ("portal", "specialists", "admin")


def _profile(actor: Actor, person: Person) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": person.id,
        "kind": actor.kind,
        "email": person.email,
        "name": person.name,
        "locale": person.locale,
        "zone": person.zone,
        "state": person.state,
    }
    if isinstance(person, Operator):
        return told | {"role": person.role, "portals": person.portals}
    return told | {"phone": person.phone}


def init_app(app: Flask) -> None:
    """Add the resources to each place's API."""
    for place in PLACES:
        add_scopes(app, place, {READ: _l("read your profile"), WRITE: _l("change your profile")})
        app.extensions["polyclinic.apis"][place].register_blueprint(_resources(place))


def _resources(place: PlaceName) -> Any:
    blueprint = api_blueprint(f"{place}_identity_api", place, "Yourself")

    @blueprint.route("/me", methods=["GET"])
    @blueprint.response(200, MeSchema)
    def read_me() -> dict[str, Any]:
        """Return yourself."""
        actor = _asking(READ)
        return _profile(actor, services.read_profile(current_session(), actor))

    @blueprint.route("/me", methods=["PATCH"])
    @idempotent
    @blueprint.arguments(MeChangeSchema)
    @blueprint.response(200, MeSchema)
    def change_me(changes: dict[str, str | None]) -> dict[str, Any]:
        """Change your name, telephone, language or time zone."""
        actor = _asking(WRITE)
        return _profile(actor, services.update_profile(current_session(), actor, changes, offered_codes()))

    return blueprint


def _asking(scope: str) -> Actor:
    actor = require_kind(this_entrance().kind)
    require_scope(actor, scope)
    return actor
