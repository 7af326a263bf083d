"""Making a charge: price, model, account and commission frozen for one cause (E2–E5)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import cast

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from polyclinic.hooks.registry import Hooks
from polyclinic.hooks.types import PaymentModel
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.money import Money
from polyclinic.payments.accounts import charging_account
from polyclinic.payments.commission import CommissionTerms, Earns, commission_of
from polyclinic.payments.models import Charge
from polyclinic.payments.policy import PAYMENT_MODEL, PAYOUT_DELAY, RETURN_COMMISSION, bps_of, commission_terms
from polyclinic.payments.rules import model_for
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.policy import TAX_RATE

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('charge:' || :charge, 0))")


@dataclass(frozen=True, slots=True)
class Owed:
    """What a charge is for, and between whom."""

    cause_kind: str
    cause_id: uuid.UUID
    patient_id: uuid.UUID
    specialist_id: uuid.UUID
    description: str
    """In neutral words (T3): it is shown to the provider and on receipts."""


def make_charge(session: Session, hooks: Hooks, portal: PortalView, owed: Owed, price: Money) -> Charge:
    """Freeze what is owed for a cause, and how the platform is paid for it, in the caller's transaction.

    ``price`` is above zero. Raises Conflict where the portal's model cannot take it, or the specialist's account cannot
    charge yet (E3).
    """
    model = model_for(price, portal.settings.get(PAYMENT_MODEL), hooks.payment_models)
    terms = commission_terms(portal.settings, model.earns)
    unit = step_of(model, price.currency)
    charge = Charge(
        id=new_id(),
        portal_id=portal.id,
        patient_id=owed.patient_id,
        specialist_id=owed.specialist_id,
        cause_kind=owed.cause_kind,
        cause_id=owed.cause_id,
        description=owed.description,
        amount_minor=price.minor,
        currency=price.currency,
        tax_bps=bps_of(portal.settings.get(TAX_RATE)),
        payment_model=model.slug,
        provider=model.provider.name if model.provider else "",
        account=_account(session, hooks, portal, model, owed.specialist_id),
        earns=model.earns,
        commission_bps=terms.bps,
        commission_minimum=terms.minimum,
        commission_maximum=terms.maximum,
        commission_minor=commission_of(price.minor, terms) // unit * unit,
        return_commission=portal.settings.get(RETURN_COMMISSION) or model.earns == "share",
        payout_delay=portal.settings.get(PAYOUT_DELAY),
        created_at=now(session),
    )
    session.add(charge)
    session.flush()
    return charge


def step_of(model: PaymentModel | None, currency: str) -> int:
    """Return the multiple that every amount of a model must be, in minor units."""
    return 1 if model is None or model.step is None else model.step(currency)


def _account(session: Session, hooks: Hooks, portal: PortalView, model: PaymentModel, specialist_id: uuid.UUID) -> str:
    if not model.charges_online:
        return ""
    found = charging_account(session, hooks, portal, specialist_id)
    if found is None:
        raise Conflict(
            "specialist-not-ready",
            _l("Booking is not possible here at the moment: payments to this specialist are not set up yet."),
        )
    return found


def lock_charge(session: Session, charge_id: uuid.UUID) -> None:
    """Let one thing happen at a time to the money of a charge: after its cause, before the ledger."""
    session.execute(_LOCK, {"charge": str(charge_id)})


def find_charge(session: Session, cause_kind: str, cause_id: uuid.UUID) -> Charge | None:
    """Return the charge for a cause in the session's scope, or None."""
    return session.scalars(
        select(Charge)
        .where(Charge.cause_kind == cause_kind, Charge.cause_id == cause_id)
        .execution_options(populate_existing=True)
    ).one_or_none()


def reduced_charge(session: Session, charge: Charge, cause_kind: str, price: Money) -> Charge:
    """Make the charge that takes the place of a void one, for less and by the same terms: a late fee."""
    earns = cast(Earns, charge.earns)
    terms = CommissionTerms(earns, charge.commission_bps, charge.commission_minimum, charge.commission_maximum)
    copied = {column.key: getattr(charge, column.key) for column in Charge.__table__.columns}
    changed = {
        "id": new_id(),
        "cause_kind": cause_kind,
        "amount_minor": price.minor,
        "commission_minor": commission_of(price.minor, terms),
        "voided_at": None,
        "created_at": now(session),
    }
    reduced = Charge(**{**copied, **changed})
    session.add(reduced)
    session.flush()
    return reduced


def void_charge(session: Session, charge: Charge) -> None:
    """Note that a charge is not owed any more and was never paid; nothing happens where it was."""
    if charge.paid_at is None and charge.voided_at is None:
        charge.voided_at = now(session)
        session.flush()
