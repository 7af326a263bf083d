"""The WSGI application: Stripe's API, the pages that browsers see, and the control interface."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from polyclinic_stripe_simulator.api.edge import Answer, Edge, as_response
from polyclinic_stripe_simulator.control import Control
from polyclinic_stripe_simulator.errors import Refused
from polyclinic_stripe_simulator.pages.site import Site
from polyclinic_stripe_simulator.simulation import Options, Simulation
from polyclinic_stripe_simulator.store import Store
from polyclinic_stripe_simulator.sweeping import keep_sweeping
from polyclinic_stripe_simulator.webhooks import Deliverer

WORDS = """
objects deliveries switch aim deliver fail_next pay prove settle onboard refund dispute decide expire advance reset
"""
LOOPBACK = ("127.0.0.1", "localhost")
CONTROLS = frozenset(WORDS.split())


class Service:
    """One simulator, to be served by a WSGI server."""

    def __init__(self, options: Options) -> None:
        """Open what it remembers; `start` lets webhooks go out."""
        self.store = Store(options.file)
        self.simulation = Simulation(options, self.store)
        if options.targets:
            self.store.set("targets", options.targets)
        self.deliverer = Deliverer(self.simulation)
        self.control = Control(self.simulation, self.deliverer)
        self.edge = Edge(self.simulation)
        self.site = Site(self.simulation, self.control)
        self.hosts = {*LOOPBACK, urlsplit(options.public_url).hostname}
        """Of other names it is not spoken to: a page of the web could have bent its own name to this machine."""
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to deliver webhooks and to expire sessions."""
        self.deliverer.start()
        keep_sweeping(self.simulation, self._stopping)

    def stop(self) -> None:
        """Stop both."""
        self._stopping.set()
        self.deliverer.stop()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        request = Request(environ)
        if urlsplit(f"//{request.host}").hostname not in self.hosts:
            return Response("This is no address of the Stripe simulator.\n", 421)(environ, start_response)
        if request.path.startswith(("/v1/", "/v2/")):
            answer = self.edge.answer(request)
            if answer.fault:
                return _trouble(environ, answer)
            return as_response(answer)(environ, start_response)
        if request.path.startswith("/_control/"):
            return self._controlled(request)(environ, start_response)
        if request.path == "/favicon.ico":
            return Response(status=204)(environ, start_response)  # browsers ask by themselves
        if request.path == "/ready":
            return Response("ready\n")(environ, start_response)
        return self.site.answer(request)(environ, start_response)

    def _controlled(self, request: Request) -> Response:
        """`POST /_control/<what>` with JSON: the arguments of a method of Control. For this machine only."""
        name = request.path.removeprefix("/_control/")
        if request.method != "POST" or request.mimetype != "application/json" or name not in CONTROLS:
            return _json({"error": f"POST JSON to one of: {', '.join(sorted(CONTROLS))}."}, 400)
        try:
            return _json({"result": getattr(self.control, name)(**json.loads(request.get_data() or b"{}"))})
        except Refused as refused:
            return _json({"error": refused.error}, refused.status)
        except (TypeError, ValueError) as mistake:
            return _json({"error": f"{name}: {mistake}"}, 400)


def _json(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content, indent=2), status, mimetype="application/json")


def _trouble(environ: dict[str, Any], answer: Answer) -> Iterable[bytes]:
    """Say nothing for a while, or break the connection off (RST); then the server has nobody to talk to."""
    fault = answer.fault
    if fault is not None and fault.status == "timeout":
        time.sleep(fault.seconds)
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())  # close() would wait for the files that the server keeps of it
    raise ConnectionResetError("broken off on request")
