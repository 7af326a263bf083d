"""The live channel: who may listen is decided on the server, and what is said carries no content.

A signed-in person joins the room of their own account and no other; rooms are never named by clients (M5). Events only
say that something changed: what it is, the page asks for over HTTP, where every request is authorized anew.
"""

from __future__ import annotations

import functools
import uuid
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request

from polyclinic.config import Settings
from polyclinic.kernel.actor import Kind
from polyclinic.kernel.errors import Refusal
from polyclinic.kernel.later import without
from polyclinic.web.auth import PERSON_OF, current_actor
from polyclinic.web.offload import is_green
from polyclinic.web.places import current_place

with without("requests", "valkey", "aiohttp"):  # for clients, of which there are none here: 0.15 s and 8 MB
    import socketio as socketio_protocol
    from flask_socketio import SocketIO, join_room

#: Above it an event is refused: nothing that this channel carries is larger (bytes).
LARGEST_EVENT = 64 * 1024
PING_SECONDS, PONG_SECONDS = 25, 20
CHANNEL = "polyclinic"

sockets = SocketIO()


def room_of(kind: Kind, person: uuid.UUID) -> str:
    """Return the room of one account."""
    return f"{kind}:{person}"


def same_origin(origin: str | None, environ: dict[str, Any]) -> bool:
    """Whether a handshake comes from a page of the very host it goes to."""
    host = str(environ.get("HTTP_HOST", ""))
    if origin is None or not host:
        return False
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # brackets that hold no IPv6 address
        return False


def init_app(app: Flask, settings: Settings) -> None:
    """Attach Socket.IO; several web processes speak through Redis."""
    sockets.init_app(
        app,
        # Workers and commands, which serve nobody, need not even import what serves.
        async_mode=settings.async_mode if is_green() else "threading",
        # The default handles events of one client in parallel and so reorders them (measured).
        async_handlers=False,
        client_manager=socketio_protocol.RedisManager(settings.redis_url, channel=CHANNEL),
        cors_allowed_origins=same_origin,
        max_http_buffer_size=LARGEST_EVENT,
        ping_interval=PING_SECONDS,
        ping_timeout=PONG_SECONDS,
        manage_session=False,
    )


@sockets.on("connect")
def _connect() -> bool | None:
    """Let a signed-in person of this place in, into the room of their own account."""
    if "Origin" in request.headers and not same_origin(request.headers["Origin"], request.environ):
        return False
    try:
        actor, place = current_actor(), current_place()
    except Refusal:
        return False
    if actor.id is None or PERSON_OF.get(place.name) != actor.kind:
        return False
    join_room(room_of(actor.kind, actor.id))
    return None


@functools.cache
def _speaker(redis_url: str) -> socketio_protocol.RedisManager:
    return socketio_protocol.RedisManager(redis_url, channel=CHANNEL, write_only=True)


def tell(redis_url: str, kind: Kind, person: uuid.UUID, event: str) -> None:
    """Tell one person's open pages that ``event`` happened; for jobs, which have no sockets of their own."""
    _speaker(redis_url).emit(event, {}, room=room_of(kind, person))
