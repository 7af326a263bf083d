"""Bringing a payment or a refund to where its provider is: intent committed, provider asked, answer applied (E7).

One function for everybody: the page the patient comes back to, the webhook's worker, what falls due. Each run reads
what is to be done in one transaction, asks the provider outside of any, and applies the answer in a second one under
locks in the house's order: specialist → what it is for → charge → payment → ledger. No answer means that nothing is
known: it is asked again, with the same key, after a pause of the application's clock.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.hooks.providers import (
    CheckoutOpened,
    PaymentProvider,
    PaymentReading,
    ProviderRefused,
    ProviderUnavailable,
    RefundOrder,
    Returned,
)
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.due import fall_due
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.money import Money
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.scope import Scope
from polyclinic.kernel.transactions import transactional
from polyclinic.payments.calling import ask
from polyclinic.payments.causes import cause_of
from polyclinic.payments.certifying import certify_payment
from polyclinic.payments.charging import lock_charge
from polyclinic.payments.facts import apply_reading, apply_returned
from polyclinic.payments.models import Charge, Payment, Refund
from polyclinic.payments.paying import SYNC, charges_of, get_payment, order_of, reference_of
from polyclinic.payments.references import remember_reference
from polyclinic.payments.refunding import EXECUTE, returns_commission
from polyclinic.payments.rules import LIVE, moves_forward, pause_after, renewed_key
from polyclinic.tenancy.places import PortalView
from polyclinic.web.db import engine, open_session
from polyclinic.web.places import PlaceFlask
from polyclinic.web.plugins import current_hooks

log = logging.getLogger(__name__)
#: Opening, closing and reading again: more steps than that in one run mean that somebody else is at work too.
STEPS = 3


@dataclass(frozen=True, slots=True)
class Step:
    """What the provider is to be asked next about a payment."""

    call: Callable[[], CheckoutOpened | PaymentReading]
    last: bool
    """Whether nothing follows from a good answer."""


def sync_payment(portal_id: uuid.UUID, payment_id: uuid.UUID) -> None:
    """Bring a payment to where its provider is; any number of times, by anybody, at the same time.

    Called outside every transaction. Raises NotFound for a payment that the portal does not have.
    """
    for _step in range(STEPS):
        with open_session(engine(), Scope("job", portal=portal_id)) as session:
            step = _next_step(session, portal_id, payment_id)
        if step is None:
            return
        try:
            answer = ask(step.call)
        except ProviderUnavailable as silence:
            log.warning("payment %s: no answer (%s)", payment_id, silence)
            with open_session(engine(), Scope("job", portal=portal_id)) as session:
                _postpone(session, payment_id, answered=silence.answered)
            return
        except ProviderRefused as refused:
            log.warning("payment %s: refused (%s)", payment_id, refused.code)
            with open_session(engine(), Scope("job", portal=portal_id)) as session:
                _refused(session, payment_id, refused.code)
            return
        with open_session(engine(), Scope("job", portal=portal_id)) as session:
            if isinstance(answer, CheckoutOpened):
                _opened(session, payment_id, answer)
            else:
                _read(session, payment_id, answer)
        if step.last:
            return


def checkout_url(portal_id: uuid.UUID, payment_id: uuid.UUID) -> str | None:
    """Return where a payment can be paid, opening the page if need be; None where it cannot, or not now."""
    with open_session(engine(), Scope("job", portal=portal_id)) as session:
        opened = get_payment(session, payment_id).state != "intended"
    if not opened:
        sync_payment(portal_id, payment_id)
    with open_session(engine(), Scope("job", portal=portal_id)) as session:
        payment = get_payment(session, payment_id)
        return payment.url if payment.state == "open" and payment.quarantine is None else None


def _portal(portal_id: uuid.UUID) -> PortalView:
    found = cast(PlaceFlask, current_app).places.portal(portal_id)
    if found is None:
        raise NotFound()
    return found


def _provider(slug: str) -> PaymentProvider:
    """Return who takes the money of a payment model; ProviderUnavailable where its plugin is away."""
    model = current_hooks().payment_models.get(slug)
    if model is None or model.provider is None:
        raise ProviderUnavailable(f"no plugin offers the payment model {slug!r}")
    return model.provider


def _next_step(session: Session, portal_id: uuid.UUID, payment_id: uuid.UUID) -> Step | None:
    payment = get_payment(session, payment_id)
    wanted = cause_of(payment.cause_kind).wants(session, payment)
    slug = payment.payment_model
    if payment.state == "intended":
        order = order_of(_portal(portal_id), payment, charges_of(session, payment_id))
        return Step(lambda: _provider(slug).open_checkout(order), last=wanted)
    if payment.checkout_id is None:
        return None  # it failed before it had a page
    reference = reference_of(payment)
    if payment.state in LIVE and not wanted:
        return Step(lambda: _provider(slug).expire_checkout(reference), last=True)
    return Step(lambda: _provider(slug).read_payment(reference), last=True)


@transactional
def _opened(session: Session, payment_id: uuid.UUID, answer: CheckoutOpened) -> None:
    payment = get_payment(session, payment_id, lock=True)
    if payment.state != "intended":
        return
    payment.state, payment.tries, payment.read_at = "open", 0, now(session)
    payment.checkout_id, payment.url, payment.intent_id = answer.checkout_id, answer.url, answer.intent_id
    session.flush()
    for external_id in filter(None, (answer.checkout_id, answer.intent_id)):
        remember_reference(
            session,
            payment.provider,
            payment.account,
            external_id,
            portal_id=payment.portal_id,
            kind="payment",
            cause_id=payment.id,
        )


@transactional
def _read(session: Session, payment_id: uuid.UUID, reading: PaymentReading) -> None:
    payment, charges = _locked(session, payment_id)
    apply_reading(session, payment, charges, reading)


def _locked(session: Session, payment_id: uuid.UUID) -> tuple[Payment, list[Charge]]:
    """Lock what a payment is for, its charges and itself, in this order."""
    found = get_payment(session, payment_id)
    cause_of(found.cause_kind).lock(session, found.cause_id)
    for charge in charges_of(session, payment_id):
        lock_charge(session, charge.id)
    payment = get_payment(session, payment_id, lock=True)
    return payment, charges_of(session, payment_id)


@transactional
def _postpone(session: Session, payment_id: uuid.UUID, *, answered: bool) -> None:
    """Ask again later; for a page that nobody was ever sent to under another key, where the old one is spent."""
    payment = get_payment(session, payment_id, lock=True)
    payment.tries += 1
    if answered and payment.state == "intended":
        payment.idempotency_key = renewed_key(payment.idempotency_key, payment.tries)
    session.flush()
    at = now(session) + pause_after(payment.tries)
    fall_due(session, SYNC, payment.id, at, portal_id=payment.portal_id)


@transactional
def _refused(session: Session, payment_id: uuid.UUID, code: str) -> None:
    """End a payment whose page the provider will not make; what it says of an open one changes nothing."""
    payment, _charges = _locked(session, payment_id)
    system = Actor("system", portal_id=payment.portal_id)
    record(session, system, "payment.refused", "payment", payment.id, detail={"code": code, "state": payment.state})
    payment.failure = code
    if payment.state == "intended" and moves_forward(payment.state, "failed"):
        payment.state = "failed"
        session.flush()
        cause_of(payment.cause_kind).unpaid(session, payment)
        announce(session, "payment.failed", {"payment_id": str(payment.id)}, portal_id=payment.portal_id)


def execute_refund(portal_id: uuid.UUID, refund_id: uuid.UUID) -> None:
    """Send a refund to its provider, or learn what became of it; any number of times, sent once.

    Called outside every transaction. Raises NotFound for a refund that the portal does not have.
    """
    with open_session(engine(), Scope("job", portal=portal_id)) as session:
        refund = _get_refund(session, refund_id)
        if refund.state != "requested":
            return
        payment = get_payment(session, refund.payment_id)
        order, tried = _refund_order(session, refund, payment), refund.tries
    if tried and not _still_to_be_sent(portal_id, refund_id, payment.id):
        return
    try:
        returned = ask(lambda: _provider(payment.payment_model).refund(order))
    except ProviderUnavailable as silence:
        log.warning("refund %s: no answer (%s)", refund_id, silence)
        with open_session(engine(), Scope("job", portal=portal_id)) as session:
            _postpone_refund(session, refund_id, answered=silence.answered)
        return
    except ProviderRefused as refused:
        log.warning("refund %s: refused (%s)", refund_id, refused.code)
        sync_payment(portal_id, payment.id)  # it may have been done, by us a moment ago or in a dashboard
        with open_session(engine(), Scope("job", portal=portal_id)) as session:
            _fail_refund(session, refund_id, refused.code, order.amount)
        return
    with open_session(engine(), Scope("job", portal=portal_id)) as session:
        _returned(session, payment.id, returned)


def _still_to_be_sent(portal_id: uuid.UUID, refund_id: uuid.UUID, payment_id: uuid.UUID) -> bool:
    """Look first: an answer that was a fault, or never came, may hide a refund that was made; our id stands in it."""
    sync_payment(portal_id, payment_id)
    with open_session(engine(), Scope("job", portal=portal_id)) as session:
        refund, silent = _get_refund(session, refund_id), get_payment(session, payment_id).tries > 0
        session.rollback()
        if silent and refund.state == "requested":
            _postpone_refund(session, refund_id)
        return not silent and refund.state == "requested"


def _get_refund(session: Session, refund_id: uuid.UUID, *, lock: bool = False) -> Refund:
    query = select(Refund).where(Refund.id == refund_id).execution_options(populate_existing=True)
    found = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound()
    return found


def _refund_order(session: Session, refund: Refund, payment: Payment) -> RefundOrder:
    charge = session.scalars(select(Charge).where(Charge.id == refund.charge_id)).one()
    return RefundOrder(
        refund.id,
        reference_of(payment),
        payment.capture_id or "",
        Money(refund.amount_minor, refund.currency),
        returns_commission(charge, refund.reason),
        refund.idempotency_key,
    )


@transactional
def _returned(session: Session, payment_id: uuid.UUID, returned: Returned) -> None:
    payment, charges = _locked(session, payment_id)
    apply_returned(session, payment, charges, returned)
    certify_payment(session, payment, charges)


@transactional
def _postpone_refund(session: Session, refund_id: uuid.UUID, *, answered: bool = False) -> None:
    """Ask again later, after a look at what became of it: only then is another key safe."""
    refund = _get_refund(session, refund_id, lock=True)
    refund.tries += 1
    if answered:
        refund.idempotency_key = renewed_key(refund.idempotency_key, refund.tries)
    session.flush()
    fall_due(session, EXECUTE, refund.id, now(session) + pause_after(refund.tries), portal_id=refund.portal_id)


@transactional
def _fail_refund(session: Session, refund_id: uuid.UUID, code: str, asked: Money) -> None:
    """End a refund that the provider will not make, unless less is to be asked for by now."""
    refund = _get_refund(session, refund_id, lock=True)
    if refund.state != "requested":
        return
    if refund.money != asked:
        announce(session, EXECUTE, {"refund_id": str(refund.id)}, portal_id=refund.portal_id)
        return
    refund.state, refund.failure, refund.settled_at = "failed", code, now(session)
    session.flush()
    system = Actor("system", portal_id=refund.portal_id)
    record(session, system, "refund.failed", "refund", refund.id, detail={"code": code})
    announce(session, "refund.failed", {"refund_id": str(refund.id)}, portal_id=refund.portal_id)
