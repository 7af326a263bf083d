"""A specialist's time in the API of the Specialist Portal, with real tokens (W1, C1, C9)."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from support.cast import Cast
from support.client import Browser
from support.factories import MakeToken

Call = Callable[..., TestResponse]
HOST = "specialists.localhost"
SATURDAY = {"weekday": 5, "starts": "10:00", "ends": "24:00"}


@pytest.fixture
def call(scene: Cast, browser: Browser, api_token: MakeToken) -> Call:
    """Return a callable that sends a request as Sam, whose token may read and write availability."""
    token = api_token(scene.sam, "availability:read", "availability:write")

    def send(method: str, path: str, json: Any = None, **headers: str) -> TestResponse:
        return browser.send(method, HOST, f"/api/v1{path}", json, headers=token | headers)

    return send


def test_a_rule_is_added_read_changed_and_removed(call: Call) -> None:
    """C1: wall-clock times as people write them, 24:00 included; the zone is the specialist's own."""
    added = call("POST", "/availability-rules", SATURDAY)
    assert added.status_code == 201
    entry = added.json["entry"]
    assert {key: entry[key] for key in SATURDAY} == SATURDAY
    assert (entry["zone"], entry["portals"], added.json["concerned"]) == ("Europe/Berlin", None, [])
    one = f"/availability-rules/{entry['id']}"
    assert call("GET", one).json == entry
    assert call("PUT", one, SATURDAY | {"ends": "12:00"}).json["entry"]["ends"] == "12:00"
    assert call("DELETE", one).json == {"concerned": []}
    for method, body in (("GET", None), ("PUT", SATURDAY), ("DELETE", None)):
        assert call(method, one, body).status_code == 404


def test_lists_are_paged_by_cursor(call: Call) -> None:
    """W1: five rules in pages of two, each once and in order; a made-up cursor is refused."""
    seen, cursor = [], ""
    while cursor is not None:
        page = call("GET", f"/availability-rules?limit=2{cursor and '&cursor='}{cursor}").json
        seen += [item["weekday"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [0, 1, 2, 3, 4]
    for path in ("/availability-rules", "/exceptions", "/time-off"):
        assert call("GET", f"{path}?cursor=made-up").status_code == 422


def test_the_same_key_writes_once(call: Call, owner: Engine) -> None:
    """W1: an idempotency key makes a repeated request one rule."""
    first, second = (call("POST", "/availability-rules", SATURDAY, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.json == second.json
    assert second.headers["Idempotency-Replayed"] == "true"
    with owner.connect() as connection:
        count = "SELECT count(*) FROM availability_rule WHERE weekday = 5"
        assert connection.execute(text(count)).scalar_one() == 1


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/availability-rules", SATURDAY | {"ends": "09:00"}, "ends"),
        ("/availability-rules", SATURDAY | {"starts": "25:00"}, "starts"),
        ("/availability-rules", SATURDAY | {"starts": "24:00"}, "starts"),
        ("/availability-rules", SATURDAY | {"weekday": 7}, "weekday"),
        ("/availability-rules", SATURDAY | {"zone": "Mars/Olympus"}, "zone"),
        ("/availability-rules", SATURDAY | {"portals": [str(uuid.uuid4())]}, "portals"),
        ("/availability-rules", SATURDAY | {"color": "red"}, "color"),
        ("/exceptions", {"kind": "extra", "date": "2027-03-06"}, "starts"),
        ("/exceptions", {"kind": "closed", "date": "2027-03-06", "starts": "10:00"}, "ends"),
        ("/exceptions", {"kind": "perhaps", "date": "2027-03-06"}, "kind"),
        ("/exceptions", {"kind": "closed", "date": "2027-02-30"}, "date"),
        ("/time-off", {}, "starts_at"),
        ("/time-off", {"first_day": "2027-03-03", "last_day": "2027-03-02"}, "last_day"),
        ("/time-off", {"starts_at": "2027-03-03T10:00:00", "ends_at": "2027-03-03T12:00:00Z"}, "starts_at"),
    ],
)
def test_wrong_input_names_the_field_and_what_was_expected(
    call: Call, owner: Engine, path: str, body: dict[str, Any], field: str
) -> None:
    """W1: problem+json with a sentence per field; nothing is changed."""
    answer = call("POST", path, body)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    errors = answer.json["errors"]
    assert field in errors.get("json", errors)
    changes = "SELECT count(*) FROM audit_event WHERE subject_kind IN ('availability_rule', 'availability_exception')"
    with owner.connect() as connection:
        assert connection.execute(text(changes)).scalar_one() == 0


def test_exceptions_and_time_off_change_the_slots(call: Call, scene: Cast) -> None:
    """C1: a closed Tuesday, a Wednesday off, an extra Saturday."""
    week = f"/slots?portal={scene.alpha.id}&service={scene.alpha.service}&from=2027-03-02&to=2027-03-07"
    days = [item["start"][:10] for item in call("GET", week).json["items"]]
    assert sorted(set(days)) == ["2027-03-02", "2027-03-03", "2027-03-04", "2027-03-05"]
    assert call("POST", "/exceptions", {"kind": "closed", "date": "2027-03-02"}).status_code == 201
    off = call("POST", "/time-off", {"first_day": "2027-03-03", "last_day": "2027-03-03", "label": "Dentist"})
    assert off.json["entry"]["starts_at"] == "2027-03-02T23:00:00+00:00"
    extra = {"kind": "extra", "date": "2027-03-06", "starts": "10:00", "ends": "11:00"}
    assert call("POST", "/exceptions", extra).status_code == 201
    days = [item["start"][:10] for item in call("GET", week).json["items"]]
    assert sorted(set(days)) == ["2027-03-04", "2027-03-05", "2027-03-06"]
    assert [item["kind"] for item in call("GET", "/exceptions?from=2027-03-03").json["items"]] == ["extra"]
    assert len(call("GET", "/time-off?from=2027-03-04").json["items"]) == 0


def test_slots_of_what_is_not_mine_do_not_exist(call: Call, scene: Cast) -> None:
    """I2: a portal that does not list Sam, and a service of another portal; too many days are refused."""
    days = "&from=2027-03-02&to=2027-03-04"
    assert call("GET", f"/slots?portal={scene.gamma.id}&service={scene.gamma.service}{days}").status_code == 404
    assert call("GET", f"/slots?portal={scene.beta.id}&service={scene.alpha.service}{days}").status_code == 404
    year = "&from=2027-03-02&to=2028-03-04"
    assert call("GET", f"/slots?portal={scene.alpha.id}&service={scene.alpha.service}{year}").status_code == 422


def test_another_specialists_entries_do_not_exist(
    call: Call, scene: Cast, browser: Browser, api_token: MakeToken
) -> None:
    """I2: every door to a foreign id is 404, and its own specialist gets through the same doors."""
    bodies: dict[str, dict[str, Any]] = {
        "/availability-rules": SATURDAY,
        "/exceptions": {"kind": "closed", "date": "2027-03-09"},
        "/time-off": {"first_day": "2027-03-10", "last_day": "2027-03-10"},
    }
    mine = {path: call("POST", path, body).json["entry"]["id"] for path, body in bodies.items()}
    foreign = api_token(scene.ben, "availability:read", "availability:write")
    for path, entry_id in mine.items():
        for method in ("GET", "PUT", "DELETE"):
            body = bodies[path] if method == "PUT" else None
            answer = browser.send(method, HOST, f"/api/v1{path}/{entry_id}", body, headers=foreign)
            assert answer.status_code == 404, (method, path)
        for method in ("GET", "PUT", "DELETE"):
            body = bodies[path] if method == "PUT" else None
            assert call(method, f"{path}/{entry_id}", body).status_code == 200, (method, path)


def test_a_token_needs_its_scope_and_a_stranger_a_token(scene: Cast, browser: Browser, api_token: MakeToken) -> None:
    """W1: reading does not allow writing; without a token one hears 401; on other places the route does not exist."""
    reader = api_token(scene.sam, "availability:read")
    path = "/api/v1/availability-rules"
    assert browser.send("GET", HOST, path, headers=reader).status_code == 200
    assert browser.send("POST", HOST, path, SATURDAY, headers=reader).status_code == 403
    assert browser.send("GET", HOST, path).status_code == 401
    for host in (scene.alpha.host, scene.admin_host):
        assert browser.send("GET", host, path, headers=reader).status_code == 404
