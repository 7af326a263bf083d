"""The cast of characters used everywhere: three portals, two operators, a shared specialist, a team with a lead.

Written as rows by the superuser, because it is the ground under services, not their result.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from polyclinic.allocation.models import Allocation
from polyclinic.booking.models import Appointment, AppointmentMessage
from polyclinic.calendar.models import AvailabilityRule, Claim
from polyclinic.consents.models import Agreement, AgreementVersion, Consent
from polyclinic.directory.models import Listing, ListingService, PublishedProfile, Service, SpecialistProfile, Team
from polyclinic.identity.models import Credential, Operator, Patient, Specialist
from polyclinic.kernel.actor import Actor
from polyclinic.tenancy.models import Domain, Portal, PortalSetting

PASSWORD = "correct horse battery staple"
SHARED_EMAIL = "pat@example.org"


@cache
def password_hash() -> str:
    """Hash the cast's password once, cheaply."""
    return PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)


@dataclass(frozen=True)
class PortalCast:
    """What one portal has; ``canary`` stands in each of its texts."""

    id: uuid.UUID
    slug: str
    host: str
    canary: str
    service: uuid.UUID
    agreement: uuid.UUID
    version: uuid.UUID
    patient: Actor
    """pat@example.org of this portal."""
    other_patient: Actor


@dataclass(frozen=True)
class Cast:
    """Who plays. Alpha and Beta share Sam; Ada is on Alpha alone, Ben on Beta alone, Cleo on Gamma alone."""

    alpha: PortalCast
    beta: PortalCast
    gamma: PortalCast
    ada: Actor
    ben: Actor
    cleo: Actor
    sam: Actor
    lea: Actor
    """Clinical lead of Ada's team on Alpha."""
    olga: Actor
    """Operator of the whole network."""
    oskar: Actor
    """Operator of Alpha alone."""
    listings: dict[tuple[str, str], uuid.UUID]
    """Public ids by portal slug and specialist's first name in lower case."""
    specialists_host: str = "specialists.localhost"
    admin_host: str = "admin.localhost"

    @property
    def portals(self) -> tuple[PortalCast, PortalCast, PortalCast]:
        """The three portals."""
        return self.alpha, self.beta, self.gamma

    def listing(self, portal: PortalCast, specialist: Actor) -> uuid.UUID:
        """The public id of a specialist on a portal."""
        return self.listings[portal.slug, specialist.name.lower()]


#: slug -> (locales, currency, zone, pricing)
PORTALS = {
    "alpha": (["de", "en"], "EUR", "Europe/Berlin", "fixed"),
    "beta": (["en", "de"], "GBP", "Europe/London", "own"),
    "gamma": (["en"], "JPY", "Asia/Tokyo", "range"),
}
#: Each portal in a theme with compositions of its own, so that whatever is tested on all is tested in all of them.
THEMES = {"alpha": "tempo", "beta": "lamplight", "gamma": "bento"}
WORKS_AT = {"ada": ["alpha"], "ben": ["beta"], "cleo": ["gamma"], "sam": ["alpha", "beta"], "lea": ["alpha"]}


def make_cast(owner: Engine) -> Cast:
    """Write the cast's rows and return it."""
    with Session(owner) as session:
        people = {name: _specialist(session, name) for name in WORKS_AT}
        team = Team(id=uuid.uuid4(), slug="north", name="Team North")
        session.add(team)
        session.flush()
        portals = {slug: _portal(session, slug, *facts) for slug, facts in PORTALS.items()}
        listings = {}
        for name, slugs in WORKS_AT.items():
            for slug in slugs:
                role = {"ada": "member", "lea": "lead"}.get(name)
                listings[slug, name] = _listing(session, portals[slug], people[name], team if role else None, role)
        olga = _operator(session, "Olga", None)
        oskar = _operator(session, "Oskar", [portals["alpha"].id])
        for host, place in (("specialists", "specialists"), ("admin", "admin"), ("hooks", "hooks"), ("dev", "dev")):
            session.add(Domain(host=f"{host}.localhost", place=place))
        session.commit()
    return Cast(**portals, **people, olga=olga, oskar=oskar, listings=listings)


def _portal(session: Session, slug: str, locales: list[str], currency: str, zone: str, pricing: str) -> PortalCast:
    portal_id, canary = uuid.uuid4(), f"canary-{slug}-7f3a"
    session.add(Portal(id=portal_id, slug=slug, name=f"{slug.title()} {canary}"))
    session.flush()
    session.add(Domain(host=f"{slug}.localhost", place="portal", portal_id=portal_id))
    chosen: dict[str, Any] = {
        "brand.name": f"{slug.title()} {canary}",
        "brand.sender": f"hello@{slug}.example",
        "brand.theme": THEMES[slug],
        "language.locales": locales,
        "language.time_zone": zone,
        "money.currency": currency,
        "pricing.policy": pricing,
    }
    session.add_all(PortalSetting(portal_id=portal_id, key=key, value=value) for key, value in chosen.items())
    service = Service(
        id=uuid.uuid4(),
        portal_id=portal_id,
        slug="first-visit",
        name=dict.fromkeys(locales, f"First visit {canary}"),
        summary=dict.fromkeys(locales, f"Getting to know each other {canary}"),
        duration_minutes=50,
        price_minor=8000 if pricing == "fixed" else None,
        buffer_after_minutes=10,
    )
    agreement = Agreement(id=uuid.uuid4(), portal_id=portal_id, slug="terms", gate="booking")
    session.add_all([service, agreement])
    session.flush()
    versions = [_version(portal_id, agreement.id, locale, canary) for locale in locales]
    session.add_all(versions)
    session.flush()
    patient = _patient(session, portal_id, slug, "Pat", SHARED_EMAIL, locales[0], zone)
    other = _patient(session, portal_id, slug, "Quinn", f"quinn@{slug}.example", locales[0], zone)
    return PortalCast(
        portal_id, slug, f"{slug}.localhost", canary, service.id, agreement.id, versions[0].id, patient, other
    )


def _version(portal_id: uuid.UUID, agreement_id: uuid.UUID, locale: str, canary: str) -> AgreementVersion:
    body = f"These are the terms of {canary}."
    return AgreementVersion(
        id=uuid.uuid4(),
        portal_id=portal_id,
        agreement_id=agreement_id,
        version=1,
        locale=locale,
        title="Terms",
        body=body,
        hash=hashlib.sha256(body.encode()).digest(),
    )


def _patient(session: Session, portal_id: uuid.UUID, slug: str, name: str, email: str, locale: str, zone: str) -> Actor:
    patient = Patient(
        id=uuid.uuid4(),
        portal_id=portal_id,
        email=email,
        name=f"{name} {slug.title()}",
        locale=locale,
        zone=zone,
        verified_at=dt.datetime.now(dt.UTC),
    )
    session.add(patient)
    session.flush()
    session.add(
        Credential(subject_kind="patient", subject_id=patient.id, portal_id=portal_id, password_hash=password_hash())
    )
    return Actor("patient", patient.id, portal_id, name=patient.name, email=email, locale=locale, zone=zone)


def _specialist(session: Session, name: str) -> Actor:
    email = f"{name}@specialists.example"
    person = Specialist(
        id=uuid.uuid4(), email=email, name=name.title(), locale="en", zone="Europe/Berlin", state="approved"
    )
    session.add(person)
    session.flush()
    session.add(
        SpecialistProfile(
            specialist_id=person.id,
            title={"en": "Physiotherapist"},
            bio={"en": f"{name.title()} listens first."},
            languages=["en"],
            categories=[],
            specializations=[],
            expertise=[],
            credentials=[],
        )
    )
    for weekday in range(5):
        session.add(
            AvailabilityRule(
                specialist_id=person.id,
                weekday=weekday,
                starts=dt.time(9),
                ends=dt.time(17),
                zone="Europe/Berlin",
            )
        )
    session.add(Credential(subject_kind="specialist", subject_id=person.id, password_hash=password_hash()))
    return Actor("specialist", person.id, name=person.name, email=email, locale="en", zone=person.zone)


def _operator(session: Session, name: str, portals: list[uuid.UUID] | None) -> Actor:
    person = Operator(
        id=uuid.uuid4(),
        email=f"{name.lower()}@network.example",
        name=name,
        locale="en",
        zone="Europe/Berlin",
        role="owner" if portals is None else "admin",
        portals=portals,
    )
    session.add(person)
    session.flush()
    session.add(Credential(subject_kind="operator", subject_id=person.id, password_hash=password_hash()))
    return Actor(
        "operator",
        person.id,
        name=name,
        email=person.email,
        locale="en",
        zone=person.zone,
        portals=None if portals is None else frozenset(portals),
        roles=frozenset({person.role}),
    )


def add_listing(owner: Engine, portal: PortalCast, specialist: Actor) -> uuid.UUID:
    """List one more of the cast on a portal; returns the listing's id."""
    with Session(owner) as session:
        listing = _listing(session, portal, specialist, None, None)
        session.commit()
    return listing


def _listing(session: Session, portal: PortalCast, specialist: Actor, team: Team | None, role: str | None) -> uuid.UUID:
    listing = Listing(
        portal_id=portal.id,
        specialist_id=specialist.id,
        id=uuid.uuid4(),
        state="listed",
        team_id=team.id if team else None,
        team_role=role,
    )
    session.add(listing)
    session.flush()
    session.add(
        ListingService(
            portal_id=portal.id,
            specialist_id=specialist.id,
            service_id=portal.service,
            price_minor={"alpha": None, "beta": 7500, "gamma": 9000}[portal.slug],
        )
    )
    session.add(
        PublishedProfile(
            portal_id=portal.id,
            specialist_id=specialist.id,
            listing_id=listing.id,
            name=specialist.name,
            sort_name=specialist.name.lower(),
            title={"en": "Physiotherapist"},
            bio={"en": f"{specialist.name} on {portal.canary} listens first."},
            languages=["en"],
            categories=[],
            specializations=[],
            expertise=[],
            words={},
            zone="Europe/Berlin",
        )
    )
    return listing.id


def add_history(
    owner: Engine, portal: PortalCast, patient: Actor, specialist: Actor, starts_at: dt.datetime
) -> uuid.UUID:
    """Write an allocation and a confirmed appointment with its claim, as rows, for tests of isolation."""
    appointment_id = uuid.uuid4()
    ends_at = starts_at + dt.timedelta(minutes=50)
    with Session(owner) as session:
        session.add(
            Allocation(portal_id=portal.id, patient_id=patient.id, specialist_id=specialist.id, source="browse")
        )
        session.add(
            Appointment(
                id=appointment_id,
                portal_id=portal.id,
                patient_id=patient.id,
                specialist_id=specialist.id,
                service_id=portal.service,
                starts_at=starts_at,
                ends_at=ends_at,
                zone="Europe/Berlin",
                state="confirmed",
                service_name={"en": f"First visit {portal.canary}"},
                specialist_name=specialist.name,
                price_minor=8000,
                currency="EUR",
                payment_model="external_invoice",
                policy={"free_until": 86400, "late_fee": 100},
            )
        )
        session.flush()
        session.add(
            AppointmentMessage(
                appointment_id=appointment_id,
                kind="booking",
                portal_id=portal.id,
                patient_id=patient.id,
                specialist_id=specialist.id,
                author="patient",
                body=f"My knee, {portal.canary}",
            )
        )
        session.add(
            Consent(
                portal_id=portal.id,
                patient_id=patient.id,
                agreement_id=portal.agreement,
                version_id=portal.version,
                hash=b"\0" * 32,
                answer="given",
                how="booking",
            )
        )
        span = Range(starts_at, ends_at, bounds="[)")
        session.add(Claim(specialist_id=specialist.id, claim_id=appointment_id, during=span, core=span))
        session.commit()
    return appointment_id
