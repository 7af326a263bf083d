"""Who is asking: the actor of a request, resolved once by the identity feature's authenticator."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar, cast

from flask import Flask, current_app, g, request
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from polyclinic.kernel.actor import Actor, Kind
from polyclinic.kernel.errors import Forbidden, Unauthenticated
from polyclinic.kernel.ids import digest
from polyclinic.tenancy.places import Place
from polyclinic.web.db import session_for
from polyclinic.web.places import current_place

P = ParamSpec("P")
R = TypeVar("R")

_KEY = "polyclinic.authenticator"
#: Whose place it is: a person of another kind is a stranger there (P2).
PERSON_OF: dict[str, Kind] = {"portal": "patient", "specialists": "specialist", "admin": "operator"}


class Authenticator(Protocol):
    """Turns what a request carries into a person; the identity feature implements it."""

    def by_cookie(self, token: str, place: Place) -> Actor | None:
        """Return the signed-in person behind the sign-in cookie of this place, or None."""

    def by_bearer(self, token: str, place: Place) -> Actor | None:
        """Return the person behind an API token of this place, or None."""


def set_authenticator(app: Flask, authenticator: Authenticator) -> None:
    """Install the authenticator; called once by the identity feature."""
    app.extensions[_KEY] = authenticator


def cookie_name(name: str) -> str:
    """Return the cookie's full name: with the ``__Host-`` prefix over TLS, so that no sibling host can set it (P2)."""
    return f"__Host-{name}" if current_app.config["POLYCLINIC"].scheme == "https" else name


def bearer_token() -> str | None:
    """Return the token of an ``Authorization: Bearer`` header, or None: pages know cookies only."""
    if not request.path.startswith("/api/"):
        return None  # views of pages check no scopes of tokens
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


def current_actor() -> Actor:
    """Return who is asking: a person, or on a portal a visitor.

    A bearer token decides alone where one is sent; a wrong one raises Unauthenticated.
    """
    if "actor" not in g:
        g.actor = _resolve()
    return cast(Actor, g.actor)


def forget_actor() -> None:
    """Resolve the actor anew: after somebody signed in or out during this request."""
    g.pop("actor", None)


def _resolve() -> Actor:
    place = current_place()
    authenticator = cast(Authenticator, current_app.extensions[_KEY])
    token = bearer_token()
    if token is not None:
        actor = authenticator.by_bearer(token, place)
        if actor is None:
            raise Unauthenticated("token-invalid", _l("This API token is unknown, expired or revoked."))
        return actor
    cookie = request.cookies.get(cookie_name("sid"))
    known = authenticator.by_cookie(cookie, place) if cookie else None
    if known is not None:
        return known
    guest = request.cookies.get(cookie_name("guest"))
    return Actor(
        "visitor",
        portal_id=place.portal_id,
        guest=digest(guest).hex() if guest else None,
        address=address_digest(),
        ip=request.remote_addr,
    )


def address_digest() -> str:
    """Return a keyed digest of the client's address, which is all that is stored of a guest's."""
    return digest(f"{current_app.config['SECRET_KEY']}:{request.remote_addr}").hex()


def current_session() -> Session:
    """Return the request's database session in the scope of its actor."""
    return session_for(current_actor().scope())


def require(kind: Kind) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only a signed-in person of ``kind`` through; others hear 401 (pages turn it into the sign-in)."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            require_kind(kind)
            return view(*args, **kwargs)

        return checked

    return decorate


def require_kind(kind: Kind) -> Actor:
    """Return the actor if it is a signed-in person of ``kind``; raises Unauthenticated otherwise."""
    actor = current_actor()
    if not actor.signed_in or actor.kind != kind:
        raise Unauthenticated("sign-in-required", _l("Please sign in to continue."))
    return actor


def require_scope(actor: Actor, scope: str) -> None:
    """Refuse an API token that was not given ``scope`` ("appointments:write"); sign-ins by cookie have all of them."""
    if actor.scopes is not None and scope not in actor.scopes:
        raise Forbidden("scope-missing", _l("This API token lacks the scope “%(scope)s”.", scope=scope))
