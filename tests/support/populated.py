"""At least one row of every table for two portals, so that a matrix over tables has something to find."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from polyclinic.audit.models import AuditEvent
from polyclinic.booking.models import Hold, HoldDetails
from polyclinic.calendar.models import AvailabilityException, NextFree, TimeOff
from polyclinic.directory.models import Vocabulary
from polyclinic.enquiries.models import Enquiry
from polyclinic.identity.models import ApiToken, MailCode, SignIn
from polyclinic.kernel.due import Due
from polyclinic.kernel.idempotency import IdempotencyKey
from polyclinic.kernel.outbox import OutboxMessage
from polyclinic.notifications.models import Delivery
from polyclinic.pages.models import ContactMessage
from polyclinic.payments.account_models import AccountReadiness, ProviderAccount
from polyclinic.payments.inbox_models import WebhookEvent
from polyclinic.payments.receipt_models import BillingDetails
from polyclinic.payments.references import ExternalReference
from polyclinic.tenancy.models import NetworkSetting, Page
from support.cast import Cast, PortalCast, add_history
from support.paid import add_paid

START = dt.datetime(2027, 3, 1, 9, tzinfo=dt.UTC)
GUEST, ADDRESS = "guest-of-alpha", "address-of-alpha"


def populate(owner: Engine, cast: Cast) -> None:
    """Give Alpha and Beta a history each, Sam and Ada time off, and every journal a row of each portal."""
    for portal, patient, specialist in (
        (cast.alpha, cast.alpha.patient, cast.ada),
        (cast.alpha, cast.alpha.other_patient, cast.sam),
        (cast.beta, cast.beta.patient, cast.ben),
    ):
        appointment_id = add_history(owner, portal, patient, specialist, START)
        add_paid(owner, portal, patient, specialist, appointment_id)
    later = START + dt.timedelta(days=1)
    with Session(owner) as session:
        for person in (cast.ada, cast.ben, cast.sam):
            session.add(
                TimeOff(specialist_id=person.id, starts_at=later, ends_at=later + dt.timedelta(1), zone="Europe/Berlin")
            )
            _paid(session, person.id)
            session.add(
                AvailabilityException(specialist_id=person.id, kind="closed", date=later.date(), zone="Europe/Berlin")
            )
            session.add(BillingDetails(specialist_id=person.id, name="", address="Weg 1", tax_id="", note=""))
        for portal, specialist in ((cast.alpha, cast.ada), (cast.beta, cast.ben)):
            _of_portal(session, portal, specialist.id)
        session.add(Vocabulary(kind="category", slug="physiotherapy", name={"en": "Physiotherapy"}))
        session.add(
            Enquiry(
                kind="team",
                name="Kim",
                email="kim@example.org",
                practice="",
                field="",
                languages=["en"],
                portals=[],
                body="We are three.",
                locale="en",
            )
        )
        session.add(NetworkSetting(key="network.name", value="The Network"))
        session.commit()
        session.execute(text("ANALYZE"))


def _paid(session: Session, specialist_id: uuid.UUID | None) -> None:
    """An account at a payment provider, and what portals know of it."""
    named = {"specialist_id": specialist_id, "provider": "stripe", "kind": "merchant"}
    session.add(ProviderAccount(**named, country="DE", currency="EUR", external_id=f"acct_{specialist_id}", ready=True))
    session.add(AccountReadiness(**named, external_id=f"acct_{specialist_id}", ready=True))


def _of_portal(session: Session, portal: PortalCast, specialist_id: uuid.UUID | None) -> None:
    later = START + dt.timedelta(days=2)
    for patient_id, guest in ((None, f"guest-of-{portal.slug}"), (portal.patient.id, None)):
        hold_id = uuid.uuid4()
        session.add(
            Hold(
                id=hold_id,
                portal_id=portal.id,
                specialist_id=specialist_id,
                service_id=portal.service,
                patient_id=patient_id,
                guest=guest,
                address=f"address-of-{portal.slug}",
                starts_at=later,
                ends_at=later + dt.timedelta(minutes=50),
                zone="Europe/Berlin",
                price_minor=8000,
                currency="EUR",
                expires_at=later,
            )
        )
    session.flush()
    session.add(
        HoldDetails(
            hold_id=hold_id,
            portal_id=portal.id,
            patient_id=portal.patient.id,
            name=f"Pat {portal.canary}",
            phone="",
            message=f"My knee, {portal.canary}",
        )
    )
    session.add(
        NextFree(
            portal_id=portal.id,
            specialist_id=specialist_id,
            service_id=portal.service,
            next_free_at=START,
            stale_at=START,
            terms="none",
            earliest=True,
        )
    )
    _words(session, portal)
    _coming_in(session, portal, later)
    _journals(session, portal, later)


def _words(session: Session, portal: PortalCast) -> None:
    """A page of the portal's own, and a message to its support desk."""
    session.add(page_of(portal))
    session.add(
        ContactMessage(
            portal_id=portal.id,
            name="Kim",
            email="kim@example.org",
            topic="booking",
            body=f"Where is my visit, {portal.canary}?",
            locale="en",
        )
    )


def page_of(portal: PortalCast, name: str = "story", kind: str = "text", body: str = "How it began.") -> Page:
    """A page in English."""
    return Page(
        portal_id=portal.id,
        name=name,
        kind=kind,
        placement="footer",
        position=1,
        labels={"en": f"Story {portal.canary}"},
        texts={"en": {"title": f"Story {portal.canary}", "body": body}},
    )


def _coming_in(session: Session, portal: PortalCast, later: dt.datetime) -> None:
    """What the door keeps: a sign-in, a token, a code, an answer to be given again."""
    who = {"subject_kind": "patient", "subject_id": portal.patient.id, "portal_id": portal.id}
    session.add(SignIn(token_hash=portal.id.bytes, expires_at=later, **who))
    session.add(ApiToken(token_hash=portal.id.bytes, name="Calendar", scopes=[], **who))
    session.add(
        MailCode(
            subject_kind="patient",
            portal_id=portal.id,
            email=portal.patient.email,
            purpose="sign-in",
            code_hash="x",
            expires_at=later,
        )
    )
    session.add(IdempotencyKey(owner=f"portal:{portal.id}", key="1", request_hash=b"x"))


def _journals(session: Session, portal: PortalCast, later: dt.datetime) -> None:
    """A row of each journal."""
    session.add(OutboxMessage(kind="test", portal_id=portal.id, payload={}))
    session.add(Due(kind="test", portal_id=portal.id, subject_id=portal.id, at=later))
    session.add(
        WebhookEvent(
            provider="stripe",
            event_id=f"evt_{portal.slug}",
            endpoint="account",
            kind="refund.updated",
            account="",
            external_ids=[],
            named={},
            state="handled",
            portal_id=portal.id,
        )
    )
    session.add(
        ExternalReference(
            provider="stripe",
            account="",
            external_id=f"cs_{portal.slug}",
            portal_id=portal.id,
            cause_kind="payment",
            cause_id=portal.id,
        )
    )
    session.add(
        AuditEvent(
            portal_id=portal.id,
            actor_kind="system",
            action="test.made",
            subject_kind="portal",
            subject_id=str(portal.id),
            detail={},
        )
    )
    session.add(
        Delivery(
            cause=f"test:{portal.slug}",
            portal_id=portal.id,
            recipient_kind="patient",
            recipient_id=str(portal.patient.id),
            channel="mail",
            message_id=f"<1@{portal.host}>",
            state="sent",
            tried_at=START,
        )
    )
