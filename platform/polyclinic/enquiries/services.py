"""Enquiries: kept and announced to operators; read and answered by them."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.enquiries.models import Enquiry
from polyclinic.enquiries.rules import Asking
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.transactions import transactional


@transactional
def write_enquiry(session: Session, asking: Asking, locale: str) -> uuid.UUID:
    """Keep an enquiry and have the network's operators told (T2)."""
    enquiry_id = new_id()
    session.execute(
        Enquiry.__table__.insert().inline(),  # type: ignore[attr-defined]  # Table; writers may not read
        {
            "id": enquiry_id,
            "kind": asking.kind,
            "name": asking.name,
            "email": asking.email,
            "practice": asking.practice,
            "field": asking.field,
            "languages": list(asking.languages),
            "portals": list(asking.portals),
            "body": asking.body,
            "locale": locale,
        },
    )
    announce(session, "enquiry.written", {"enquiry_id": str(enquiry_id)})
    return enquiry_id


def get_enquiry(session: Session, enquiry_id: uuid.UUID) -> Enquiry:
    """Return an enquiry to an operator of the whole network; raises NotFound."""
    found = session.scalars(select(Enquiry).where(Enquiry.id == enquiry_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


@transactional
def mark_enquiry(session: Session, actor: Actor, enquiry_id: uuid.UUID, *, answered: bool) -> None:
    """Take an enquiry off the list of what waits, or put it back."""
    found = get_enquiry(session, enquiry_id)
    moment: dt.datetime | None = now(session) if answered else None
    found.state, found.answered_at = ("answered" if answered else "new"), moment
    record(session, actor, "enquiry.answered" if answered else "enquiry.reopened", "enquiry", found.id)
