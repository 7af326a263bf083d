"""V4.1.3: forwarded headers of strangers are ignored, those of a configured proxy say who the client is."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from polyclinic.web.proxies import BehindProxies

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("::1")]


def seen(remote: str, **headers: str) -> tuple[str, str]:
    """Address and scheme that the application sees."""
    found: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        found.update(environ)
        return []

    names = {f"HTTP_X_FORWARDED_{name.upper()}": value for name, value in headers.items()}
    list(BehindProxies(app, TRUSTED)({"REMOTE_ADDR": remote, "wsgi.url_scheme": "http", **names}, lambda *_: None))
    return found["REMOTE_ADDR"], found["wsgi.url_scheme"]


@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        ("198.51.100.7", "192.0.2.1", "198.51.100.7"),
        ("10.0.0.2", "192.0.2.1", "192.0.2.1"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.2", "203.0.113.9, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.2", "203.0.113.9, 192.0.2.1, 10.0.0.3", "192.0.2.1"),
        ("10.0.0.2", "192.0.2.1, nonsense", "10.0.0.2"),
        ("10.0.0.2", "nonsense, 10.0.0.3", "10.0.0.3"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("", "192.0.2.1", ""),
    ],
)
def test_the_last_address_that_is_no_proxy_of_ours_is_the_clients(remote: str, forwarded: str, client: str) -> None:
    """V4.1.3: what a client writes into the header moves no limit and no audit row."""
    assert seen(remote, **{"for": forwarded})[0] == client


@pytest.mark.parametrize(
    ("remote", "proto", "scheme"),
    [("10.0.0.2", "https", "https"), ("10.0.0.2", "gopher", "http"), ("192.0.2.1", "https", "http")],
)
def test_the_scheme_is_believed_from_a_proxy_only(remote: str, proto: str, scheme: str) -> None:
    """V4.1.3: and only if it is one."""
    assert seen(remote, proto=proto)[1] == scheme
