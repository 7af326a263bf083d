"""Reading charges, payments and refunds: the access functions that pages and APIs go through (I2)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.money import Money
from polyclinic.payments.models import Charge, Payment, Refund
from polyclinic.payments.paying import find_payment

ChargeState = Literal["open", "paid", "partly_returned", "returned", "void"]


@dataclass(frozen=True, slots=True)
class ChargeView:
    """A charge with its latest payment and everything that went back of it."""

    charge: Charge
    payment: Payment | None
    refunds: tuple[Refund, ...] = ()

    @property
    def amount(self) -> Money:
        """What is or was owed."""
        return Money(self.charge.amount_minor, self.charge.currency)

    @property
    def returned(self) -> Money:
        """What went back or is on its way; failed refunds do not count."""
        total = sum(refund.amount_minor for refund in self.refunds if refund.state != "failed")
        return Money(total, self.charge.currency)

    @property
    def state(self) -> ChargeState:
        """What a charge is worth now; derived, never stored."""
        if self.charge.paid_at is None:
            return "void" if self.charge.voided_at is not None else "open"
        if not self.returned:
            return "paid"
        return "returned" if self.returned == self.amount else "partly_returned"


def visible_charges(actor: Actor) -> Select[Charge]:
    """Return a query of the charges in the actor's scope."""
    query = select(Charge)
    if actor.kind == "patient":
        return query.where(Charge.portal_id == actor.portal_id, Charge.patient_id == actor.id)
    if actor.kind == "specialist":
        return query.where(Charge.specialist_id == actor.id)
    if actor.kind == "operator":
        return query if actor.portals is None else query.where(Charge.portal_id.in_(actor.portals))
    raise NotFound()


def get_charge(session: Session, actor: Actor, charge_id: uuid.UUID) -> Charge:
    """Return a charge in the actor's scope; raises NotFound for any other (I2)."""
    query = visible_charges(actor).where(Charge.id == charge_id).execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound()
    return found


def charge_for(session: Session, actor: Actor, cause_kind: str, cause_id: uuid.UUID) -> ChargeView | None:
    """Return what is owed for a cause, as the actor may see it, or None."""
    query = visible_charges(actor).where(Charge.cause_kind == cause_kind, Charge.cause_id == cause_id)
    found = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    return None if found is None else views_of(session, [found])[0]


def views_of(session: Session, charges: Sequence[Charge]) -> list[ChargeView]:
    """Return charges with what was paid and returned."""
    refunds: dict[uuid.UUID, list[Refund]] = {}
    query = select(Refund).where(Refund.charge_id.in_([one.id for one in charges])).order_by(Refund.created_at)
    for refund in session.scalars(query.execution_options(populate_existing=True)):
        refunds.setdefault(refund.charge_id, []).append(refund)
    return [
        ChargeView(one, find_payment(session, one.cause_kind, one.cause_id), tuple(refunds.get(one.id, ())))
        for one in charges
    ]
