"""Accounts: made, completed after a code, given a password, changed by their owners."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.identity import rules
from polyclinic.identity.models import Credential, Operator, Patient, Specialist
from polyclinic.identity.passwords import current_passwords
from polyclinic.identity.people import MODELS, Entrance, Person, actor_of, find_by_email
from polyclinic.identity.registration import steps
from polyclinic.kernel.actor import SYSTEM, Actor, Kind
from polyclinic.kernel.clock import now, real_now
from polyclinic.kernel.errors import Conflict, Invalid, NotFound
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.transactions import transactional
from polyclinic.kernel.zones import is_zone

UNIQUE_VIOLATION = "23505"
PROFILE_FIELDS = ("name", "phone", "locale", "zone")


def hash_new_password(password: str, kind: Kind, *personal: str, field: str = "password") -> str:
    """Return the hash of a new password; raises Invalid where it is too short or among the first that are guessed."""
    problem = rules.password_problem(password, kind, *personal)
    if problem is not None:
        raise Invalid("password-refused", problem, fields={field: problem})
    return current_passwords().hash(password)


def create_patient(
    session: Session,
    portal_id: uuid.UUID,
    *,
    email: str,
    name: str,
    locale: str,
    zone: str,
    phone: str | None = None,
    password: str | None = None,
    password_hash: str | None = None,
    by: Actor = SYSTEM,
) -> Actor:
    """Make a patient of a portal whose address is known to be theirs; the scope is the door's, of this portal.

    Raises Invalid for wrong input and Conflict where the portal has a patient with this address (P3): never show that
    to somebody who has not proven the address.
    """
    email, name = _checked(email, name, zone)
    hashed = password_hash or (hash_new_password(password, "patient", email, name) if password else None)
    return add_patient(session, portal_id, email, name, locale, zone, phone, hashed, {}, by)


@transactional
def add_patient(
    session: Session,
    portal_id: uuid.UUID,
    email: str,
    name: str,
    locale: str,
    zone: str,
    phone: str | None,
    password_hash: str | None,
    answers: Mapping[str, bool],
    by: Actor = SYSTEM,
) -> Actor:
    """Write a patient, the credential and the answers of registration in one transaction; input is clean."""
    patient = Patient(
        id=new_id(),
        portal_id=portal_id,
        email=email,
        name=name,
        phone=phone,
        locale=locale,
        zone=zone,
        state="active",
        verified_at=now(session),
        created_at=now(session),
    )
    _add(session, patient)
    if password_hash is not None:
        session.add(_credential("patient", patient.id, portal_id, password_hash))
    actor = actor_of(patient, ip=by.ip)
    record(session, by if by.signed_in else actor, "patient.created", "patient", patient.id, portal_id=portal_id)
    for step in steps():
        step.complete(session, actor, answers)
    return actor


def create_specialist(
    session: Session,
    *,
    email: str,
    name: str,
    locale: str,
    zone: str,
    phone: str | None = None,
    password: str | None = None,
    password_hash: str | None = None,
    by: Actor = SYSTEM,
) -> Actor:
    """Make a specialist, in state draft (S2); the scope is the network's. Raises Invalid or Conflict."""
    email, name = _checked(email, name, zone)
    hashed = password_hash or (hash_new_password(password, "specialist", email, name) if password else None)
    person = Specialist(
        id=new_id(), email=email, name=name, phone=phone, locale=locale, zone=zone, state="draft", state_reason=None
    )
    return _add_staff(session, person, hashed, by)


def create_operator(
    session: Session,
    *,
    email: str,
    name: str,
    locale: str,
    zone: str,
    role: str = "admin",
    portals: Iterable[uuid.UUID] | None = None,
    password: str | None = None,
    password_hash: str | None = None,
    by: Actor = SYSTEM,
) -> Actor:
    """Make an operator of all portals, or of ``portals``; the scope is the network's. Raises Invalid or Conflict."""
    email, name = _checked(email, name, zone)
    hashed = password_hash or (hash_new_password(password, "operator", email, name) if password else None)
    person = Operator(
        id=new_id(),
        email=email,
        name=name,
        locale=locale,
        zone=zone,
        role=role,
        portals=None if portals is None else list(portals),
        state="active",
    )
    return _add_staff(session, person, hashed, by)


@transactional
def _add_staff(session: Session, person: Specialist | Operator, password_hash: str | None, by: Actor) -> Actor:
    person.created_at = now(session)
    _add(session, person)
    actor = actor_of(person)
    if password_hash is not None:
        session.add(_credential(actor.kind, person.id, None, password_hash))
    record(session, by, f"{actor.kind}.created", actor.kind, person.id)
    return actor


def _add(session: Session, person: Person) -> None:
    session.add(person)
    try:
        session.flush()
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", "") != UNIQUE_VIOLATION:
            raise
        message = _l("There is an account with this e-mail address already.")
        raise Conflict("email-taken", message, fields={"email": message}) from error


def _credential(kind: Kind, person_id: uuid.UUID, portal_id: uuid.UUID | None, hashed: str) -> Credential:
    return Credential(
        subject_kind=kind, subject_id=person_id, portal_id=portal_id, password_hash=hashed, changed_at=real_now()
    )


def _checked(email: str, name: str, zone: str | None) -> tuple[str, str]:
    problems: dict[str, Any] = {}
    address, line = rules.clean_email(email), rules.clean_name(name)
    if address is None:
        problems["email"] = _l("Enter an e-mail address such as name@example.com.")
    if not 1 <= len(line) <= rules.LONGEST_NAME:
        problems["name"] = _l("Enter a name of at most %(number)s characters.", number=rules.LONGEST_NAME)
    if zone is not None and not is_zone(zone):
        problems["zone"] = _l("Choose a time zone such as Europe/Berlin.")
    if problems or address is None:
        raise Invalid("invalid", _l("Please check what you entered."), fields=problems)
    return address, line


@transactional
def set_password(session: Session, entrance: Entrance, person_id: uuid.UUID, password_hash: str, by: Actor) -> None:
    """Store the hash of somebody's new password; the scope is the door's."""
    values = {"password_hash": password_hash, "changed_at": real_now()}
    row = {"subject_kind": entrance.kind, "subject_id": person_id, "portal_id": entrance.portal_id, **values}
    upsert = insert(Credential).values(row)
    session.execute(upsert.on_conflict_do_update(index_elements=["subject_kind", "subject_id"], set_=values))
    record(session, by, "password.changed", entrance.kind, person_id)


@transactional
def read_credential(session: Session, entrance: Entrance, email: str) -> tuple[Person | None, str | None]:
    """Return somebody and the hash of their password; the scope is the door's."""
    return find_by_email(session, entrance, email)


@transactional
def read_profile(session: Session, actor: Actor) -> Person:
    """Return the actor's own row, in the actor's own scope."""
    model = MODELS[actor.kind]
    person: Person | None = session.scalars(select(model).where(model.id == actor.id)).one_or_none()
    if person is None:
        raise NotFound
    return person


@transactional
def update_profile(session: Session, actor: Actor, changes: Mapping[str, str | None], offered: Iterable[str]) -> Person:
    """Change the actor's own name, telephone, language (one of ``offered``) or zone, in the actor's own scope.

    Raises Invalid with a message per field; then nothing is changed.
    """
    problems: dict[str, Any] = {}
    clean: dict[str, str | None] = {}
    person = read_profile(session, actor)
    for field in PROFILE_FIELDS:
        if field in changes and hasattr(person, field):
            value = rules.clean_name(changes[field] or "") or None
            problem = rules.profile_problem(field, value, tuple(offered))
            problems.update({field: problem} if problem is not None else {})
            clean[field] = value
    if problems:
        raise Invalid("invalid", _l("Please check what you entered."), fields=problems)
    changed = [field for field, value in clean.items() if getattr(person, field) != value]
    for field in changed:
        setattr(person, field, clean[field])
    if changed:
        record(session, actor, f"{actor.kind}.updated", actor.kind, person.id, detail={"fields": changed})
    if changed and actor.kind == "specialist":
        announce(session, "specialist.updated", {"specialist_id": str(person.id), "fields": changed})
    return person
