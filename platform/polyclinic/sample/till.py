"""Money of the sample network: invoices that get paid, and online payments at the simulated Stripe.

Portals that charge online began to do so some days before the present; visits before that were invoiced. Who stands at
the simulator's pages in real life (a patient with a card, a specialist who fills in a form) is played by its control
interface, everything else is the services that pages and jobs use.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, select

from polyclinic.booking.charges import CAUSE
from polyclinic.booking.models import Appointment
from polyclinic.booking.services import open_payment
from polyclinic.config import STRIPE_API, StripeKeys
from polyclinic.hooks.registry import Hooks
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.payments.account_words import likely_country
from polyclinic.payments.accounts import begin_account, connect_account, needed_accounts, refresh_account
from polyclinic.payments.charging import find_charge
from polyclinic.payments.invoices import mark_paid
from polyclinic.payments.models import Charge, Refund
from polyclinic.payments.policy import PAYMENT_MODEL
from polyclinic.payments.syncing import checkout_url, execute_refund, sync_payment
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.settings import Settings
from polyclinic.web.specialist_portals import my_portals

#: Since when portals charge online, before the present.
ONLINE = dt.timedelta(days=10)
INVOICES = "external_invoice"
_SESSION = re.compile(r"cs_test_\w+")
_MANY = 10**9


class Till:
    """Pays and is paid; needs an app context."""

    def __init__(self, engine: Engine, hooks: Hooks, keys: StripeKeys, online_from: dt.datetime) -> None:
        """Play at the simulator that ``keys`` lead to; with keys of the real Stripe everything is invoiced."""
        self._engine, self._hooks, self._api, self._from = engine, hooks, keys.api_base, online_from
        self._plays = keys.secret_key is not None and keys.api_base != STRIPE_API

    def portal_at(self, portal: PortalView, moment: dt.datetime) -> PortalView:
        """Return a portal as it was then: before it charged online its specialists sent invoices."""
        model = self._hooks.payment_models.get(portal.settings.get(PAYMENT_MODEL))
        if model is None or not model.charges_online or (self._plays and moment >= self._from):
            return portal
        return replace(portal, settings=Settings({**portal.settings.own, PAYMENT_MODEL.key: INVOICES}))

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Let no webhook of the history be sent to a product that is not there yet."""
        self._control("switch", drop=_MANY)
        try:
            yield
        finally:
            self._control("switch", drop=0)

    def connect(self, specialist: Actor) -> None:
        """Open the accounts without which a specialist's portals offer nothing, and finish what is asked there."""
        if not self._plays:
            return
        country = likely_country(specialist.zone) or "DE"
        with open_session(self._engine, specialist.scope()) as session:
            for needed in needed_accounts(session, specialist, self._hooks, my_portals(session, specialist)):
                if needed.ready or not needed.blocks:
                    continue
                here = "http://127.0.0.1/"
                connect_account(session, specialist, needed, country, refresh_url=here, return_url=here)
                session.rollback()
                account = begin_account(session, specialist, needed, country)
                self._control("onboard", account=account.external_id, ready=True, due=None)
                refresh_account(session, specialist, needed.provider, account.id)

    def pay(self, patient: Actor, portal: PortalView, appointment: Appointment) -> None:
        """Pay for an appointment that waits for it."""
        if appointment.state != "pending_payment":
            return
        with open_session(self._engine, patient.scope()) as session:
            payment = open_payment(session, patient, portal, appointment.id)
        found = _SESSION.search(checkout_url(portal.id, payment.id) or "")
        if found is None:
            raise RuntimeError("the simulated Stripe opened no page to pay on")
        self._control("pay", session=found.group(), card="4242424242424242", outcome=None)
        sync_payment(portal.id, payment.id)

    def give_back(self, appointment: Appointment) -> None:
        """Send what a cancellation gives back."""
        with open_session(self._engine, Scope("job", portal=appointment.portal_id)) as session:
            charged = select(Charge.id).where(Charge.cause_kind == CAUSE, Charge.cause_id == appointment.id)
            asked = select(Refund.id).where(Refund.charge_id.in_(charged), Refund.state == "requested")
            wanted = session.scalars(asked).all()
        for refund_id in wanted:
            execute_refund(appointment.portal_id, refund_id)

    def receive(self, specialist: Actor, appointment_id: uuid.UUID) -> None:
        """Note that an invoice was paid, where there was one."""
        with open_session(self._engine, specialist.scope()) as session:
            charge = find_charge(session, CAUSE, appointment_id)
            open_invoice = charge is not None and not charge.provider and charge.paid_at is None
            wanted = charge.id if charge is not None and open_invoice and charge.voided_at is None else None
            session.rollback()
            if wanted is not None:
                mark_paid(session, specialist, wanted)

    def _control(self, what: str, **arguments: Any) -> None:
        if not self._plays:
            return
        request = urllib.request.Request(  # noqa: S310 – the address is our own simulator's, on this machine
            f"{self._api}/_control/{what}", json.dumps(arguments).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 – as above
            answer.read()
