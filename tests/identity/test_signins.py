"""U1, P2: sign-ins are rows on the server; the cookie counts on its own host only."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import Engine, text

from polyclinic.kernel.actor import Actor
from polyclinic.kernel.ids import digest
from polyclinic.web.auth import current_actor
from polyclinic.web.places import PlaceFlask
from support.cast import Cast
from support.client import Browser


def who(app: PlaceFlask, host: str, token: str) -> Actor:
    """Who a request with this cookie is."""
    with app.test_request_context("/", base_url=f"http://{host}:8000", headers={"Cookie": f"sid={token}"}):
        return current_actor()


def test_a_sign_in_counts_on_its_own_host_only(cast: Cast, app: PlaceFlask, browser: Browser) -> None:
    """P2: sent to any other host, the cookie of every kind of person is a stranger's."""
    hosts = [portal.host for portal in cast.portals] + [cast.specialists_host, cast.admin_host]
    for actor in (cast.alpha.patient, cast.beta.patient, cast.sam, cast.olga, cast.oskar):
        home = browser.sign_in(actor)
        token = browser.cookie(home, "sid") or ""
        for host in hosts:
            known = who(app, host, token)
            assert known.signed_in == (host == home), (actor.kind, host)
            if host == home:
                assert (known.kind, known.id, known.portal_id) == (actor.kind, actor.id, actor.portal_id)


def test_operators_see_the_portals_they_were_given(cast: Cast, app: PlaceFlask, browser: Browser) -> None:
    """I2: an operator of some portals acts in another scope than one of the network."""
    for actor, role in ((cast.olga, "network"), (cast.oskar, "operator")):
        host = browser.sign_in(actor)
        assert who(app, host, browser.cookie(host, "sid") or "").scope().role == role


def test_the_token_is_stored_as_a_digest(cast: Cast, owner: Engine, browser: Browser) -> None:
    """U1: a copy of the table signs nobody in."""
    host = browser.sign_in(cast.sam)
    token = browser.cookie(host, "sid") or ""
    assert len(token) >= 43
    with owner.connect() as connection:
        assert connection.execute(text("SELECT token_hash FROM sign_in")).scalar_one() == digest(token)


@pytest.mark.parametrize(
    "ended",
    [
        "UPDATE sign_in SET revoked_at = clock_timestamp()",
        "UPDATE sign_in SET expires_at = clock_timestamp()",
        "UPDATE sign_in SET seen_at = clock_timestamp() - interval '4 hours'",
        "UPDATE specialist SET state = 'suspended'",
        "DELETE FROM sign_in",
    ],
)
def test_an_ended_sign_in_is_refused_at_the_next_request(
    cast: Cast, app: PlaceFlask, owner: Engine, browser: Browser, ended: str
) -> None:
    """V7.3.1, V7.4.1, V7.4.2: revoked, over, idle, suspended."""
    host = browser.sign_in(cast.sam)
    token = browser.cookie(host, "sid") or ""
    assert who(app, host, token).signed_in
    with owner.begin() as connection:
        connection.execute(text(ended))
    assert not who(app, host, token).signed_in


def test_a_blocked_patient_is_a_stranger(cast: Cast, app: PlaceFlask, owner: Engine, browser: Browser) -> None:
    """V7.4.2: on their own portal only; the same address elsewhere is somebody else (P3)."""
    tokens = {}
    for portal in (cast.alpha, cast.beta):
        host = browser.sign_in(portal.patient)
        tokens[host] = browser.cookie(host, "sid") or ""
    with owner.begin() as connection:
        connection.execute(text("UPDATE patient SET state = 'blocked' WHERE id = :id"), {"id": cast.alpha.patient.id})
    assert {host: who(app, host, token).signed_in for host, token in tokens.items()} == {
        cast.alpha.host: False,
        cast.beta.host: True,
    }


def test_use_keeps_a_sign_in_alive(cast: Cast, app: PlaceFlask, owner: Engine, browser: Browser) -> None:
    """V7.3.1: idle means unused; the time of use is written once a minute at most."""
    host = browser.sign_in(cast.olga)
    token = browser.cookie(host, "sid") or ""
    with owner.begin() as connection:
        connection.execute(text("UPDATE sign_in SET seen_at = clock_timestamp() - interval '50 minutes'"))
    assert who(app, host, token).signed_in
    with owner.connect() as connection:
        idle = connection.execute(text("SELECT clock_timestamp() - seen_at FROM sign_in")).scalar_one()
    assert idle < dt.timedelta(minutes=1)
