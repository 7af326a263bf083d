"""A payment from intent to page: its row and key first, then what the provider is told (E7, P4, T3)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from polyclinic.hooks.providers import Brand, OrderLine, PaymentOrder, PaymentReference
from polyclinic.kernel.clock import now, real_now
from polyclinic.kernel.due import fall_due
from polyclinic.kernel.errors import Defect, NotFound
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.money import Money
from polyclinic.payments.models import Charge, Payment, PaymentCharge
from polyclinic.payments.policy import STATEMENT_NAME
from polyclinic.payments.rules import LIVE
from polyclinic.tenancy.places import PortalView
from polyclinic.web.theming import brand_of_portal, look_of_portal

#: Asks for a payment to be read from its provider again: {"payment_id"} by whoever heard something, {"id"} when due.
SYNC = "payment.sync"
#: A payment that nobody came back from is looked after so often (application's clock).
LOOKED_AFTER = dt.timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Way:
    """How the patient goes and comes back."""

    locale: str
    success_url: str
    cancel_url: str


def intend_payment(session: Session, charges: Sequence[Charge], deadline: dt.datetime, way: Way) -> Payment:
    """Write the intent to have charges of one cause paid until ``deadline``, before any provider is called.

    The database refuses a second one that could still be paid. Somebody looks after it in two minutes and at its
    deadline, whatever becomes of this process.
    """
    first = charges[0]
    whose = {"portal_id": first.portal_id, "patient_id": first.patient_id, "specialist_id": first.specialist_id}
    attempt = _attempts(session, first) + 1
    moment = now(session)
    payment = Payment(
        id=new_id(),
        **whose,
        cause_kind=first.cause_kind,
        cause_id=first.cause_id,
        payment_model=first.payment_model,
        provider=first.provider,
        account=first.account,
        amount_minor=sum(charge.amount_minor for charge in charges),
        currency=first.currency,
        commission_minor=sum(charge.commission_minor for charge in charges),
        state="intended",
        attempt=attempt,
        idempotency_key=f"payment:{first.cause_id}:{attempt}",
        locale=way.locale,
        success_url=way.success_url,
        cancel_url=way.cancel_url,
        deadline=deadline,
        page_until=real_now() + max(deadline - moment, dt.timedelta(0)),
        created_at=moment,
    )
    session.add(payment)
    session.flush()
    session.add_all(PaymentCharge(payment_id=payment.id, charge_id=charge.id, **whose) for charge in charges)
    session.flush()
    for at in (moment + LOOKED_AFTER, deadline):
        fall_due(session, SYNC, payment.id, at, portal_id=payment.portal_id)
    return payment


def _attempts(session: Session, charge: Charge) -> int:
    query = select(func.count()).where(Payment.cause_kind == charge.cause_kind, Payment.cause_id == charge.cause_id)
    return session.scalar(query) or 0


def get_payment(session: Session, payment_id: uuid.UUID, *, lock: bool = False) -> Payment:
    """Return a payment in the session's scope; raises NotFound for any other (I2)."""
    query = select(Payment).where(Payment.id == payment_id).execution_options(populate_existing=True)
    found = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound()
    return found


def find_payment(session: Session, cause_kind: str, cause_id: uuid.UUID) -> Payment | None:
    """Return the latest payment for a cause in the session's scope, or None."""
    return session.scalars(
        select(Payment)
        .where(Payment.cause_kind == cause_kind, Payment.cause_id == cause_id)
        .order_by(Payment.attempt.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).one_or_none()


def charges_of(session: Session, payment_id: uuid.UUID) -> list[Charge]:
    """Return what a payment settles, in one order for everybody who locks."""
    return list(
        session.scalars(
            select(Charge)
            .join(PaymentCharge, PaymentCharge.charge_id == Charge.id)
            .where(PaymentCharge.payment_id == payment_id)
            .order_by(Charge.id)
            .execution_options(populate_existing=True)
        )
    )


def can_be_paid(payment: Payment | None) -> bool:
    """Tell whether money may still come for a payment."""
    return payment is not None and payment.state in LIVE


def order_of(portal: PortalView, payment: Payment, charges: Sequence[Charge]) -> PaymentOrder:
    """Return what the provider is told: the same for every repetition of the key."""
    look = look_of_portal(portal)
    colours = look.tokens.dark if look.tokens.shared["schemes"] == "dark" else look.tokens.light
    lines = tuple(OrderLine(one.description, Money(one.amount_minor, one.currency)) for one in charges)
    return PaymentOrder(
        payment_id=payment.id,
        portal_id=payment.portal_id,
        lines=lines,
        amount=Money(payment.amount_minor, payment.currency),
        commission=Money(payment.commission_minor, payment.currency),
        account=payment.account,
        brand=Brand(str(brand_of_portal(portal).name), colours["accent"].hex, colours["surface"].hex),
        statement_suffix=portal.settings.find(STATEMENT_NAME) or "",
        locale=payment.locale,
        success_url=payment.success_url,
        cancel_url=payment.cancel_url,
        expires_at=payment.page_until,
        idempotency_key=payment.idempotency_key,
    )


def reference_of(payment: Payment) -> PaymentReference:
    """Return how the provider finds a payment again."""
    if payment.checkout_id is None:
        raise Defect(f"payment {payment.id} was never opened")
    return PaymentReference(
        payment.id,
        payment.account,
        payment.checkout_id,
        payment.intent_id,
        Money(payment.amount_minor, payment.currency),
    )


def neutral_description(day: str) -> str:
    """Name what is paid in words that say nothing of health: "Appointment, 30 November 2026" (T3)."""
    return _("Appointment, %(day)s", day=day)
