"""A specialist's billing details: what the receipts say that they issue (U2, E10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Invalid, NotFound
from polyclinic.kernel.transactions import transactional
from polyclinic.payments.receipt_models import BillingDetails

#: The longest of each field, in characters.
LONGEST: Final[Mapping[str, int]] = {"name": 120, "address": 400, "tax_id": 60, "note": 400}


def read_billing(session: Session, actor: Actor) -> BillingDetails:
    """Return the specialist's details, empty ones where there are none yet (not part of the session)."""
    found = session.get(BillingDetails, actor.id)
    return found or BillingDetails(specialist_id=actor.id, name="", address="", tax_id="", note="")


@transactional
def save_billing(session: Session, actor: Actor, values: Mapping[str, str]) -> BillingDetails:
    """Change the details of receipts that are yet to be issued; raises Invalid naming each field that is too long."""
    if actor.id is None:
        raise NotFound
    cleaned = {name: "\n".join(line.strip() for line in values[name].strip().splitlines()) for name in LONGEST}
    too_long = {
        name: _l("At most %(most)s characters; these are %(count)s.", most=most, count=len(cleaned[name]))
        for name, most in LONGEST.items()
        if len(cleaned[name]) > most
    }
    if too_long:
        raise Invalid("billing-details", _l("Some of these details are too long."), fields=too_long)
    found = session.get(BillingDetails, actor.id)
    if found is None:
        found = BillingDetails(specialist_id=actor.id, **cleaned)
        session.add(found)
        changed = sorted(name for name, value in cleaned.items() if value)
    else:
        changed = sorted(name for name, value in cleaned.items() if getattr(found, name) != value)
        for name, value in cleaned.items():
            setattr(found, name, value)
    if changed:
        found.changed_at = now(session)
        record(session, actor, "billing.changed", "specialist", actor.id, detail={"fields": changed})
    session.flush()
    return found
