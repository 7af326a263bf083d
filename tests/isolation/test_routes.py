"""I2, P1: every route of every place, from the URL map: foreign ids, strangers, other places, no writes by GET.

A row of the matrix counts only with its control: the same request with an id of one's own succeeds.
"""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from polyclinic.app import create_app
from polyclinic.config import Settings
from polyclinic.tenancy.places import PLACES
from polyclinic.web.places import PlaceFlask
from support.bookings import Desk
from support.cast import Cast
from support.client import Browser
from support.fields import FIELDS, documented, request_with
from support.routes import ACTORS, BEFORE, BODIES, CONTROLS, PARAMETERS, QUERIES, Row, Stage, host_of, rows
from support.state import fingerprints

#: Built without a database, only to be asked which routes there are.
MAP = create_app(
    Settings(
        "test",
        Path("/nonexistent"),
        "postgresql+psycopg://nobody@/none",
        "redis://127.0.0.1:1/0",
        "x" * 32,
        async_mode="threading",
    )
)
ROWS = list(rows(MAP))
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ONCE = re.compile(r'(nonce="|content="|value=")[\w.-]{16,}"|token=[\w.-]+|\?v=\w+')


@pytest.fixture
def stage(scene: Cast, app: PlaceFlask, engine: Engine, owner: Engine) -> Stage:
    with app.app_context():  # left before the first request: requests inside of it would share their person
        return Stage(Desk(app, scene, engine, owner))


def plain(answer: TestResponse) -> tuple[int, str]:
    """An answer without what differs from request to request: ids that were asked for, nonces, tokens."""
    return answer.status_code, ONCE.sub("once", UUID.sub("id", answer.get_data(as_text=True)))


def ask(browser: Browser, stage: Stage, row: Row, ids: dict[str, Any], token: str) -> TestResponse:
    """Send the row's request as a page or its script would."""
    host = host_of(stage.cast, row.place)
    path = row.address({name: str(value) for name, value in ids.items()})
    if query := QUERIES.get(row.endpoint):
        path += "?" + urlencode({name: stage.ids.get(value, value) for name, value in query.items()})
    body = BODIES.get(row.endpoint, {})
    if row.method == "GET":
        return browser.get(host, path)
    if path.startswith("/api/"):
        return browser.send(row.method, host, path, body, headers={"X-CSRFToken": token})
    return browser.post(host, path, {"csrf_token": token, **body})


def test_the_matrix_knows_every_id(app: PlaceFlask) -> None:
    """T3: a route whose id nobody told it about fails; so does what it knows and no route has."""
    unknown = [row.title for row in ROWS if None in row.parameters]
    assert unknown == []
    assert {row.title for row in ROWS} == {row.title for row in rows(app)}
    used = {id(parameter) for row in ROWS for parameter in row.parameters}
    assert [key for key, parameter in PARAMETERS.items() if id(parameter) not in used] == []


@pytest.mark.parametrize("row", ROWS, ids=[row.title for row in ROWS])
def test_a_foreign_id_is_not_found_and_ones_own_is(stage: Stage, browser: Browser, row: Row) -> None:
    """I2, T3: the answer to another's id is that to an id which nobody has; one's own succeeds."""
    host = host_of(stage.cast, row.place)
    browser.sign_in(ACTORS[row.place](stage.cast))
    token = browser.token(host, "/account")
    own = {name: stage.ids[one.own] for name, one in zip(row.names, row.parameters, strict=True) if one}
    for name, parameter in zip(row.names, row.parameters, strict=True):
        assert parameter
        nobodys = plain(ask(browser, stage, row, own | {name: uuid.uuid4()}, token))
        assert nobodys[0] == 404, f"{name}: an id that nobody has"
        before = fingerprints(stage.desk.owner)
        for whose, key in parameter.foreign:
            answer = plain(ask(browser, stage, row, own | {name: stage.ids[key]}, token))
            assert answer == nobodys, f"{name}: {whose} is told apart from an id that nobody has"
        assert fingerprints(stage.desk.owner) == before
    BEFORE.get(row.endpoint, lambda _stage: None)(stage)
    if row.endpoint in CONTROLS:
        browser.sign_in(CONTROLS[row.endpoint](stage.cast))
        token = browser.token(host, "/account")
        before = fingerprints(stage.desk.owner)
    control = ask(browser, stage, row, own, token)
    assert 200 <= control.status_code < 400, control.get_data(as_text=True)[-2000:]
    if row.method == "GET":
        assert fingerprints(stage.desk.owner) == before, "a GET changed rows"


def test_the_matrix_knows_every_id_in_bodies_and_queries() -> None:
    """T3: the OpenAPI documents say which there are."""
    found = set(documented(MAP))
    assert found - set(FIELDS) == set()
    assert set(FIELDS) - found == set()


@pytest.mark.parametrize("key", FIELDS, ids=[" ".join(key) for key in FIELDS])
def test_a_foreign_id_in_a_request_is_one_that_nobody_has(
    stage: Stage, browser: Browser, key: tuple[str, str, str, str]
) -> None:
    """I2, T3: in bodies as in paths; a query that filters by it finds nothing."""
    place, method, _, _ = key
    host, parameter = host_of(stage.cast, place), FIELDS[key].parameter
    browser.sign_in(ACTORS[place](stage.cast))
    token = browser.token(host, "/account")

    def answered(value: Any) -> TestResponse:
        path, rest = request_with(stage, key, value)
        if method == "GET":
            return browser.get(host, path, query_string=rest)
        return browser.send(method, host, path, rest, headers={"X-CSRFToken": token})

    before = fingerprints(stage.desk.owner)
    nobodys = plain(answered(uuid.uuid4()))
    assert nobodys[0] in (404, 409, 422) or (method == "GET" and nobodys[0] == 200), nobodys
    for whose, name in parameter.foreign:
        assert plain(answered(stage.ids[name])) == nobodys, f"{whose} is told apart from an id that nobody has"
    assert fingerprints(stage.desk.owner) == before
    control = answered(stage.ids[parameter.own])
    assert control.status_code < 300, control.get_data(as_text=True)
    assert plain(control) != nobodys


def plain_pages(place: str) -> list[str]:
    """Addresses of a place that are read and need no id."""
    found = [r for r in MAP.url_map.iter_rules() if r.subdomain == place and "GET" in (r.methods or ())]
    return sorted({rule.rule for rule in found if not rule.arguments})


@pytest.mark.parametrize("place", [place for place in PLACES if place != "hooks"])
def test_no_page_breaks_or_writes_for_anybody(stage: Stage, app: PlaceFlask, place: str) -> None:
    """V3.5.3: reading changes nothing, whoever reads; nothing answers 5xx, signed in here, elsewhere or nowhere."""
    cast, host = stage.cast, host_of(stage.cast, place)
    for who in (None, cast.alpha.patient, cast.ada, cast.olga):
        browser = Browser(app)
        if who is not None:
            browser.sign_in(who)
        before = fingerprints(stage.desk.owner)
        answered = {path: browser.get(host, path).status_code for path in plain_pages(place)}
        assert {path: status for path, status in answered.items() if status >= 500} == {}
        assert fingerprints(stage.desk.owner) == before, f"reading as {who.name if who else 'a visitor'} changed rows"


@pytest.mark.parametrize("place", PLACES)
def test_a_route_of_another_place_is_not_found(stage: Stage, browser: Browser, place: str) -> None:
    """P1: the same paths may mean something else here, but what only others have is not there."""
    host = host_of(stage.cast, place)
    for actor in (stage.cast.alpha.patient, stage.cast.ada, stage.cast.olga):
        browser.sign_in(actor)
    adapter = MAP.url_map.bind(host, subdomain=place)
    elsewhere = 0
    for rule in MAP.url_map.iter_rules():
        path = filled(rule)
        if rule.subdomain == place or adapter.test(path, "GET") or adapter.allowed_methods(path):
            continue
        answer = browser.get(host, path)
        slash = answer.status_code == 308 and adapter.allowed_methods(path + "/")
        assert answer.status_code == 404 or slash, f"{rule.subdomain} {path} on {host}: {answer.status_code}"
        elsewhere += 1
    assert elsewhere > 10


def filled(rule: Rule) -> str:
    """A path of the rule, with something in place of its parameters."""
    path = re.sub(r"<any\('?(\w[\w-]*)[^>]*>", r"\1", rule.rule)
    path = re.sub(r"<uuid:[^>]*>", str(uuid.UUID(int=7)), path)
    return re.sub(r"<[^>]*>", "7", path)
