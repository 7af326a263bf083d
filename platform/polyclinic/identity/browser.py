"""What a browser brings and gets when somebody comes in or leaves: cookies, and where to go next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from flask import Response, current_app, redirect, request
from flask import session as page_session
from sqlalchemy.orm import Session

from polyclinic.identity.limits import device_cookie, known_device
from polyclinic.identity.people import Client, Entrance, entrance_of
from polyclinic.identity.registration import listeners
from polyclinic.identity.signins import Opened, revoke_sign_in
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import real_now
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.ids import digest
from polyclinic.web.auth import address_digest, cookie_name, current_actor, forget_actor
from polyclinic.web.db import engine, open_session
from polyclinic.web.i18n import local_target
from polyclinic.web.places import current_place

SIGN_IN, GUEST, DEVICE = "sid", "guest", "device"
DEVICE_DAYS = 180


def this_entrance() -> Entrance:
    """Return the entrance of the current request's place."""
    return entrance_of(current_place())


def this_client() -> Client:
    """Return what is known of the other side."""
    return Client(request.remote_addr, request.user_agent.string)


def this_device(entrance: Entrance, email: str) -> str | None:
    """Return the name of this browser, if it has signed in to the account before."""
    return known_device(entrance, email, request.cookies.get(cookie_name(DEVICE)))


@contextmanager
def door() -> Iterator[Session]:
    """Open a session as the door of this place, on a connection that goes back at the end."""
    with open_session(engine(), this_entrance().scope) as session:
        yield session


def come_in(opened: Opened, target: str | None) -> Response:
    """Answer somebody who has just signed in: new cookies, listeners told, and on to a page of this host."""
    before = current_actor()
    if before.sign_in_id is not None:
        _end(before)  # whoever was signed in here is not any more (V7.2.4)
    guest = request.cookies.get(cookie_name(GUEST))
    _tell(opened.actor, digest(guest).hex() if guest else None)
    page_session.clear()  # with the CSRF token that the stranger had (U1)
    response = cast(Response, redirect(local_target(target), 303))
    keep_sign_in(response, opened.token, (opened.expires_at - real_now()).total_seconds())
    _set(response, DEVICE, device_cookie(this_entrance(), opened.actor.email), DEVICE_DAYS * 24 * 3600)
    response.delete_cookie(cookie_name(GUEST), **_attributes())
    forget_actor()
    return response


def go_out(target: str | None = "/") -> Response:
    """End this browser's sign-in and go to a page of this host."""
    actor = current_actor()
    if actor.sign_in_id is not None:
        _end(actor)
    page_session.clear()
    response = cast(Response, redirect(local_target(target), 303))
    response.delete_cookie(cookie_name(SIGN_IN), **_attributes())
    forget_actor()
    return response


def keep_sign_in(response: Response, token: str, seconds: float) -> None:
    """Have the browser keep the token of its sign-in: host-only, out of reach of scripts (P2)."""
    _set(response, SIGN_IN, token, int(seconds))


def _end(actor: Actor) -> None:
    assert actor.sign_in_id is not None  # noqa: S101  # callers looked
    with door() as session:
        try:
            revoke_sign_in(session, this_entrance(), actor, actor.sign_in_id)
        except NotFound:
            return  # ended in another window in the same moment: what was asked for has happened


def _tell(actor: Actor, guest: str | None) -> None:
    known = replace(actor, guest=guest, address=address_digest())
    for listener in listeners():
        with open_session(engine(), known.scope()) as session:
            listener(session, known, guest)


def _set(response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(cookie_name(name), value, max_age=seconds, **_attributes())


def _attributes() -> dict[str, Any]:
    secure = current_app.config["POLYCLINIC"].scheme == "https"
    return {"secure": secure, "httponly": True, "samesite": "Lax", "path": "/"}
