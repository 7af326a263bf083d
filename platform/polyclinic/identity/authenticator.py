"""From a cookie or a bearer token to a person of the place it was sent to (P2)."""

from __future__ import annotations

from flask import request
from sqlalchemy import Engine

from polyclinic.identity.people import entrance_of
from polyclinic.identity.signins import recognize
from polyclinic.identity.tokens import recognize_token
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.scope import open_session
from polyclinic.tenancy.places import Place

#: What we give out has 43 characters; anything much longer is not looked up.
LONGEST_TOKEN = 128


class DoorAuthenticator:
    """Asks the database as the door, on a connection that is given back before the request goes on."""

    def __init__(self, engine: Engine) -> None:
        """Ask through ``engine``."""
        self._engine = engine

    def by_cookie(self, token: str, place: Place) -> Actor | None:
        """Return the signed-in person behind the cookie, or None: a stranger, or signed in elsewhere."""
        return self._recognized(token, place, bearer=False)

    def by_bearer(self, token: str, place: Place) -> Actor | None:
        """Return the person behind an API token of this place, or None."""
        return self._recognized(token, place, bearer=True)

    def _recognized(self, token: str, place: Place, *, bearer: bool) -> Actor | None:
        if len(token) > LONGEST_TOKEN:
            return None
        try:
            entrance = entrance_of(place)
        except NotFound:
            return None
        with open_session(self._engine, entrance.scope) as session:
            if bearer:
                return recognize_token(session, entrance, token, request.remote_addr)
            return recognize(session, entrance, token, request.remote_addr)
