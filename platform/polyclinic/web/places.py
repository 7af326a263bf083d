"""Flask by host: five places with the same paths and different meanings (P1).

Every blueprint declares ``subdomain=<place>``; the place is found from the host before routing, links of another place
cannot be built by accident, and an unknown host is refused by the outermost WSGI layer, before Socket.IO answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from flask import Flask, Request, g, has_request_context, request
from werkzeug.exceptions import NotFound
from werkzeug.routing import MapAdapter

from polyclinic.kernel.errors import Defect
from polyclinic.tenancy.places import Place, PlaceName, Places, PortalView, host_of

ENVIRON_KEY = "polyclinic.place"
#: Places whose pages keep a Socket.IO connection.
SOCKET_PLACES = frozenset({"portal", "specialists"})


class CrossPlace(Defect):
    """A link to another place was asked for without saying which host: use ``link_to``."""


class PlaceAdapter(MapAdapter):
    """Builds links on the request's own host, and raises for an endpoint of another place."""

    def get_host(self, domain_part: str | None) -> str:
        """Return the request's host for rules of this place."""
        if domain_part in (None, self.subdomain):
            return self.server_name
        raise CrossPlace(f"an endpoint of {domain_part!r} cannot be linked from {self.subdomain!r}; use link_to()")


class PlaceFlask(Flask):
    """A Flask application whose URL map is bound to the place of the request's host."""

    places: Places

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Bind the map to the place; raises NotFound for a host that nobody configured."""
        if request is None:
            return None
        place = find_place(self.places, request.environ)
        if place is None:
            raise NotFound
        adapter = self.url_map.bind_to_environ(request.environ, subdomain=place.name)
        adapter.__class__ = PlaceAdapter
        return adapter


class Gate:
    """The outermost WSGI layer: an unknown host hears 404 and no hint, whichever middleware would have answered."""

    def __init__(self, app: Callable[..., Iterable[bytes]], places: Places) -> None:
        """Stand before ``app``."""
        self._app = app
        self._places = places

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Let requests of known hosts through, Socket.IO only on places that have it."""
        place = find_place(self._places, environ)
        sockets = str(environ.get("PATH_INFO", "")).startswith("/socket.io")
        if place is None or (sockets and place.name not in SOCKET_PLACES):
            start_response("404 NOT FOUND", [("Content-Type", "text/plain; charset=utf-8"), ("Vary", "Host")])
            return [b"Not found\n"]
        return self._app(environ, start_response)


def find_place(places: Places, environ: dict[str, Any]) -> Place | None:
    """Return the place of a request, remembered in its environ."""
    if ENVIRON_KEY not in environ:
        environ[ENVIRON_KEY] = places.find(host_of(environ))
    return cast("Place | None", environ[ENVIRON_KEY])


def current_place() -> Place:
    """Return where the current request is; raises NotFound on an unknown host and Defect outside requests."""
    if not has_request_context():
        raise Defect("there is no place outside a request: pass a portal, or use link_to()")
    place = cast("Place | None", request.environ.get(ENVIRON_KEY))
    if place is None:
        raise NotFound
    return place


def current_portal() -> PortalView:
    """Return the portal of the current request; raises NotFound in other places."""
    portal = current_place().portal
    if portal is None:
        raise NotFound
    return portal


def link_to(app: Flask, place: PlaceName, host: str, endpoint: str, **values: Any) -> str:
    """Return an absolute link to another place, or from a mail or job, on a stored domain.

    Raises CrossPlace where the endpoint does not belong to ``place``.
    """
    settings = app.config["POLYCLINIC"]
    server = host if settings.public_port is None else f"{host}:{settings.public_port}"
    adapter = app.url_map.bind(server, subdomain=place, url_scheme=settings.scheme)
    adapter.__class__ = PlaceAdapter
    return adapter.build(endpoint, values, force_external=True)


def vary_by_host(app: Flask) -> None:
    """Have caches keep the answers of different hosts apart, and clear what was remembered of the place."""

    @app.after_request
    def _vary(response: Any) -> Any:
        response.vary.add("Host")
        return response

    @app.before_request
    def _remember() -> None:
        g.place = request.environ.get(ENVIRON_KEY)
