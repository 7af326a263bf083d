"""API tokens (W1): scoped bearer tokens of one person in one place, shown once, stored as digests."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask, current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.identity.models import ApiToken
from polyclinic.identity.people import MODELS, Entrance, actor_of
from polyclinic.identity.rules import SEEN_EVERY, clean_name, may_sign_in
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import real_now
from polyclinic.kernel.errors import Invalid, NotFound
from polyclinic.kernel.ids import digest, new_id, new_token
from polyclinic.kernel.transactions import transactional
from polyclinic.tenancy.places import PlaceName

_KEY = "polyclinic.identity.scopes"
LONGEST_NAME = 80
#: Days after which a token ends, as the form offers them; None means never.
LIFETIMES: tuple[int | None, ...] = (30, 90, 365, None)
MOST = 25


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; the secret exists only here and where its owner keeps it."""

    secret: str
    row: ApiToken


def add_scopes(app: Flask, place: PlaceName, scopes: Mapping[str, Any]) -> None:
    """Offer scopes for the tokens of a place: ``{"appointments:read": lazy sentence}``."""
    app.extensions.setdefault(_KEY, {}).setdefault(place, {}).update(scopes)


def scopes_of(place: PlaceName) -> Mapping[str, Any]:
    """Return the scopes that tokens of a place may have, with what they allow in words."""
    return cast("Mapping[str, Any]", current_app.extensions.get(_KEY, {}).get(place, {}))


@transactional
def create_token(
    session: Session,
    entrance: Entrance,
    actor: Actor,
    name: str,
    scopes: Iterable[str],
    expires_at: dt.datetime | None = None,
) -> NewToken:
    """Make a token for the actor; the scope is the door's. Raises Invalid where name or scopes are wrong."""
    assert actor.id is not None  # noqa: S101  # callers checked that somebody is signed in
    label, chosen = clean_name(name), sorted(set(scopes))
    problems: dict[str, Any] = {}
    if not 1 <= len(label) <= LONGEST_NAME:
        problems["name"] = _l("Say what the token is for, in at most %(number)s characters.", number=LONGEST_NAME)
    if not chosen or not set(chosen) <= set(scopes_of(entrance.place)):
        problems["scopes"] = _l("Choose at least one of the permissions offered.")
    if not problems and len(list_tokens(session, entrance, actor.id)) >= MOST:
        problems["name"] = _l("You have %(number)s tokens. Revoke one that you no longer need first.", number=MOST)
    if problems:
        raise Invalid("invalid", _l("Please check what you entered."), fields=problems)
    secret = new_token()
    row = ApiToken(
        id=new_id(),
        token_hash=digest(secret),
        subject_kind=entrance.kind,
        subject_id=actor.id,
        portal_id=entrance.portal_id,
        name=label,
        scopes=chosen,
        created_at=real_now(),
        expires_at=expires_at,
    )
    session.add(row)
    record(session, actor, "api_token.created", actor.kind, actor.id, detail={"token": str(row.id), "scopes": chosen})
    return NewToken(secret, row)


@transactional
def list_tokens(session: Session, entrance: Entrance, person_id: uuid.UUID) -> Sequence[ApiToken]:
    """Return somebody's tokens that were not revoked, the newest first."""
    mine = (entrance.owns(ApiToken), ApiToken.subject_id == person_id, ApiToken.revoked_at.is_(None))
    return session.scalars(select(ApiToken).where(*mine).order_by(ApiToken.created_at.desc())).all()


@transactional
def revoke_token(session: Session, entrance: Entrance, actor: Actor, token_id: uuid.UUID) -> None:
    """End one of the actor's own tokens at once; raises NotFound where it is not theirs or has ended."""
    assert actor.id is not None  # noqa: S101  # callers checked that somebody is signed in
    ended = session.execute(
        update(ApiToken)
        .where(entrance.owns(ApiToken), ApiToken.subject_id == actor.id)
        .where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=real_now())
        .returning(ApiToken.id)
    ).scalar_one_or_none()
    if ended is None:
        raise NotFound
    record(session, actor, "api_token.revoked", actor.kind, actor.id, detail={"token": str(token_id)})


@transactional
def recognize_token(session: Session, entrance: Entrance, secret: str, ip: str | None = None) -> Actor | None:
    """Return whose API token this is, with its scopes, or None: unknown, of another place, over, revoked, blocked."""
    model, now = MODELS[entrance.kind], real_now()
    query = (
        select(ApiToken, model)
        .join(model, model.id == ApiToken.subject_id)
        .where(entrance.owns(ApiToken), ApiToken.token_hash == digest(secret), ApiToken.revoked_at.is_(None))
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    token, person = found
    if (token.expires_at is not None and token.expires_at <= now) or not may_sign_in(entrance.kind, person.state):
        return None
    if token.used_at is None or now - token.used_at >= SEEN_EVERY:
        token.used_at = now
    return actor_of(person, scopes=frozenset(token.scopes), ip=ip)
