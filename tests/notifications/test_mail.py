"""T1, T2, T3: themed mails, once, in the right name and language, and without a word about health."""

import asyncio
import datetime as dt
import email
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from icalendar import Calendar
from sqlalchemy import Engine, orm, text

from polyclinic.app import create_app
from polyclinic.booking.models import Appointment, AppointmentMessage
from polyclinic.config import Settings
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.notifications.sink import Keeper, Sink, folder_of
from polyclinic.runtime.ports import free_port
from polyclinic.web import jobs, relay
from polyclinic.web.db import db
from polyclinic.web.places import PlaceFlask
from support.cast import Cast, PortalCast
from support.client import Browser

START = dt.datetime(2026, 12, 8, 9, 0, tzinfo=dt.UTC)


class Moody(Keeper):
    """A mail server that refuses as often as it is told to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.answers: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Refuse first, then keep."""
        return self.answers.pop(0) if self.answers else await super().handle_DATA(server, session, envelope)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def moody(home: Path) -> Moody:
    folder_of(home).mkdir()
    return Moody(folder_of(home))


@pytest.fixture
def sink(home: Path, moody: Moody) -> Iterator[Sink]:
    with Sink(folder_of(home), port=free_port(), handler=moody) as sink:
        yield sink


@pytest.fixture
def mailing(settings: Settings, cast: Cast, home: Path, sink: Sink) -> Iterator[PlaceFlask]:
    """The application with a mail server, inside an app context as jobs are."""
    app = create_app(replace(settings, home=home, smtp_url=sink.url))
    with app.app_context():
        yield app
        db.engine.dispose()


def mails(home: Path) -> list[EmailMessage]:
    """What has arrived, oldest first."""
    return [
        email.message_from_bytes(path.read_bytes(), policy=default) for path in sorted(folder_of(home).glob("*.eml"))
    ]


def book(owner: Engine, cast: Cast, portal: PortalCast, **more: Any) -> uuid.UUID:
    """An appointment of the portal's patient with Sam (or Cleo), as booking leaves it."""
    specialist = cast.cleo if portal is cast.gamma else cast.sam
    facts: dict[str, Any] = {
        "portal_id": portal.id,
        "patient_id": portal.patient.id,
        "specialist_id": specialist.id,
        "service_id": portal.service,
        "starts_at": START,
        "ends_at": START + dt.timedelta(minutes=50),
        "zone": "Europe/Berlin",
        "state": "confirmed",
        "service_name": {"en": "Panic attacks, first visit"},
        "price_minor": 8000,
        "currency": "EUR",
        "payment_model": "free",
        "policy": {},
        "specialist_name": "Sam",
    }
    with orm.Session(owner) as session:
        appointment = Appointment(id=uuid.uuid4(), **{**facts, **more})
        session.add(appointment)
        session.flush()
        about = {name: facts[name] for name in ("portal_id", "patient_id", "specialist_id")}
        said = AppointmentMessage(
            appointment_id=appointment.id, kind="booking", author="patient", body="Panic attacks", **about
        )
        session.add(said)
        session.commit()
        return appointment.id


def tell(engine: Engine, kind: str, portal: PortalCast | None, **payload: Any) -> None:
    with open_session(engine, Scope("network")) as session:
        announce(session, kind, payload, portal_id=portal.id if portal else None)
        session.commit()


def run(app: PlaceFlask, owner: Engine) -> list[bool]:
    """Run every message that is not done, as a worker would."""
    with owner.connect() as connection:
        rows = connection.execute(text("SELECT id, portal_id FROM outbox WHERE done_at IS NULL ORDER BY id")).all()
    return [jobs.run_message(app, row.id, Scope("job", portal=row.portal_id)) for row in rows]


def deliveries(owner: Engine) -> list[tuple[str, str | None]]:
    with owner.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT state, error FROM delivery ORDER BY created_at"))]


def test_confirmation_reaches_both_in_their_own_name(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path
) -> None:
    """T1: to the patient as the portal, in their language; to the specialist as the network."""
    number = book(owner, cast, cast.alpha)
    tell(engine, "appointment.confirmed", cast.alpha, appointment_id=str(number))
    assert run(mailing, owner) == [True]
    patient, specialist = mails(home)
    assert patient["To"].addresses[0].addr_spec == cast.alpha.patient.email
    assert patient["Message-ID"].endswith("@alpha.localhost>")
    assert patient["Content-Language"] == "de"
    assert specialist["To"].addresses[0].addr_spec == cast.sam.email
    assert specialist["Message-ID"].endswith("@specialists.localhost>")
    path = f"/appointments/{number}"
    assert f'href="http://alpha.localhost:8000{path}"' in body(patient, "html")
    assert f"http://specialists.localhost:8000{path}" in body(specialist, "plain")
    assert "10:00" in body(patient, "plain"), "the wall time of the patient's zone"


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_mail_has_html_text_and_an_invitation(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path
) -> None:
    """T1, C8: themed HTML whose styles are in the elements, text, and the same calendar twice."""
    number = book(owner, cast, cast.alpha)
    tell(engine, "appointment.confirmed", cast.alpha, appointment_id=str(number))
    run(mailing, owner)
    mail = mails(home)[0]
    html = body(mail, "html")
    assert 'style="' in html and "var(--" not in html
    assert re.findall(r"<style>\s*(?!@media \(prefers-color-scheme: dark\))", html) == []
    assert "<" not in body(mail, "plain")
    parts = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    assert [part.get_param("method") for part in parts] == ["REQUEST", "REQUEST"]
    (event,) = Calendar.from_ical(parts[0].get_content()).walk("VEVENT")
    assert str(event["UID"]) == f"{number}@alpha.localhost"
    assert str(event["ORGANIZER"]).removeprefix("mailto:") == mail["From"].addresses[0].addr_spec


def test_mail_says_nothing_about_health(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path
) -> None:
    """T3: neither the service's name nor what the patient wrote; to the specialist not even the patient's name."""
    tell(engine, "appointment.confirmed", cast.alpha, appointment_id=str(book(owner, cast, cast.alpha)))
    run(mailing, owner)
    for mail in mails(home):
        whole = "".join(str(part.get_content()) for part in mail.walk() if not part.is_multipart())
        assert "panic" not in (whole + str(mail["Subject"])).lower()
    assert "Pat Alpha" not in mails(home)[1].as_string()


def test_mail_to_a_patient_names_neither_network_nor_sibling(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path
) -> None:
    """P4: headers, links, ids and calendar."""
    tell(engine, "appointment.confirmed", cast.beta, appointment_id=str(book(owner, cast, cast.beta)))
    run(mailing, owner)
    mail = mails(home)[0]
    assert cast.beta.canary in str(mail["From"])
    whole = "".join(str(part.get_content()) for part in mail.walk() if not part.is_multipart()) + str(mail.items())
    for foreign in (cast.alpha.canary, cast.gamma.canary, "alpha", "gamma", "polyclinic", "specialists.localhost"):
        assert foreign not in whole.lower()


@pytest.mark.parametrize(
    ("by", "told"),
    [("patient", ["sam"]), ("specialist", ["pat"]), ("operator", ["pat", "sam"]), ("system", ["pat", "sam"])],
)
def test_nobody_is_told_of_their_own_cancellation(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path, by: str, told: list[str]
) -> None:
    """T2; C8: the calendar entry is withdrawn with the same UID and a higher sequence."""
    more = {"state": "cancelled", "cancelled_by": by, "cancelled_at": START, "sequence": 1}
    number = book(owner, cast, cast.alpha, **more)
    tell(engine, "appointment.cancelled", cast.alpha, appointment_id=str(number))
    run(mailing, owner)
    assert [mail["To"].addresses[0].username for mail in mails(home)] == told
    for mail in mails(home):
        (part,) = [p for p in mail.iter_attachments() if p.get_content_type() == "text/calendar"]
        calendar = Calendar.from_ical(part.get_content())
        assert (str(calendar["METHOD"]), part.get_param("method")) == ("CANCEL", "CANCEL")
        assert calendar.walk("VEVENT")[0]["SEQUENCE"] == 1


def test_a_refusal_for_now_is_retried_with_the_same_message_id(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path, moody: Moody
) -> None:
    """T2: the other recipient, already served, is not served again."""
    moody.answers = ["451 later"]
    tell(engine, "appointment.confirmed", cast.alpha, appointment_id=str(book(owner, cast, cast.alpha)))
    assert run(mailing, owner) == [False]
    assert deliveries(owner) == [("failed", "SMTPDataError")]
    with owner.connect() as connection:
        first = connection.execute(text("SELECT message_id FROM delivery")).scalar_one()
    assert run(mailing, owner) == [True]
    assert mails(home)[0]["Message-ID"] == first
    assert len(mails(home)) == 2
    assert [state for state, _ in deliveries(owner)] == ["sent", "sent"]


def test_a_mail_server_that_is_down_is_waited_for(
    settings: Settings, engine: Engine, owner: Engine, cast: Cast, home: Path
) -> None:
    """T2: nothing is lost, nothing is doubled."""
    port = free_port()
    app = create_app(replace(settings, home=home, smtp_url=f"smtp://127.0.0.1:{port}"))
    tell(engine, "identity.code", cast.alpha, subject_kind="patient", email="new@example.org", code="482913")
    with app.app_context():
        assert run(app, owner) == [False]
        with Sink(folder_of(home), port=port):
            assert run(app, owner) == [True]
            assert run(app, owner) == []
        db.engine.dispose()
    assert len(mails(home)) == 1


def test_a_code_is_sent_and_forgotten(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path
) -> None:
    """U1: the same mail for known and unknown addresses; the code does not stay in the outbox."""
    for address in (cast.alpha.patient.email, "nobody@example.org"):
        tell(engine, "identity.code", cast.alpha, subject_kind="patient", email=address, code="482913", locale="en")
    assert run(mailing, owner) == [True, True]
    known, unknown = mails(home)
    assert body(known, "plain") == body(unknown, "plain")
    assert "482913" in body(known, "plain") and "482913" in str(known["Subject"])
    with owner.connect() as connection:
        assert connection.execute(text("SELECT DISTINCT payload::text FROM outbox")).scalars().all() == ["{}"]


def test_specialists_and_operators_get_codes_from_their_place(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path
) -> None:
    for kind in ("specialist", "operator"):
        tell(engine, "identity.code", None, subject_kind=kind, email="x@example.org", code="1", locale="en")
    tell(engine, "identity.welcome", None, subject_kind="specialist", subject_id=str(cast.sam.id))
    tell(engine, "identity.welcome", cast.beta, subject_kind="patient", subject_id=str(cast.beta.patient.id))
    assert all(run(mailing, owner))
    hosts = [mail["Message-ID"].rpartition("@")[2] for mail in mails(home)]
    assert hosts == ["specialists.localhost>", "admin.localhost>", "specialists.localhost>", "beta.localhost>"]


def test_a_name_cannot_inject_a_header(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path
) -> None:
    """No line of a name, and no address with a line break, becomes a header."""
    with owner.begin() as connection:
        connection.execute(
            text("UPDATE patient SET name = E'Pat\\r\\nBcc: evil@example.org' WHERE id = :id"),
            {"id": cast.alpha.patient.id},
        )
    tell(engine, "appointment.confirmed", cast.alpha, appointment_id=str(book(owner, cast, cast.alpha)))
    tell(engine, "identity.code", cast.alpha, subject_kind="patient", email="a@b.example\r\nBcc: e@e.example", code="1")
    assert all(run(mailing, owner)), "an address that is none is given up, not tried for days"
    assert len(mails(home)) == 2
    for mail in mails(home):
        assert mail["Bcc"] is None
        assert len(mail["To"].addresses) == 1
    assert ("failed", "ValueError") in deliveries(owner)


def test_a_mailbox_that_does_not_exist_is_given_up(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path, moody: Moody
) -> None:
    """T2: noted in the delivery log, not tried for three days."""

    async def refuse(server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        return "550 no such mailbox"

    moody.handle_RCPT = refuse  # type: ignore[attr-defined]  # aiosmtpd looks for it by name
    tell(engine, "identity.code", cast.alpha, subject_kind="patient", email="gone@example.org", code="1")
    assert run(mailing, owner) == [True]
    assert deliveries(owner) == [("failed", "SMTPRecipientsRefused")]


def test_the_pseudo_locale_turns_a_mail_round(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path
) -> None:
    """L2: a text that escaped gettext would stand outside the brackets."""
    tell(engine, "identity.code", cast.beta, subject_kind="patient", email="x@example.org", code="1", locale="ar_XB")
    run(mailing, owner)
    (mail,) = mails(home)
    assert mail["Content-Language"] == "ar-XB"
    assert 'dir="rtl"' in body(mail, "html")
    assert re.search("⟦.*⟧", str(mail["Subject"]))


class Hanging(Keeper):
    """A mail server that never answers the first mail."""

    began = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Hang, then keep."""
        if not self.began:
            self.began = True
            await asyncio.sleep(3600)
        return await super().handle_DATA(server, session, envelope)


@pytest.mark.slow
def test_a_worker_killed_while_sending_sends_once(
    settings: Settings, engine: Engine, owner: Engine, cast: Cast, home: Path
) -> None:
    """T2: killed with -9 in the middle of a mail; the next worker takes over and one mail arrives."""
    folder_of(home).mkdir()
    hanging = Hanging(folder_of(home))
    queue = jobs.queue_of(settings)
    queue.empty()
    tell(engine, "identity.code", cast.alpha, subject_kind="patient", email="new@example.org", code="482913")
    with Sink(folder_of(home), port=free_port(), handler=hanging) as sink:
        environ = {
            **os.environ,
            "MODE": "test",
            "POLYCLINIC_HOME": str(home),
            "DATABASE_URL": settings.database_url.replace("postgresql+psycopg", "postgresql"),
            "REDIS_URL": settings.redis_url,
            "SECRET_KEY": settings.secret_key,
            "SMTP_URL": sink.url,
        }
        command = [sys.executable, "-m", "polyclinic", "worker", "--burst"]
        relay.relay_once(engine, queue, frozenset({"identity.code"}))
        worker = subprocess.Popen(command, env=environ, start_new_session=True)
        try:
            end = time.monotonic() + 90
            while not hanging.began:
                assert time.monotonic() < end, "the worker did not begin"
                time.sleep(0.05)
        finally:
            subprocess.run(["pkill", "-9", "-s", str(worker.pid)], check=True)  # the child has a group of its own
            worker.wait()
        assert deliveries(owner) == [("sending", None)]
        with owner.begin() as connection:
            connection.execute(text("UPDATE outbox SET retry_at = retry_at - interval '1 hour'"))
            connection.execute(text("UPDATE delivery SET tried_at = tried_at - interval '1 hour'"))
        assert relay.relay_once(engine, queue, frozenset({"identity.code"})) == 1
        subprocess.run(command, env=environ, check=True, timeout=120)
    assert deliveries(owner) == [("sent", None)]
    assert len(mails(home)) == 1


def test_two_workers_do_not_send_one_mail(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path
) -> None:
    """T2: whoever comes second while the first is sending waits."""
    tell(engine, "identity.code", cast.alpha, subject_kind="patient", email="new@example.org", code="482913")
    assert run(mailing, owner) == [True]
    with owner.begin() as connection:
        connection.execute(text("UPDATE delivery SET state = 'sending', tried_at = clock_timestamp()"))
        connection.execute(text("UPDATE outbox SET done_at = NULL, payload = :payload"), {"payload": PAYLOAD})
    assert run(mailing, owner) == [False]
    assert len(mails(home)) == 1


PAYLOAD = '{"subject_kind": "patient", "email": "new@example.org", "code": "482913"}'


def test_mailbox_shows_mails_in_a_frame_that_may_do_nothing(
    mailing: PlaceFlask, engine: Engine, owner: Engine, cast: Cast, home: Path
) -> None:
    """The mailbox of dev.localhost: list, mail, parts, attachment, source."""
    tell(engine, "appointment.confirmed", cast.alpha, appointment_id=str(book(owner, cast, cast.alpha)))
    run(mailing, owner)
    browser = Browser(mailing)
    assert browser.get("dev.localhost", "/").headers["Location"] == "/mail"
    page = browser.get("dev.localhost", "/mail").get_data(as_text=True)
    assert cast.alpha.patient.email in page and cast.sam.email in page
    assert cast.sam.email not in browser.get("dev.localhost", "/mail?to=pat@").get_data(as_text=True)
    key = sorted(path.stem for path in folder_of(home).glob("*.eml"))[0]
    assert 'sandbox="' in browser.get("dev.localhost", f"/mail/{key}").get_data(as_text=True)
    frame = browser.get("dev.localhost", f"/mail/{key}/html")
    assert frame.headers["Content-Security-Policy"].startswith("sandbox")
    assert "script-src" not in frame.headers["Content-Security-Policy"]
    attachment = browser.get("dev.localhost", f"/mail/{key}/attachment/0")
    assert attachment.headers["Content-Disposition"] == 'attachment; filename="appointment.ics"'
    assert attachment.data.startswith(b"BEGIN:VCALENDAR")
    assert b"Message-ID" in browser.get("dev.localhost", f"/mail/{key}/source").data
    for path in ("/mail/..%2f..%2fetc%2fpasswd", "/mail/nothing", f"/mail/{key}/attachment/7"):
        assert browser.get("dev.localhost", path).status_code == 404
    assert browser.get("alpha.localhost", "/mail").status_code == 404


def test_mailbox_does_not_exist_in_production(settings: Settings, cast: Cast, home: Path) -> None:
    app = create_app(replace(settings, mode="production", home=home, private_hosts=()))
    assert Browser(app).get("dev.localhost", "/mail").status_code == 404
    with app.app_context():
        db.engine.dispose()
