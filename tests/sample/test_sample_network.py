"""The sample network: made by services, believable, made once (R1)."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from polyclinic.allocation.models import Allocation
from polyclinic.app import create_app
from polyclinic.booking.models import Appointment
from polyclinic.calendar.models import Claim
from polyclinic.catalogue import file_sections
from polyclinic.config import Settings
from polyclinic.consents.models import Consent
from polyclinic.directory.models import Listing, PublishedProfile
from polyclinic.identity.models import Patient, Specialist
from polyclinic.kernel.clock import AppClock
from polyclinic.kernel.outbox import OutboxMessage
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.payments.ledger_models import LedgerEntry, LedgerPosting
from polyclinic.payments.models import Charge, Refund
from polyclinic.payments.receipt_models import Receipt
from polyclinic.resources import shipped
from polyclinic.runtime.demofile import remembered
from polyclinic.sample import material
from polyclinic.sample.making import make_sample_network
from polyclinic.tenancy.files import plan_portal
from polyclinic.web.db import db
from polyclinic.web.files import LocalFiles, set_files
from polyclinic.web.places import PlaceFlask
from support.stripe_doors import keys_for
from support.stripe_simulator import StripeServer, StripeSimulator

WEEKS = 3


@pytest.fixture(scope="module")
def app(settings: Settings, stripe_server: StripeServer) -> Iterator[PlaceFlask]:
    """The application with keys of the simulator, as the demonstration has them."""
    app = create_app(replace(settings, stripe=keys_for(stripe_server.url)))
    yield app
    with app.app_context():
        db.engine.dispose()


TABLES = (Specialist, Patient, Listing, Appointment, Consent, Claim)


def count(session: Session, table: type) -> int:
    """Count the rows of a table."""
    return session.scalar(select(func.count()).select_from(table)) or 0


def rows(owner: Engine) -> list[int]:
    """Count what the sample network is made of."""
    with Session(owner) as session:
        return [count(session, table) for table in TABLES]


def test_the_sample_network_is_made_by_services_and_only_once(
    clean: None,
    app: PlaceFlask,
    settings: Settings,
    owner: Engine,
    engine: Engine,
    stripe_sim: StripeSimulator,
    tmp_path: Path,
) -> None:
    """R1: three portals, specialists on several, a history; the clock is right again; a second start keeps it all."""
    mine = replace(settings, home=tmp_path, stripe=keys_for(stripe_sim.url))
    set_files(app, LocalFiles(tmp_path / "files"))
    make_sample_network(app, mine, WEEKS, lambda _line: None)
    check_people(owner)
    check_history(owner)
    check_money(owner, stripe_sim)
    check_sign_ins(tmp_path)
    check_tokens(app, tmp_path)
    with open_session(engine, Scope("network")) as session:
        for slug in material.PORTALS:
            assert plan_portal(session, shipped("tenants") / slug, file_sections()).empty
    before, told = rows(owner), remembered(tmp_path)
    make_sample_network(app, mine, WEEKS, lambda _line: None)
    assert rows(owner) == before
    assert remembered(tmp_path) == told


def check_people(owner: Engine) -> None:
    """24 specialists, at least six of them on several portals, all of them published."""
    with Session(owner) as session:
        assert count(session, Specialist) == 24
        several = select(Listing.specialist_id).group_by(Listing.specialist_id).having(func.count() > 1)
        assert len(session.scalars(several).all()) >= 6
        assert count(session, PublishedProfile) == count(session, Listing) == 31
        assert count(session, Patient) == 64


def check_history(owner: Engine) -> None:
    """Visits held, cancelled and to come; nothing of it is left to be told or done today."""
    present = dt.datetime.now(dt.UTC)
    with Session(owner) as session:
        states = dict(session.execute(select(Appointment.state, func.count()).group_by(Appointment.state)).all())
        assert states["completed"] > 10
        assert states["confirmed"] > 10
        assert states["cancelled"] > 0
        assert session.scalar(select(func.max(Appointment.created_at)).where(Appointment.created_at > present)) is None
        overdue = select(func.count()).where(Appointment.state == "confirmed", Appointment.ends_at < present)
        assert (session.scalar(overdue) or 0) <= 3
        agreed = select(Consent.patient_id).group_by(Consent.patient_id).having(func.count() == 3)
        unasked = select(func.count()).where(Allocation.patient_id.not_in(agreed))
        assert session.scalar(unasked) == 0, "nobody booked without all three agreements"
        assert count(session, Claim) == states["completed"] + states["confirmed"]
        assert session.scalar(select(AppClock.offset)) == dt.timedelta(0)
        old = present - dt.timedelta(days=2)
        waiting = select(func.count()).where(OutboxMessage.done_at.is_(None), OutboxMessage.created_at < old)
        assert session.scalar(waiting) == 0


def check_money(owner: Engine, sim: StripeSimulator) -> None:
    """E3–E6: lately two portals charge online; every visit that stands is paid, and the books agree with Stripe."""
    with Session(owner) as session:
        models = dict(session.execute(select(Charge.payment_model, func.count()).group_by(Charge.payment_model)).all())
        assert min(models[name] for name in ("platform_charge", "connect_direct", "external_invoice")) > 3
        standing = select(Charge).join(Appointment, Appointment.id == Charge.cause_id)
        online = standing.where(Charge.provider == "stripe", Appointment.state.in_(("confirmed", "completed")))
        assert all(charge.paid_at for charge in session.scalars(online))
        assert session.scalar(select(func.count()).where(Appointment.state == "pending_payment")) == 0
        marked = select(func.count()).where(Charge.paid_by == "specialist")
        assert (session.scalar(marked) or 0) > 3
        captured = session.scalar(select(func.count()).where(LedgerEntry.kind == "capture"))
        assert captured == len([one for one in sim.objects("charge") if one["paid"]])
        assert session.scalar(select(func.count()).where(Refund.state == "requested")) == 0
        assert session.scalar(select(func.sum(LedgerPosting.amount))) == 0
        assert session.scalar(select(func.count()).select_from(Receipt)) >= captured


def check_tokens(app: PlaceFlask, home: Path) -> None:
    """W1: each portal's entry has a token with which programs try the API, and only there."""
    app.places.forget()
    portals = json.loads((home / "sample.json").read_text())["portals"]
    for portal in portals:
        for other in portals:
            answer = app.test_client().get(
                "/api/v1/me",
                base_url=f"http://{other['slug']}.localhost",
                headers={"Authorization": f"Bearer {portal['api_token']}"},
            )
            assert answer.status_code == (200 if other is portal else 401)


def check_sign_ins(home: Path) -> None:
    """R1: the demonstration learns of portals with patients, specialists and operators, with passwords."""
    told = json.loads((home / "sample.json").read_text())
    assert {portal["slug"]: (portal["locale"], portal["currency"]) for portal in told["portals"]} == {
        "physio": ("de", "EUR"),
        "mind": ("en_GB", "GBP"),
        "nutrition": ("en", "JPY"),
    }
    assert all(portal["modes"] == ["browse"] and len(portal["patients"]) == 3 for portal in told["portals"])
    assert len(told["specialists"]) == 24
    assert all(person["password"] for person in told["specialists"] + told["operators"])


def test_the_material_is_complete() -> None:
    """R1: every specialist has words that exist, texts in both languages, a portrait, and is listed somewhere."""
    known = material.vocabulary()
    files = "".join((shipped("tenants") / slug / "portal.toml").read_text() for slug in material.PORTALS)
    for person in material.specialists():
        assert set(person.profile["title"]) == set(person.profile["bio"]) == {"de", "en"}
        assert set(person.profile["categories"]) <= set(known["category"])
        assert set(person.profile["specializations"]) <= set(known["specialization"])
        assert set(person.profile["expertise"]) <= set(known["expertise"])
        assert 1_000 < person.portrait.stat().st_size < 15_000
        assert person.email in files
        assert all(begin < end for _day, begin, end in person.hours)
    bios = [bio for person in material.specialists() for bio in person.profile["bio"].values()]
    assert len(set(bios)) == 48
    assert all(150 < len(bio) < 700 for bio in bios)
