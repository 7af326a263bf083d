"""Making the sample network from beginning to end, and telling the demonstration who can sign in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask
from psycopg import Connection
from sqlalchemy import Engine, create_engine, delete, event, update

from polyclinic.allocation.policy import MODES
from polyclinic.config import Settings
from polyclinic.identity.people import entrance_of
from polyclinic.identity.tokens import create_token, scopes_of
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import real_now
from polyclinic.kernel.due import Due
from polyclinic.kernel.outbox import OutboxMessage
from polyclinic.kernel.scope import Scope, bind_roles, open_session
from polyclinic.resources import shipped
from polyclinic.runtime.demofile import Entry, remember, remembered
from polyclinic.sample import material
from polyclinic.sample.clock import MovedClock
from polyclinic.sample.history import History
from polyclinic.sample.network import Builder, Network
from polyclinic.sample.till import ONLINE, Till
from polyclinic.tenancy.places import Place, PortalView
from polyclinic.tenancy.policy import CURRENCY, LOCALES
from polyclinic.tenancy.settings import Settings as PortalSettings
from polyclinic.web.db import engine_options
from polyclinic.web.plugins import current_hooks

#: The network is prepared this long before its first visit.
HEAD_START = dt.timedelta(days=30)


def make_sample_network(
    app: Flask, settings: Settings, weeks: int, say: Callable[[str], object], present: dt.datetime | None = None
) -> str:
    """Make what is missing of the sample network and return, in words, what there is.

    Its history ends at ``present`` (UTC), by default the machine's time.
    """
    owner, engine = create_engine(settings.owner_database_url or ""), _engine(settings)
    machine = real_now()
    present = present or machine
    try:
        with MovedClock(owner, machine) as clock, app.app_context():
            builder = Builder(engine)
            if not builder.is_there():  # a network that is in use keeps its time
                clock.move_to(present - dt.timedelta(weeks=weeks) - HEAD_START)
            network = builder.build()
            say(f"{len(network.portals)} portals and {len(network.specialists)} specialists are there.")
            till = Till(engine, current_hooks(), settings.stripe, present - ONLINE)
            with till.unheard():
                for specialist in network.specialists.values():
                    till.connect(specialist)
                counts = History(engine, clock, builder, till, present, weeks).live()
            _forget_what_was_told(engine, present - dt.timedelta(days=1))
            tokens = api_tokens(engine, settings, network)
    finally:
        owner.dispose()
        engine.dispose()
    tell_demonstration(settings, network, tokens)
    patients = sum(len(found) for found in network.patients.values())
    if not counts.booked:
        return f"{patients} patients, whose history is there already"
    return f"{patients} patients, {counts.booked} appointments ({counts.completed} held, {counts.cancelled} cancelled)"


def _engine(settings: Settings) -> Engine:
    engine = create_engine(settings.database_url, **engine_options(settings))
    event.listen(engine, "connect", _do_not_wait_for_the_disk)
    return bind_roles(engine, settings.role_prefix)


def _do_not_wait_for_the_disk(connection: Connection[Any], _record: object) -> None:
    """Leave thousands of small commits to the next one that waits: the clock's last move, or a start from nothing."""
    connection.execute("SET synchronous_commit = off")
    connection.commit()


def _forget_what_was_told(engine: Engine, until: dt.datetime) -> None:
    """Take the history's announcements for delivered: its mails were read long ago and are not sent today."""
    with open_session(engine, Scope("relay")) as session:
        untold = (OutboxMessage.done_at.is_(None)) & (OutboxMessage.created_at < until)
        session.execute(update(OutboxMessage).where(untold).values(done_at=OutboxMessage.created_at))
        session.execute(delete(Due).where(Due.at < until))
        session.commit()


def api_tokens(engine: Engine, settings: Settings, network: Network) -> dict[str, str]:
    """Return an API token of one patient of each portal, by slug: the one that was told before, or a new one."""
    told = {str(entry["slug"]): str(entry.get("api_token", "")) for entry in remembered(settings.home)["portals"]}
    return {
        slug: told.get(slug) or _new_api_token(engine, portal, network.patients[slug][_shown(slug)[0]])
        for slug, portal in network.portals.items()
    }


def _new_api_token(engine: Engine, portal: PortalView, patient: Actor) -> str:
    entrance = entrance_of(Place("portal", portal.host, portal))
    with open_session(engine, entrance.scope) as session:
        return create_token(session, entrance, patient, "Demonstration", scopes_of("portal")).secret


def tell_demonstration(settings: Settings, network: Network, tokens: Mapping[str, str]) -> None:
    """Keep the sample's portals and people for var/demo.json."""
    portals: list[Entry] = [
        {
            "slug": slug,
            "name": portal.name,
            "locale": portal.settings.get(LOCALES)[0],
            "currency": portal.settings.get(CURRENCY),
            "modes": modes_of(portal.settings),
            "api_token": tokens[slug],
            "patients": [_entry(network.patients[slug][name]) for name in _shown(slug)],
        }
        for slug, portal in network.portals.items()
    ]
    # Who works on most portals comes first: theirs are the calendars worth seeing.
    files = [(shipped("tenants") / slug / "portal.toml").read_text(encoding="utf-8") for slug in material.PORTALS]
    busiest = sorted(network.specialists.values(), key=lambda person: -sum(person.email in text for text in files))
    people = [_entry(person) for person in busiest]
    remember(
        settings.home, portals=portals, specialists=people, operators=[_entry(person) for person in network.operators]
    )


def modes_of(settings: PortalSettings) -> list[str]:
    """Return a portal's allocation modes by name."""
    modes = settings.get(MODES)
    return sorted(modes)


def _shown(slug: str) -> list[str]:
    """Return whom the demonstration introduces: somebody who may book right away, and two with a history."""
    names = material.patient_names(slug)
    return [names[-1], *names[:2]]


def _entry(person: Actor) -> Entry:
    return {"name": person.name, "email": person.email, "password": material.PASSWORD, "path": "/sign-in"}
