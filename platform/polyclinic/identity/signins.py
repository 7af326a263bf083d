"""Sign-ins: opened, recognized by their cookie's token, listed, revoked. They live on real time, in the door's role."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.identity.models import Credential, SignIn
from polyclinic.identity.passwords import current_passwords
from polyclinic.identity.people import MODELS, Client, Entrance, Person, actor_of, find_by_email
from polyclinic.identity.rules import SEEN_EVERY, is_alive, may_sign_in
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import real_now
from polyclinic.kernel.errors import Invalid, NotFound
from polyclinic.kernel.ids import digest, new_id, new_token
from polyclinic.kernel.transactions import transactional

#: Ended sign-ins stay in the list of one's own for this long.
KEPT_FOR = dt.timedelta(days=30)


class SignInRefused(Invalid):
    """Address and password do not belong together here: one answer for every reason (U1)."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A sign-in just opened; the token exists only here and in the browser."""

    token: str
    actor: Actor
    expires_at: dt.datetime


def sign_in_with_password(
    session: Session, entrance: Entrance, email: str, password: str, client: Client, *, refusal: str
) -> Opened:
    """Check a password and open a sign-in; raises SignInRefused with ``refusal``, the same for every reason.

    The check takes the same work whether or not the account exists, and holds no transaction meanwhile.
    """
    person, stored = _read_account(session, entrance, email)
    right = current_passwords().verify(stored, password)
    if person is None or stored is None or not right or not may_sign_in(entrance.kind, person.state):
        _record_failure(session, entrance, person, client)
        raise SignInRefused("sign-in-refused", refusal)
    renewed = current_passwords().hash(password) if current_passwords().outdated(stored) else None
    return open_sign_in(session, entrance, person, client, how="password", renewed_hash=renewed)


@transactional
def _read_account(session: Session, entrance: Entrance, email: str) -> tuple[Person | None, str | None]:
    return find_by_email(session, entrance, email)


@transactional
def _record_failure(session: Session, entrance: Entrance, person: Person | None, client: Client) -> None:
    subject = person.id if person is not None else "unknown"
    record(session, client.visitor(entrance), "sign_in.refused", entrance.kind, subject)


@transactional
def open_sign_in(
    session: Session, entrance: Entrance, person: Person, client: Client, *, how: str, renewed_hash: str | None = None
) -> Opened:
    """Open a sign-in for somebody who has just proven who they are: always a new token (V7.2.4)."""
    token, now = new_token(), real_now()
    sign_in = SignIn(
        id=new_id(),
        token_hash=digest(token),
        subject_kind=entrance.kind,
        subject_id=person.id,
        portal_id=entrance.portal_id,
        created_at=now,
        seen_at=now,
        expires_at=now + entrance.lifetime,
        ip=client.ip,
        agent=(client.agent or "")[:300] or None,
    )
    session.add(sign_in)
    session.execute(delete(SignIn).where(_of(entrance, person.id), SignIn.expires_at < now - KEPT_FOR))
    if renewed_hash is not None:
        mine = (entrance.owns(Credential), Credential.subject_id == person.id)
        session.execute(update(Credential).where(*mine).values(password_hash=renewed_hash))
    actor = actor_of(person, sign_in_id=sign_in.id, ip=client.ip)
    record(session, actor, "sign_in.opened", entrance.kind, person.id, detail={"how": how})
    return Opened(token, actor, sign_in.expires_at)


@transactional
def recognize(session: Session, entrance: Entrance, token: str, ip: str | None = None) -> Actor | None:
    """Return whose sign-in a token is, or None: unknown, of another place, over, revoked, or somebody blocked."""
    model, now = MODELS[entrance.kind], real_now()
    query = (
        select(SignIn, model)
        .join(model, model.id == SignIn.subject_id)
        .where(entrance.owns(SignIn), SignIn.token_hash == digest(token))
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    sign_in, person = found
    if not is_alive(now, sign_in.seen_at, sign_in.expires_at, sign_in.revoked_at, entrance.idle):
        return None
    if not may_sign_in(entrance.kind, person.state):
        return None
    if now - sign_in.seen_at >= SEEN_EVERY:
        sign_in.seen_at = now
    return actor_of(person, sign_in_id=sign_in.id, ip=ip)


@transactional
def list_sign_ins(session: Session, entrance: Entrance, person_id: uuid.UUID) -> Sequence[SignIn]:
    """Return somebody's sign-ins that still count, the last used first."""
    now = real_now()
    query = select(SignIn).where(_of(entrance, person_id), SignIn.revoked_at.is_(None), SignIn.expires_at > now)
    alive = query.where(SignIn.seen_at > now - entrance.idle).order_by(SignIn.seen_at.desc())
    return session.scalars(alive).all()


@transactional
def revoke_sign_in(session: Session, entrance: Entrance, actor: Actor, sign_in_id: uuid.UUID) -> None:
    """End one of the actor's own sign-ins at once; raises NotFound where it is not theirs or has ended."""
    assert actor.id is not None  # noqa: S101  # callers checked that somebody is signed in
    ended = session.execute(
        update(SignIn)
        .where(_of(entrance, actor.id), SignIn.id == sign_in_id, SignIn.revoked_at.is_(None))
        .values(revoked_at=real_now())
        .returning(SignIn.id)
    ).scalar_one_or_none()
    if ended is None:
        raise NotFound
    action = "sign_in.closed" if sign_in_id == actor.sign_in_id else "sign_in.revoked"
    record(session, actor, action, actor.kind, actor.id, detail={"sign_in": str(sign_in_id)})


@transactional
def revoke_others(session: Session, entrance: Entrance, actor: Actor) -> int:
    """End all of the actor's sign-ins but the present one, and return how many those were."""
    assert actor.id is not None  # noqa: S101  # callers checked that somebody is signed in
    others = [_of(entrance, actor.id), SignIn.revoked_at.is_(None), SignIn.expires_at > real_now()]
    if actor.sign_in_id is not None:
        others.append(SignIn.id != actor.sign_in_id)
    ended = session.execute(update(SignIn).where(*others).values(revoked_at=real_now()).returning(SignIn.id)).all()
    record(session, actor, "sign_in.others_revoked", actor.kind, actor.id, detail={"count": len(ended)})
    return len(ended)


def _of(entrance: Entrance, person_id: uuid.UUID) -> ColumnElement[bool]:
    return entrance.owns(SignIn) & (SignIn.subject_id == person_id)
