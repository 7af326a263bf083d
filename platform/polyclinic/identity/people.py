"""The three kinds of people behind one set of questions: who signs in where, under which address, in which state."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from polyclinic.identity.models import Credential, Operator, Patient, Specialist
from polyclinic.identity.policy import IDLE, LIFETIME
from polyclinic.kernel.actor import Actor, Kind
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.scope import Scope
from polyclinic.tenancy.places import Place, PlaceName
from polyclinic.web.auth import PERSON_OF

Person = Patient | Specialist | Operator
#: Typed as Any: a query over one of three tables has no narrower type.
MODELS: dict[Kind, Any] = {"patient": Patient, "specialist": Specialist, "operator": Operator}
PLACE_OF: dict[Kind, PlaceName] = {"patient": "portal", "specialist": "specialists", "operator": "admin"}
#: However often they are used, sign-ins of the network's places end after this.
STAFF_LIFETIME: dict[Kind, dt.timedelta] = {
    "specialist": dt.timedelta(days=7),
    "operator": dt.timedelta(hours=24),
}


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where a kind of people comes in: patients at their portal, the others at the one place that is theirs (P3)."""

    kind: Kind
    portal_id: uuid.UUID | None
    idle: dt.timedelta
    lifetime: dt.timedelta

    @property
    def scope(self) -> Scope:
        """The scope in which people are found before anybody is known."""
        return Scope("door", portal=self.portal_id)

    @property
    def place(self) -> PlaceName:
        """The place these people use."""
        return PLACE_OF[self.kind]

    @property
    def key(self) -> str:
        """What keeps its limits and cookies apart from those of other entrances."""
        return str(self.portal_id or self.kind)

    def owns(self, model: Any) -> ColumnElement[bool]:
        """Restrict credentials, sign-ins, codes or tokens to the people of this entrance (P2)."""
        same: ColumnElement[bool] = model.portal_id.is_not_distinct_from(self.portal_id)
        return and_(model.subject_kind == self.kind, same)


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of the browser or program on the other side."""

    ip: str | None = None
    agent: str | None = None

    def visitor(self, entrance: Entrance) -> Actor:
        """The actor of what happens before anybody is known."""
        return Actor("visitor", portal_id=entrance.portal_id, ip=self.ip)


def entrance_of(place: Place) -> Entrance:
    """Return the entrance of a place; raises NotFound where nobody signs in."""
    kind = PERSON_OF.get(place.name)
    if kind is None:
        raise NotFound
    if place.portal is not None:
        return Entrance(kind, place.portal.id, place.portal.settings.get(IDLE), place.portal.settings.get(LIFETIME))
    settings = current_app.config["POLYCLINIC"]
    minutes = settings.specialist_idle_minutes if kind == "specialist" else settings.operator_idle_minutes
    return Entrance(kind, None, dt.timedelta(minutes=minutes), STAFF_LIFETIME[kind])


def find_by_email(session: Session, entrance: Entrance, email: str) -> tuple[Person | None, str | None]:
    """Return the person with an address at this entrance and the hash of their password, each or both None."""
    model = MODELS[entrance.kind]
    mine = and_(entrance.owns(Credential), Credential.subject_id == model.id)
    query = select(model, Credential.password_hash).outerjoin(Credential, mine).where(model.email == email)
    if entrance.portal_id is not None:
        query = query.where(Patient.portal_id == entrance.portal_id)
    found = session.execute(query).one_or_none()
    return (None, None) if found is None else (found[0], found[1])


def kind_of(person: Person) -> Kind:
    """Return what kind of person a row is."""
    return next(kind for kind, model in MODELS.items() if isinstance(person, model))


def actor_of(
    person: Person,
    *,
    sign_in_id: uuid.UUID | None = None,
    scopes: frozenset[str] | None = None,
    ip: str | None = None,
) -> Actor:
    """Return a person as an actor: who they are, and for operators which portals they see."""
    operator = person if isinstance(person, Operator) else None
    portals = None if operator is None or operator.portals is None else frozenset(operator.portals)
    return Actor(
        kind_of(person),
        person.id,
        person.portal_id if isinstance(person, Patient) else None,
        name=person.name,
        email=person.email,
        locale=person.locale,
        zone=person.zone,
        sign_in_id=sign_in_id,
        ip=ip,
        scopes=scopes,
        portals=portals,
        roles=frozenset() if operator is None else frozenset({operator.role}),
    )
