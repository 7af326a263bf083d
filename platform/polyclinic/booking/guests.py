"""Whose hold it is before anybody has signed in: the guest cookie of a browser (B2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, current_app, g
from flask import session as page_session
from sqlalchemy.orm import Session

from polyclinic.booking.holds import adopt_holds
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.ids import digest, new_token
from polyclinic.web.auth import cookie_name, current_actor
from polyclinic.web.places import current_place

KEPT_SECONDS = 24 * 3600


def holder() -> Actor:
    """Return who keeps a time: the patient, or this browser as a guest, which gets its cookie with the answer.

    Asked before the request's database session begins, for the cookie is part of its scope. The cookie is derived from
    the browser's page session, so that two presses of one button are the same guest's.
    """
    actor = current_actor()
    if actor.kind != "visitor" or actor.guest is not None:
        return actor
    seed = page_session.get("csrf_token")
    token = digest(f"{current_app.config['SECRET_KEY']}:guest:{seed}").hex() if seed else new_token()
    g.new_guest = token
    g.actor = replace(actor, guest=digest(token).hex())
    return current_actor()


def keep_guest(response: Any) -> Any:
    """Give the browser its guest cookie, where ``holder`` made one."""
    token = g.get("new_guest")
    if token is not None and isinstance(response, Response):
        response.set_cookie(
            cookie_name("guest"),
            token,
            max_age=KEPT_SECONDS,
            secure=current_app.config["POLYCLINIC"].scheme == "https",
            httponly=True,
            samesite="Lax",
            path="/",
        )
    return response


def adopt(session: Session, actor: Actor, guest: str | None) -> None:
    """Pass a browser's holds to the patient who has just signed in there (B2)."""
    portal = current_place().portal
    if portal is not None and guest is not None:
        adopt_holds(session, actor, portal)
