"""Use cases of coming in, staying in and leaving; what other features call is gathered here.

The scope is the door's (``Entrance.scope``) unless a function says otherwise.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from polyclinic.identity.accounts import (
    add_patient,
    create_operator,
    create_patient,
    create_specialist,
    hash_new_password,
    read_credential,
    read_profile,
    set_password,
    update_profile,
)
from polyclinic.identity.codes import WrongCode, claim_code, enter_code, send_again, send_code
from polyclinic.identity.models import MailCode, Patient, SignIn
from polyclinic.identity.passwords import current_passwords
from polyclinic.identity.people import Client, Entrance, Person, entrance_of, find_by_email
from polyclinic.identity.registration import Question, missing_answers, questions_of
from polyclinic.identity.rules import FRESH, LONGEST_NAME, clean_name, may_sign_in
from polyclinic.identity.signins import (
    Opened,
    SignInRefused,
    list_sign_ins,
    open_sign_in,
    recognize,
    revoke_others,
    revoke_sign_in,
    sign_in_with_password,
)
from polyclinic.identity.tokens import create_token, list_tokens, recognize_token, revoke_token
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import real_now
from polyclinic.kernel.errors import Forbidden, Gone, Invalid
from polyclinic.kernel.ids import digest, new_token
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.transactions import transactional

__all__ = [
    "Client",
    "Entrance",
    "NameNeeded",
    "Opened",
    "SignInRefused",
    "WrongCode",
    "begin_email",
    "begin_registration",
    "begin_reset",
    "change_password",
    "complete_registration",
    "continue_with_code",
    "create_operator",
    "create_patient",
    "create_specialist",
    "create_token",
    "entrance_of",
    "has_password",
    "list_sign_ins",
    "list_tokens",
    "open_sign_in",
    "read_profile",
    "read_questions",
    "recognize",
    "recognize_token",
    "reset_password",
    "revoke_others",
    "revoke_sign_in",
    "revoke_token",
    "send_again",
    "sign_in_with_password",
    "update_profile",
]


@dataclass(frozen=True, slots=True)
class NameNeeded:
    """The code was right and the address is new: ``complete_registration`` goes on with the name."""

    code_id: uuid.UUID
    email: str


def begin_email(session: Session, entrance: Entrance, email: str, client: Client, *, locale: str) -> uuid.UUID:
    """Send a code to an address, known or not (B2), and return the id of the request for ``continue_with_code``."""
    return send_code(session, entrance, email, "sign-in", client, locale=locale)


def begin_registration(
    session: Session,
    entrance: Entrance,
    email: str,
    client: Client,
    *,
    locale: str,
    name: str,
    phone: str | None,
    password: str | None,
    answers: Mapping[str, bool],
) -> uuid.UUID:
    """Check a registration form and send a code; the account is made when the code is entered.

    An address that has an account gets a code as well, which then signs in to that account; nothing else of the form is
    used. Raises Invalid with a message per field, the same for known and unknown addresses.
    """
    hashed = hash_new_password(password, entrance.kind, email, name) if password else None
    missing = missing_answers(read_questions(session, entrance, locale), answers)
    if missing:
        raise Invalid("invalid", _l("Please check what you entered."), fields=missing)
    pending = {"name": _checked_name(name), "phone": phone, "password_hash": hashed, "answers": dict(answers)}
    return send_code(session, entrance, email, "register", client, locale=locale, pending=pending)


def begin_reset(session: Session, entrance: Entrance, email: str, client: Client, *, locale: str) -> uuid.UUID:
    """Send a code for a new password to an address, known or not, and return the id for ``reset_password``."""
    return send_code(session, entrance, email, "reset", client, locale=locale)


@transactional
def read_questions(session: Session, entrance: Entrance, locale: str) -> list[Question]:
    """Return what patients of this portal are asked when they register, besides name and address."""
    return questions_of(session, entrance.portal_id, locale) if entrance.portal_id is not None else []


def continue_with_code(
    session: Session, entrance: Entrance, code_id: uuid.UUID, code: str, client: Client, *, locale: str, zone: str
) -> Opened | NameNeeded:
    """Sign in with a code, making the account that a form asked for; a new address without one needs a name.

    Raises WrongCode, or Forbidden for somebody who is blocked: only the owner of the address gets so far.
    """
    row = enter_code(session, entrance, code_id, code, client, "sign-in", "register")
    return _admit(session, entrance, row.id, row.email, client, locale, zone)


@transactional
def _admit(
    session: Session, entrance: Entrance, code_id: uuid.UUID, email: str, client: Client, locale: str, zone: str
) -> Opened | NameNeeded:
    person, _stored = find_by_email(session, entrance, email)
    pending = session.scalars(select(MailCode.pending).where(MailCode.id == code_id)).one()
    if person is None and (pending is None or entrance.portal_id is None):
        return NameNeeded(code_id, email)
    claim_code(session, entrance, code_id)
    if person is None:
        person = _register(session, entrance, email, pending or {}, client, locale, zone)
    return _open(session, entrance, person, client)


@transactional
def complete_registration(
    session: Session,
    entrance: Entrance,
    code_id: uuid.UUID,
    client: Client,
    *,
    name: str,
    phone: str | None = None,
    answers: Mapping[str, bool],
    locale: str,
    zone: str,
) -> Opened:
    """Make the account of an address that was proven by ``continue_with_code``, and sign in.

    Raises Invalid with a message per field (the code stays good), Gone after half an hour or the second time.
    """
    clean = _checked_name(name)
    missing = missing_answers(read_questions(session, entrance, locale), answers)
    if missing:
        raise Invalid("invalid", _l("Please check what you entered."), fields=missing)
    email = claim_code(session, entrance, code_id).email
    person, _stored = find_by_email(session, entrance, email)
    if person is None:
        pending = {"name": clean, "phone": phone, "answers": dict(answers)}
        person = _register(session, entrance, email, pending, client, locale, zone)
    return _open(session, entrance, person, client)


def _register(
    session: Session, entrance: Entrance, email: str, form: dict[str, Any], client: Client, locale: str, zone: str
) -> Person:
    if entrance.portal_id is None:
        raise Gone("no-account", _l("There is no account with this e-mail address."))
    actor = add_patient(
        session,
        entrance.portal_id,
        email,
        form["name"],
        locale,
        zone,
        form.get("phone"),
        form.get("password_hash"),
        form.get("answers", {}),
        client.visitor(entrance),
    )
    payload = {"subject_kind": "patient", "subject_id": str(actor.id)}
    announce(session, "identity.welcome", payload, portal_id=entrance.portal_id)
    return session.get_one(Patient, actor.id)


def _open(session: Session, entrance: Entrance, person: Person, client: Client) -> Opened:
    if not may_sign_in(entrance.kind, person.state):
        raise Forbidden("account-blocked", _l("This account is blocked. Please write to us to have it opened again."))
    if isinstance(person, Patient) and person.verified_at is None:
        person.verified_at = real_now()
    return open_sign_in(session, entrance, person, client, how="code")


def _checked_name(name: str) -> str:
    clean = clean_name(name)
    if not 1 <= len(clean) <= LONGEST_NAME:
        message = _l("Enter a name of at most %(number)s characters.", number=LONGEST_NAME)
        raise Invalid("invalid", _l("Please check what you entered."), fields={"name": message})
    return clean


def reset_password(
    session: Session,
    entrance: Entrance,
    code_id: uuid.UUID,
    email: str,
    code: str,
    password: str,
    client: Client,
) -> Opened:
    """Set a new password with a code, end every other sign-in of the account and sign in (V6.4.3).

    Raises Invalid for the password (before the code is tried), WrongCode, Gone where the address has no account.
    """
    hashed = hash_new_password(password, entrance.kind, email)
    row = enter_code(session, entrance, code_id, code, client, "reset")
    return _finish_reset(session, entrance, row.id, hashed, client)


@transactional
def _finish_reset(
    session: Session, entrance: Entrance, code_id: uuid.UUID, password_hash: str, client: Client
) -> Opened:
    email = claim_code(session, entrance, code_id).email
    person, _stored = find_by_email(session, entrance, email)
    if person is None:
        raise Gone("no-account", _l("There is no account with this e-mail address."))
    opened = _open(session, entrance, person, client)
    set_password(session, entrance, person.id, password_hash, opened.actor)
    revoke_others(session, entrance, opened.actor)
    return opened


def change_password(session: Session, entrance: Entrance, actor: Actor, current: str, new: str) -> Opened:
    """Change the actor's own password, end their other sign-ins, and give this one a new token (V7.2.4).

    Without a password so far, the sign-in has to be younger than FRESH. Raises Invalid with a message per field.
    """
    _person, stored = read_credential(session, entrance, actor.email)
    if stored is None:
        if not _is_fresh(session, actor):
            message = _l("Sign out, sign in again with a code, and set the password within 15 minutes.")
            raise Invalid("not-fresh", message, fields={"new": message})
    elif not current_passwords().verify(stored, current):
        message = _l("This is not your present password.")
        raise Invalid("password-wrong", message, fields={"current": message})
    hashed = hash_new_password(new, entrance.kind, actor.email, actor.name, field="new")
    return _replace_password(session, entrance, actor, hashed)


@transactional
def _is_fresh(session: Session, actor: Actor) -> bool:
    created_at = session.scalars(select(SignIn.created_at).where(SignIn.id == actor.sign_in_id)).one_or_none()
    return created_at is not None and real_now() - created_at < FRESH


@transactional
def _replace_password(session: Session, entrance: Entrance, actor: Actor, password_hash: str) -> Opened:
    assert actor.id is not None  # noqa: S101  # callers checked that somebody is signed in
    set_password(session, entrance, actor.id, password_hash, actor)
    revoke_others(session, entrance, actor)
    token = new_token()
    this = update(SignIn).where(entrance.owns(SignIn), SignIn.id == actor.sign_in_id)
    expires_at = session.execute(this.values(token_hash=digest(token)).returning(SignIn.expires_at)).scalar_one()
    return Opened(token, actor, expires_at)


@transactional
def has_password(session: Session, entrance: Entrance, email: str) -> bool:
    """Tell whether the person with this address has a password here."""
    return find_by_email(session, entrance, email)[1] is not None
