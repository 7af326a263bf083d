"""The network that is looked at: the sample network at a fixed hour, with people who have nothing, little, much."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Engine, create_engine, text

from polyclinic.app import create_app
from polyclinic.booking.holds import hold_slot, save_details
from polyclinic.booking.offers import get_offering
from polyclinic.booking.rules import Details
from polyclinic.booking.services import cancel_appointment, confirm_booking
from polyclinic.calendar.services import offer_slots
from polyclinic.config import Settings
from polyclinic.consents.services import required_agreements
from polyclinic.directory.services import list_specialist
from polyclinic.identity.accounts import create_operator
from polyclinic.identity.people import MODELS, Client, entrance_of
from polyclinic.identity.signins import open_sign_in
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import Scope, bind_roles, open_session
from polyclinic.notifications.sink import Sink, folder_of
from polyclinic.runtime.ports import free_port
from polyclinic.runtime.throwaway import throwaway_servers
from polyclinic.sample import material
from polyclinic.sample.making import make_sample_network
from polyclinic.sample.network import Builder
from polyclinic.tenancy.places import PortalView
from polyclinic.web.db import db, engine_options
from polyclinic.web.places import PlaceFlask
from support.live import Live, serving
from support.schema import migrate

#: A Tuesday morning: what the pages take for now, so that pictures of two days are alike.
PRESENT = dt.datetime(2026, 11, 24, 9, 40, tzinfo=dt.UTC)
WEEKS = 9
DAY = dt.timedelta(days=1)
PREFIX = "polyclinic"
NETWORK = Scope("network")
#: Long on purpose: names have to fit too.
NEWCOMER, BOOKER = "Maximiliane von Hohenstein-Wartenburg", "Konstantin Freudenberger-Öztürk"


@dataclass(frozen=True)
class Person:
    """Somebody who visits: how much they have ("many", "one", "none", "booking"), and who they are."""

    state: str
    actor: Actor


@dataclass
class LookedAt:
    """The running network, its people by place, and the database from outside every policy."""

    app: PlaceFlask
    live: Live
    engine: Engine
    owner: Engine
    superuser: Engine
    portals: dict[str, PortalView]
    people: dict[str, list[Person]] = field(default_factory=dict)
    """By slug of the portal, "specialists" or "admin"; who has most comes first."""

    def host(self, look: str) -> str:
        """Where a portal or place lives."""
        return f"{look}.localhost"

    def freeze(self) -> None:
        """Let it be the fixed hour again."""
        self.write('UPDATE app_clock SET "offset" = CAST(:present AS timestamptz) - statement_timestamp()', {})

    def write(self, statement: str, values: dict[str, Any]) -> None:
        """Change rows from outside every policy."""
        with self.superuser.begin() as connection:
            connection.execute(text(statement), {"present": PRESENT, **values})

    def find(self, query: str, **values: Any) -> str | None:
        """The first value a query finds, as text."""
        return next(iter(self.find_all(query, **values)), None)

    def find_all(self, query: str, **values: Any) -> list[str]:
        """The first value of each row a query finds, as text."""
        names = {name: value for name, value in values.items() if f":{name}" in query}
        with self.superuser.connect() as connection:
            return [str(found) for found in connection.execute(text(query), names).scalars() if found is not None]

    def cookie(self, actor: Actor) -> str:
        """Open a sign-in for a person; returns the value of their cookie."""
        portal = self.app.places.portal(actor.portal_id) if actor.portal_id else None
        host = portal.host if portal else self.host("specialists" if actor.kind == "specialist" else "admin")
        place = self.app.places.find(host)
        assert place is not None, host
        with self.app.app_context():
            entrance = entrance_of(place)
            with open_session(self.engine, entrance.scope) as session:
                person = session.get_one(MODELS[actor.kind], actor.id)
                return open_sign_in(session, entrance, person, Client("127.0.0.1", "looks"), how="test").token


@contextmanager
def looked_at(say: Callable[[str], object]) -> Iterator[LookedAt]:
    """Start servers, make the sample network, add the people of the extremes, serve it; all of it goes at the end."""
    with throwaway_servers() as servers, Sink(folder_of(servers.home / "looks"), port=free_port()) as sink:
        postgres = servers.postgres
        installation = postgres.prepare("looks", PREFIX)
        migrate(postgres.url("looks", installation.owner.name))
        settings = Settings(
            mode="demo",
            home=servers.home / "looks",
            database_url=postgres.url("looks", installation.login.name),
            owner_database_url=postgres.url("looks", installation.owner.name),
            redis_url=servers.valkey.url,
            secret_key="for looking at: not a secret, but long enough",
            async_mode="threading",
            smtp_url=sink.url,
        )
        app = create_app(settings)
        say(make_sample_network(app, settings, WEEKS, say, PRESENT))
        superuser = create_engine(postgres.url("looks"))
        engine = bind_roles(create_engine(settings.database_url, **engine_options(settings)), PREFIX)
        with serving(settings) as live:
            served = create_app(replace(live.settings, async_mode="threading"))
            network = LookedAt(served, live, engine, create_engine(postgres.url("looks")), superuser, {})
            network.freeze()
            add_people(network)
            yield network
            for one in (superuser, engine, network.owner):
                one.dispose()
            for one_app in (app, served):
                with one_app.app_context():
                    db.engine.dispose()


def add_people(network: LookedAt) -> None:
    """Find who has much, and make who has nothing, one thing, or is in the middle of a booking."""
    with network.app.app_context():
        builder = Builder(network.engine)
        made = builder.build()
        network.portals = dict(made.portals)
        for slug, portal in made.portals.items():
            network.live.person(network.host(slug)).get("/specialists")  # from now on next free times are stored
            network.people[slug] = _patients(network, builder, portal)
            _call_off(network, builder, portal)
            network.write(_WRITE_TO_DESK, {"portal": portal.id})
        network.write(_ENQUIRE, {})
        network.people["specialists"] = _specialists(network, builder)
        network.people["admin"] = _operators(network, builder)
    network.app.places.forget()


_BY_VISITS = "SELECT {of} FROM appointment WHERE {where} GROUP BY {of} ORDER BY count(*) {order}, {of} LIMIT 1"
_NEXT_FREE = (
    "SELECT listing_id || ' ' || service_id FROM published_profile JOIN next_free USING (portal_id, specialist_id)"
    " WHERE portal_id = :portal AND next_free_at IS NOT NULL ORDER BY next_free_at, listing_id LIMIT 1"
)
_PRICED = "SELECT id FROM service WHERE portal_id = :portal AND price_minor > 0 ORDER BY slug LIMIT 1"
_WRITE_TO_DESK = (
    "INSERT INTO contact_message (id, portal_id, name, email, topic, body, locale) VALUES (gen_random_uuid(), :portal,"
    " 'Annegret Schwarzenberger', 'annegret@example.org', 'booking', 'I cannot find a time on a Saturday.', 'de')"
)
_ENQUIRE = (
    "INSERT INTO enquiry (id, kind, name, email, practice, field, languages, portals, body, locale) VALUES"
    " (gen_random_uuid(), 'team', 'Ottilie Brandstätter', 'ottilie@example.org', 'Praxisgemeinschaft am Stadtgraben',"
    " 'physiotherapy', '[\"de\", \"en\"]', '[]', 'We are five and would like to begin in spring.', 'de')"
)
_OFFER = "INSERT INTO listing_service (portal_id, specialist_id, service_id) VALUES (:portal, :specialist, :service)"


def _patients(network: LookedAt, builder: Builder, portal: PortalView) -> list[Person]:
    names = material.patient_names(portal.slug)
    known = {actor.id: actor for actor in (builder.patient(portal, name) for name in names)}
    found = {}
    for state, order in (("many", "DESC"), ("one", "ASC")):
        query = _BY_VISITS.format(of="patient_id", where="portal_id = :portal", order=order)
        found[state] = known[uuid.UUID(network.find(query, portal=portal.id))]
    booker = builder.patient(portal, BOOKER)
    _hold(network, portal, booker, str(network.find(_NEXT_FREE, portal=portal.id)))
    found |= {"none": builder.patient(portal, NEWCOMER), "booking": booker}
    return [Person(state, actor) for state, actor in found.items()]


def _hold(network: LookedAt, portal: PortalView, patient: Actor, offered: str) -> uuid.UUID:
    """Keep a time of what is offered for a patient and fill in their details: what a booking's last step shows."""
    listing_id, service_id = (uuid.UUID(one) for one in offered.split())
    with open_session(network.engine, patient.scope()) as session:
        offering = get_offering(session, portal, listing_id, service_id)
        slots = offer_slots(session, offering.offer, PRESENT + DAY, PRESENT + 21 * DAY)
        session.rollback()
        hold = hold_slot(session, patient, portal, listing_id, service_id, slots[0].start, patient.zone or "UTC")
        details = Details(patient.name, message=material.reasons(portal.slug)[0])
        save_details(session, patient, portal, hold.id, details)
        return hold.id


def _list_and_visit(network: LookedAt, builder: Builder, portal: PortalView, specialist: Actor) -> None:
    """List somebody on a portal with its first priced service, and have one patient book it."""
    assert specialist.id is not None
    with open_session(network.engine, NETWORK) as session:
        listing = list_specialist(session, builder.network.owner, portal, specialist.id).id
    service = network.find(_PRICED, portal=portal.id)
    values = {"portal": portal.id, "specialist": specialist.id, "service": service}
    network.write(_OFFER, values)
    network.app.places.forget()
    patient = builder.patient(portal, "Wilhelmine Tannenberger")
    hold_id = _hold(network, portal, patient, f"{listing} {service}")
    with open_session(network.engine, patient.scope()) as session:
        texts = [one.version_id for one in required_agreements(session, portal, "booking", "de", patient.id)]
        session.rollback()
        confirm_booking(session, patient, portal, hold_id, Details(patient.name), texts)


def _call_off(network: LookedAt, builder: Builder, portal: PortalView) -> None:
    """Have a specialist cancel an appointment to come, of somebody else than those who visit."""
    of = "ARRAY(SELECT patient_id FROM appointment GROUP BY 1 HAVING count(*) BETWEEN 2 AND 4)"
    found = network.find(
        "SELECT id || ' ' || specialist_id FROM appointment WHERE portal_id = :portal AND state = 'confirmed'"
        f" AND starts_at > :present AND patient_id = ANY ({of}) ORDER BY starts_at, id LIMIT 1",
        portal=portal.id,
        present=PRESENT + DAY,
    )
    appointment, specialist = (uuid.UUID(one) for one in str(found).split())
    by = next(actor for actor in builder.network.specialists.values() if actor.id == specialist)
    with open_session(network.engine, by.scope()) as session:
        cancel_appointment(session, by, appointment, "I am ill. Please choose another time.")


def _specialists(network: LookedAt, builder: Builder) -> list[Person]:
    busiest = uuid.UUID(network.find(_BY_VISITS.format(of="specialist_id", where="true", order="DESC")))
    people = {actor.id: actor for actor in builder.network.specialists.values()}
    pattern = material.specialists()[0]
    made = {}
    for state, name in (("one", "Theodora Achterberg-Lindemann"), ("none", "Bartholomäus Wiesengrund")):
        mail = f"{state}@practice.example"
        made[state] = builder.specialist(replace(pattern, name=name, email=mail, hours=pattern.hours[:1]))
    _list_and_visit(network, builder, network.portals["physio"], made["one"])
    return [Person("many", people[busiest]), *(Person(state, actor) for state, actor in made.items())]


def _operators(network: LookedAt, builder: Builder) -> list[Person]:
    with open_session(network.engine, NETWORK) as session:
        nobody = create_operator(
            session,
            email="none@network.example",
            name="Friedrich Wilhelm Hagedorn",
            locale="en",
            zone="Europe/Berlin",
            role="admin",
            portals=[],
            password_hash="",
        )
    return [Person("many", builder.network.owner), Person("none", nobody)]
