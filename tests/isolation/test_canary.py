"""P4: nothing that a patient receives names the network, a sibling, or a specialist's own id."""

from __future__ import annotations

import email
from collections.abc import Iterator
from dataclasses import replace
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from polyclinic.app import create_app
from polyclinic.config import Settings
from polyclinic.kernel.scope import Scope
from polyclinic.notifications.sink import Sink, folder_of
from polyclinic.runtime.ports import free_port
from polyclinic.web import jobs
from polyclinic.web.db import db
from polyclinic.web.places import PlaceFlask
from support.bookings import Desk
from support.cast import Cast
from support.client import Browser
from support.routes import Stage, rows

NETWORK = "Hidden Network 7f3a"


@pytest.fixture
def delivering(settings: Settings, scene: Cast, tmp_path: Path) -> Iterator[tuple[PlaceFlask, Path]]:
    """The application with a mail server that keeps everything."""
    with Sink(folder_of(tmp_path), port=free_port()) as sink:
        app = create_app(replace(settings, home=tmp_path, smtp_url=sink.url))
        yield app, sink.folder
        with app.app_context():
            db.engine.dispose()


def pages(app: PlaceFlask, stage: Stage) -> list[str]:
    """Everything that can be read on a portal, with ids of one's own."""
    found = [row for row in rows(app) if row.place == "portal" and row.method == "GET"]
    own = [
        row.address({name: str(stage.ids[one.own]) for name, one in zip(row.names, row.parameters, strict=True) if one})
        for row in found
    ]
    rules = [rule for rule in app.url_map.iter_rules() if rule.subdomain == "portal" and not rule.arguments]
    plain = [rule.rule for rule in rules if "GET" in (rule.methods or ())]
    more = [
        f"/api/v1/specialists/{stage.ids['listing of lea']}/slots?service={stage.ids['service']}"
        "&from=2027-03-01&to=2027-03-08",
        "/agreements/terms",
        "/nowhere",
        "/api/v1/nowhere",
    ]
    return sorted({*own, *plain, *more})


def test_nothing_a_patient_receives_names_the_network_or_a_sibling(
    delivering: tuple[PlaceFlask, Path], scene: Cast, engine: Engine, owner: Engine
) -> None:
    """P4: pages, API, files, mails with sender, Message-ID, links and calendar file."""
    app, folder = delivering
    with owner.begin() as connection:
        statement = "INSERT INTO network_setting (key, value) VALUES ('network.name', to_jsonb(CAST(:name AS text)))"
        connection.execute(text(statement), {"name": NETWORK})
    with app.app_context():
        stage = Stage(Desk(app, scene, engine, owner))
    patient, forbidden = scene.alpha.patient, secrets_of(scene)
    browser = Browser(app)
    browser.sign_in(patient)
    received = {}
    for path in pages(app, stage):
        answer = browser.get(scene.alpha.host, path)
        assert answer.status_code < 500
        received[path] = f"{answer.headers}\n{answer.get_data().decode(errors='replace')}"
    deliver(app, owner)
    to_patients = [mail for mail in map(whole, folder.glob("*.eml")) if patient.email in mail]
    of_alpha = [mail for mail in to_patients if f"@{scene.alpha.host}" in mail]
    assert of_alpha, "no mail to a patient of Alpha"
    received |= {f"mail {number}": mail for number, mail in enumerate(of_alpha)}
    assert sum(scene.alpha.canary in content for content in received.values()) > 5, "the canary of Alpha is not read"
    told = [(what, word) for what, content in received.items() for word in forbidden if word in content]
    assert told == []


def whole(path: Path) -> str:
    """A mail with its headers and every part decoded."""
    mail = email.message_from_bytes(path.read_bytes(), policy=default)
    parts = [part for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *(part.get_content() for part in parts)])


def secrets_of(cast: Cast) -> list[str]:
    """What must never be read on Alpha."""
    people = [str(person.id) for person in (cast.ada, cast.ben, cast.cleo, cast.sam, cast.lea)]
    siblings = [word for portal in (cast.beta, cast.gamma) for word in (portal.canary, portal.host, str(portal.id))]
    return [NETWORK, cast.specialists_host, cast.admin_host, *people, *siblings]


def deliver(app: PlaceFlask, owner: Engine) -> None:
    """Do what is waiting in the outbox."""
    with owner.connect() as connection:
        waiting = connection.execute(text("SELECT id, portal_id FROM outbox WHERE done_at IS NULL ORDER BY id")).all()
    with app.app_context():
        for row in waiting:
            assert jobs.run_message(app, row.id, Scope("job", portal=row.portal_id))
