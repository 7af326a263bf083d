"""One line for each answered request: status, time, method, host, path.

Neither queries, which may say what somebody is ill with, nor the tokens of links.
"""

import re
import time
from collections.abc import Callable, Iterable
from typing import IO, Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

QUIET = ("/static/", "/socket.io")
"""Asked for with every page; they would drown the rest."""


_TOKEN = re.compile(r"/(?!\w{8}-\w{4}-\w{4}-\w{4}-\w{12}(?:/|$))[\w.~-]{24,}(?=/|$)")


class AccessLog:
    """A WSGI layer around an application."""

    def __init__(self, application: Application, out: IO[str]) -> None:
        self.application = application
        self.out = out

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Pass a request on and note its answer."""
        path = str(environ.get("PATH_INFO", ""))
        if path.startswith(QUIET):
            return self.application(environ, start_response)
        began = time.monotonic()

        def note(status: str, *rest: Any) -> Any:
            took = (time.monotonic() - began) * 1000
            host = str(environ.get("HTTP_HOST", "-")).partition(":")[0]
            method = environ.get("REQUEST_METHOD", "-")
            self.out.write(_one_line(f"{status[:3]} {took:5.0f} ms  {method} {host}{_TOKEN.sub('/…', path)}") + "\n")
            return start_response(status, *rest)

        return self.application(environ, note)


def _one_line(text: str) -> str:
    """Text from outside cannot begin a line of its own in the log."""
    return "".join(char if char.isprintable() else "?" for char in text)
