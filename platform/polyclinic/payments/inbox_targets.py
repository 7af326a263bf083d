"""From an inbound event to what is read again because of it: a payment of a portal, or a specialist's account (E7)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from polyclinic.hooks.providers import PaymentProvider
from polyclinic.kernel.actor import SYSTEM
from polyclinic.kernel.ids import parse_id
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.payments.account_models import ProviderAccount
from polyclinic.payments.accounts import refresh_account
from polyclinic.payments.inbox_models import WebhookEvent
from polyclinic.payments.models import Payment
from polyclinic.payments.paying import SYNC
from polyclinic.payments.references import find_reference
from polyclinic.web.db import db
from polyclinic.web.plugins import current_hooks


@dataclass(frozen=True, slots=True)
class Target:
    """What an event is about."""

    kind: Literal["payment", "account"]
    portal_id: uuid.UUID | None
    cause_id: uuid.UUID


def target_of(session: Session, event: WebhookEvent) -> Target | None:
    """Return what an event is about, by the ids it names, else by our own ids in its metadata; None for strangers."""
    found = find_reference(session, event.provider, event.account, event.external_ids)
    if found is not None and found.kind == "account":
        return Target("account", None, found.cause_id)
    if found is not None and found.kind == "payment":
        return Target("payment", found.portal_id, found.cause_id)
    payment, portal = parse_id(event.named.get("payment")), parse_id(event.named.get("portal"))
    if found is not None and found.kind == "refund":
        return Target("payment", found.portal_id, payment) if payment else None
    return None if payment is None or portal is None else Target("payment", portal, payment)


def follow(target: Target, event: WebhookEvent) -> str:
    """Have a target read again; returns why the event is not believed, "" where it is.

    Whoever has a dashboard can write our ids into metadata: the payment must be one of the account that tells of it.
    """
    if target.kind == "account":
        _read_account(target.cause_id)
        return ""
    with open_session(db.engine, Scope("job", portal=target.portal_id)) as session:
        payment = session.get(Payment, target.cause_id)
        if payment is None:
            return "no-payment"
        if (payment.provider, payment.account) != (event.provider, event.account):
            return "other-account"
        announce(session, SYNC, {"payment_id": str(target.cause_id)}, portal_id=target.portal_id)
        session.commit()
    return ""


def _read_account(account_id: uuid.UUID) -> None:
    with open_session(db.engine, Scope("job")) as session:
        row = session.get(ProviderAccount, account_id)
    if row is None:
        return
    provider = _provider(row.provider, row.kind)
    if provider is None:
        return
    with open_session(db.engine, Scope("specialist", specialist=row.specialist_id)) as session:
        refresh_account(session, SYSTEM, provider, account_id)


def _provider(name: str, kind: str) -> PaymentProvider | None:
    providers = (model.provider for model in current_hooks().payment_models.values())
    return next((one for one in providers if one and (one.name, one.account_kind) == (name, kind)), None)
