"""The internal port of a web process: /health, /ready and /metrics, outside of hosts, sessions and Flask."""

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import redis

from polyclinic.config import Settings
from polyclinic.runtime.schema import plain

Check = Callable[[], None]
SECONDS = 3


class Internal:
    """Answers on 127.0.0.1:INTERNAL_PORT; without such a port it does nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.began = time.monotonic()
        self.leaving = False
        self.checks: dict[str, Check] = {"database": self._ask_database, "redis": self._ask_redis}

    def start(self) -> None:
        """Listen in a thread of its own (a green one where threads are patched)."""
        if self.settings.internal_port is None:
            return
        server = ThreadingHTTPServer(("127.0.0.1", self.settings.internal_port), _handler(self))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, name="internal", daemon=True).start()

    def leave(self) -> None:
        """Say not ready from now on: a proxy sends nothing more."""
        self.leaving = True

    def answer(self, path: str) -> tuple[HTTPStatus, str, str]:
        """Status, type and body for a path."""
        if path == "/health":
            return HTTPStatus.OK, "text/plain", "ok\n"
        if path == "/ready":
            problems = self.problems()
            status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
            return status, "application/json", json.dumps({"ready": not problems, "problems": problems}) + "\n"
        if path == "/metrics":
            return HTTPStatus.OK, "text/plain; version=0.0.4", self.metrics()
        return HTTPStatus.NOT_FOUND, "text/plain", "There is /health, /ready and /metrics.\n"

    def problems(self) -> dict[str, str]:
        """What keeps this process from serving, by name."""
        if self.leaving:
            return {"process": "stopping"}
        found: dict[str, str] = {}
        for name, check in self.checks.items():
            try:
                check()
            except (psycopg.Error, redis.RedisError, OSError) as error:
                found[name] = type(error).__name__  # the text may hold an address
        return found

    def metrics(self) -> str:
        """Prometheus' text format."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        kilobytes = usage.ru_maxrss if sys.platform == "linux" else usage.ru_maxrss // 1024
        rows = (
            ("polyclinic_up_seconds", "gauge", "Time since the process started.", time.monotonic() - self.began),
            ("process_cpu_seconds_total", "counter", "Processor time used.", usage.ru_utime + usage.ru_stime),
            ("process_peak_resident_bytes", "gauge", "Most memory held so far.", kilobytes * 1024),
            ("polyclinic_ready", "gauge", "1 while the process can serve.", 0 if self.problems() else 1),
        )
        label = f'{{pid="{os.getpid()}"}}'
        return "".join(
            f"# HELP {name} {text}\n# TYPE {name} {kind}\n{name}{label} {value:g}\n" for name, kind, text, value in rows
        )

    def _ask_database(self) -> None:
        with psycopg.connect(plain(self.settings.database_url), connect_timeout=SECONDS) as connection:
            connection.execute("SELECT 1")

    def _ask_redis(self) -> None:
        client = redis.Redis.from_url(self.settings.redis_url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
        try:
            client.ping()
        finally:
            client.close()


def _handler(internal: Internal) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers GET; says nothing in the log."""

        def do_GET(self) -> None:  # the name is the base class's
            status, kind, body = internal.answer(self.path.partition("?")[0])
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Probes would fill the log."""

    return Handler
