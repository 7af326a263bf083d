"""Factories: fixtures that return a callable which makes dummy things, through services where they exist."""

from collections.abc import Callable

import pytest

from polyclinic.identity.people import entrance_of
from polyclinic.identity.tokens import create_token
from polyclinic.kernel.actor import Actor
from polyclinic.web.db import engine, open_session
from polyclinic.web.places import PlaceFlask

MakeToken = Callable[..., dict[str, str]]


@pytest.fixture
def api_token(app: PlaceFlask) -> MakeToken:
    """Return a callable that makes an API token for a person, as the header that carries it."""

    def make(actor: Actor, *scopes: str) -> dict[str, str]:
        places = app.places
        portal = places.portal(actor.portal_id) if actor.portal_id else None
        host = portal.host if portal else places.host("specialists" if actor.kind == "specialist" else "admin")
        place = places.find(host or "")
        assert place is not None
        with app.app_context():
            entrance = entrance_of(place)
            with open_session(engine(), entrance.scope) as session:
                token = create_token(session, entrance, actor, "tests", scopes)
        return {"Authorization": f"Bearer {token.secret}"}

    return make
