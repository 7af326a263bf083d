"""Forwarded headers count from configured proxies alone (V4.1.3): the client's address and the scheme, never the host.

A proxy passes the Host header on as it came. Of X-Forwarded-For the last address that is no proxy of ours is the
client's: whatever stands before it, the client may have written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

Network = IPv4Network | IPv6Network


class BehindProxies:
    """A WSGI layer that restores what a trusted proxy knows of the client."""

    def __init__(self, app: Callable[..., Iterable[bytes]], trusted: Sequence[Network]) -> None:
        """Stand before ``app`` and believe ``trusted``."""
        self._app = app
        self._trusted = trusted

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Rewrite address and scheme where the connection comes from a trusted proxy."""
        if self._is_trusted(environ.get("REMOTE_ADDR", "")):
            environ["REMOTE_ADDR"] = self._client(environ)
            if environ.get("HTTP_X_FORWARDED_PROTO") in ("http", "https"):
                environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"]
        return self._app(environ, start_response)

    def _client(self, environ: dict[str, Any]) -> str:
        found = str(environ["REMOTE_ADDR"])
        for hop in reversed(str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
            if _address(hop.strip()) is None:
                return found
            found = hop.strip()
            if not self._is_trusted(found):
                return found
        return found

    def _is_trusted(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def _address(text: str) -> Any:
    try:
        return ip_address(text)
    except ValueError:
        return None
