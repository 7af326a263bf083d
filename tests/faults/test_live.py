"""The running web process that the tests from outside speak to."""

from __future__ import annotations

import pytest

from support.cast import Cast
from support.live import Live

pytestmark = pytest.mark.slow


def test_the_running_process_knows_the_cast(live: Live, live_cast: Cast) -> None:
    """P1: each host its own portal, an unknown one nothing."""
    for portal in live_cast.portals:
        answer = live.person(portal.host).get("/")
        assert answer.status_code == 200
        assert portal.canary in answer.text
    stranger = live.person("nobody.localhost").get("/")
    assert (stranger.status_code, stranger.text) == (404, "Not found\n")


def test_a_new_cast_is_known_at_once(live: Live, live_cast: Cast) -> None:
    """A test begins with its own network, whatever the one before it left in the process."""
    answer = live.person(live_cast.alpha.host).get(f"/specialists/{live_cast.listing(live_cast.alpha, live_cast.sam)}")
    assert answer.status_code == 200
    assert "Sam" in answer.text
