"""The sample network's ground: places, words, people, portals, hours. Whatever is there already is left alone."""

from __future__ import annotations

import unicodedata
import uuid
from dataclasses import dataclass, field

from sqlalchemy import Engine, select

from polyclinic.audit.services import record
from polyclinic.calendar.availability import create_rule
from polyclinic.calendar.models import AvailabilityRule
from polyclinic.calendar.rules import WeeklyRule
from polyclinic.catalogue import file_sections
from polyclinic.directory.profiles import save_profile, set_portrait
from polyclinic.directory.services import approve_specialist, move_specialist
from polyclinic.directory.words import save_team, save_word
from polyclinic.identity.accounts import add_patient, create_operator, create_specialist
from polyclinic.identity.models import Operator, Patient, Specialist
from polyclinic.identity.passwords import current_passwords
from polyclinic.identity.people import actor_of
from polyclinic.identity.registration import questions_of
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.resources import shipped
from polyclinic.sample import material
from polyclinic.sample.material import SampleOperator, SampleSpecialist
from polyclinic.tenancy.files import apply_portal
from polyclinic.tenancy.models import Portal
from polyclinic.tenancy.places import PlaceName, PortalView, portal_view
from polyclinic.tenancy.policy import LOCALES, TIME_ZONE
from polyclinic.tenancy.services import set_place_host
from polyclinic.web.files import files

NETWORK = Scope("network")
PLACES: tuple[PlaceName, ...] = ("specialists", "admin", "hooks", "dev")


@dataclass
class Network:
    """What was made: everybody as the actor they are."""

    operators: list[Actor] = field(default_factory=list)
    specialists: dict[str, Actor] = field(default_factory=dict)
    """By e-mail address."""
    portals: dict[str, PortalView] = field(default_factory=dict)
    patients: dict[str, dict[str, Actor]] = field(default_factory=dict)
    """By the portal's slug and their name; they arrive over time."""

    @property
    def owner(self) -> Actor:
        """The operator who runs the network."""
        return self.operators[0]


class Builder:
    """Makes the network through services; needs an app context."""

    def __init__(self, engine: Engine) -> None:
        """Open sessions on `engine`, each in the scope of who acts."""
        self._engine = engine
        self._password = current_passwords().hash(material.PASSWORD)
        self.network = Network()

    def is_there(self) -> bool:
        """Whether the sample's portals were made before."""
        with open_session(self._engine, NETWORK) as session:
            return session.scalar(select(Portal.id).where(Portal.slug == material.PORTALS[-1])) is not None

    def build(self) -> Network:
        """Make what is missing, in the order in which one thing needs another."""
        with open_session(self._engine, NETWORK) as session:
            for place in PLACES:
                set_place_host(session, place, f"{place}.localhost")
        for operator in material.OPERATORS[:1]:
            self.network.operators.append(self._operator(operator))
        self._words()
        for specialist in material.specialists():
            self.network.specialists[specialist.email] = self.specialist(specialist)
        for slug in material.PORTALS:
            self.network.portals[slug] = self._portal(slug)
        for operator in material.OPERATORS[1:]:
            self.network.operators.append(self._operator(operator))
        return self.network

    def _operator(self, wanted: SampleOperator) -> Actor:
        with open_session(self._engine, NETWORK) as session:
            person = session.scalars(select(Operator).where(Operator.email == wanted.email)).one_or_none()
            if person is not None:
                return actor_of(person)
            session.rollback()
            portals = None if wanted.portals is None else [self.network.portals[slug].id for slug in wanted.portals]
            return create_operator(
                session,
                email=wanted.email,
                name=wanted.name,
                locale="en",
                zone=wanted.zone,
                role=wanted.role,
                portals=portals,
                password_hash=self._password,
            )

    def _words(self) -> None:
        with open_session(self._engine, NETWORK) as session:
            for kind, words in material.vocabulary().items():
                for slug, name in words.items():
                    save_word(session, self.network.owner, kind, slug, name)  # type: ignore[arg-type]  # one of three
            for team in material.teams():
                save_team(session, self.network.owner, team["slug"], team["name"])

    def specialist(self, wanted: SampleSpecialist) -> Actor:
        with open_session(self._engine, NETWORK) as session:
            person = session.scalars(select(Specialist).where(Specialist.email == wanted.email)).one_or_none()
            session.rollback()
            actor = actor_of(person) if person else self._new_specialist(wanted)
            if person is None or person.state == "draft":
                assert actor.id is not None  # noqa: S101 # people who were made have an id
                save_profile(session, self.network.owner, actor.id, wanted.profile)
                set_portrait(session, self.network.owner, files(), actor.id, wanted.portrait.read_bytes())
                move_specialist(session, self.network.owner, actor.id, "submitted")
                approve_specialist(session, self.network.owner, actor.id)
        self._hours(actor, wanted)
        return actor

    def _new_specialist(self, wanted: SampleSpecialist) -> Actor:
        with open_session(self._engine, NETWORK) as session:
            return create_specialist(
                session,
                email=wanted.email,
                name=wanted.name,
                locale=wanted.locale,
                zone=wanted.zone,
                phone=wanted.phone,
                password_hash=self._password,
                by=self.network.owner,
            )

    def _hours(self, actor: Actor, wanted: SampleSpecialist) -> None:
        with open_session(self._engine, actor.scope()) as session:
            if session.scalars(select(AvailabilityRule.id).limit(1)).one_or_none() is not None:
                return
            for weekday, starts, ends in wanted.hours:
                create_rule(session, actor, WeeklyRule(weekday, starts, ends, wanted.zone))

    def _portal(self, slug: str) -> PortalView:
        with open_session(self._engine, NETWORK) as session:
            if session.scalars(select(Portal.id).where(Portal.slug == slug)).one_or_none() is None:
                apply_portal(
                    session, self.network.owner, shipped("tenants") / slug, file_sections(), record, shown_as=slug
                )
            portal = session.scalars(select(Portal).where(Portal.slug == slug)).one()
            return portal_view(session, portal)

    def patient(self, portal: PortalView, name: str) -> Actor:
        """Make a patient who registers now, or find them."""
        actor = self._patient(portal, name, address_of(name))
        self.network.patients.setdefault(portal.slug, {})[name] = actor
        return actor

    def _patient(self, portal: PortalView, name: str, email: str) -> Actor:
        with open_session(self._engine, Scope("door", portal=portal.id)) as session:
            found = session.scalars(
                select(Patient).where(Patient.portal_id == portal.id, Patient.email == email)
            ).one_or_none()
            if found is not None:
                return actor_of(found)
            locale = portal.settings.get(LOCALES)[0]
            answers = {each.name: True for each in questions_of(session, portal.id, locale)}
            zone = portal.settings.get(TIME_ZONE)
            session.rollback()
            return add_patient(session, portal.id, email, name, locale, zone, None, self._password, answers)


def address_of(name: str) -> str:
    """Return the made-up address of somebody: "jakub.zielinski@mail.example"."""
    plain = unicodedata.normalize("NFKD", name.lower().replace("ł", "l").replace("ı", "i").replace("ß", "ss"))
    letters = "".join(letter for letter in plain if letter.isascii())
    return f"{letters.replace(' ', '.')}@mail.example"


def id_of(actor: Actor) -> uuid.UUID:
    """Return the id of somebody who exists."""
    if actor.id is None:
        raise TypeError("nobody in particular has no id")
    return actor.id
