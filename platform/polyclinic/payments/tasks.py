"""Jobs of paying: payments read again, refunds sent, whoever asks for it and whenever it is due (E7).

A message names its payment as ``payment_id`` where somebody heard of a change, and as ``id`` where it fell due; the
latter keeps itself going for as long as money may still come.
"""

from __future__ import annotations

import datetime as dt
import uuid

from flask import Flask
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from polyclinic.kernel.clock import now
from polyclinic.kernel.due import Due, fall_due
from polyclinic.kernel.errors import Defect
from polyclinic.kernel.scope import Scope
from polyclinic.kernel.transactions import transactional
from polyclinic.payments.models import Refund
from polyclinic.payments.paying import LOOKED_AFTER, SYNC, can_be_paid, get_payment
from polyclinic.payments.refunding import EXECUTE
from polyclinic.payments.syncing import execute_refund, sync_payment
from polyclinic.web import jobs
from polyclinic.web.db import engine, open_session

#: After its first hour a payment that is still under way (a bank transfer) is looked after less often.
_SLOWLY = dt.timedelta(hours=1)


def init_app(app: Flask) -> None:
    """Listen to the outbox and to what falls due."""
    jobs.on(app, SYNC, on_sync)
    jobs.on(app, EXECUTE, on_execute)


def on_sync(message: jobs.Message) -> None:
    """Read a payment again."""
    portal_id, payment_id = _names(message, "payment_id")
    sync_payment(portal_id, payment_id)
    if "id" not in message.payload:
        return
    with open_session(engine(), Scope("job", portal=portal_id)) as session:
        look_after(session, payment_id)


@transactional
def look_after(session: Session, payment_id: uuid.UUID) -> None:
    """Have a payment read again later, while money may still come or is on its way back; one appointment at a time."""
    payment = get_payment(session, payment_id)
    returning = exists().where(Refund.payment_id == payment_id, Refund.state == "pending")
    coming = can_be_paid(payment) and payment.quarantine is None
    if not coming and not session.scalar(select(returning)):
        return
    if session.scalar(select(exists().where(Due.kind == SYNC, Due.subject_id == payment_id))):
        return
    moment = now(session)
    pause = LOOKED_AFTER if coming and moment - payment.created_at < _SLOWLY else _SLOWLY
    fall_due(session, SYNC, payment_id, moment + pause, portal_id=payment.portal_id)


def on_execute(message: jobs.Message) -> None:
    """Send a refund."""
    execute_refund(*_names(message, "refund_id"))


def _names(message: jobs.Message, key: str) -> tuple[uuid.UUID, uuid.UUID]:
    if message.portal_id is None:
        raise Defect(f"{message.cause} belongs to no portal")
    return message.portal_id, uuid.UUID(message.payload.get(key) or message.payload["id"])
