"""The payment provider `stripe`, in the two shapes of its payment models: HTTP only, no database (E3, E4, E7)."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Literal

from flask import current_app

from polyclinic.config import StripeKeys
from polyclinic.hooks.providers import (
    AccountKind,
    AccountOrder,
    AccountReading,
    CheckoutOpened,
    PaymentOrder,
    PaymentReading,
    PaymentReference,
    ProviderRefused,
    RefundOrder,
    Returned,
)
from polyclinic_stripe.accounts import account_params, account_reading, included, link_params
from polyclinic_stripe.amounts import to_stripe
from polyclinic_stripe.checkout import EXPANDED, checkout_params
from polyclinic_stripe.reading import captured_of, reading_of, returned_of

NAME = "stripe"
_MOST = 100


def current_keys() -> StripeKeys:
    """Return how this installation reaches Stripe."""
    keys: StripeKeys = current_app.config["POLYCLINIC"].stripe
    return keys


def _speech() -> ModuleType:
    from polyclinic_stripe import client  # noqa: PLC0415 – imports the SDK: 24 MB, for whoever makes a call only

    return client


class StripeProvider:
    """Speaks to Stripe for one payment model: with ``direct`` the specialist's account charges, else the platform's."""

    name = NAME

    def __init__(self, *, direct: bool) -> None:
        """Choose the model."""
        self.account_kind: AccountKind | None = "merchant" if direct else "recipient"
        self.account_charges = direct

    def available(self) -> bool:
        """Whether the installation has a key."""
        return current_keys().secret_key is not None

    def page_origins(self) -> tuple[str, ...]:
        """Stripe's own pages, or those of a custom domain or the simulator."""
        return current_keys().pages

    def open_checkout(self, order: PaymentOrder) -> CheckoutOpened:
        """Make a Checkout Session."""
        speech = _speech()
        params = checkout_params(order, direct=self.account_charges)
        options = self._options(order.account, order.idempotency_key)
        session = speech.call(speech.current_client().v1.checkout.sessions.create, params, options)
        return CheckoutOpened(session["id"], session["url"], _id(session.get("payment_intent")))

    def read_payment(self, payment: PaymentReference) -> PaymentReading:
        """Read session, intent, charge, balance transaction, and every refund with its returned commission."""
        speech, options = _speech(), self._options(payment.account)
        client = speech.current_client()
        session = speech.call(client.v1.checkout.sessions.retrieve, payment.checkout_id, {"expand": EXPANDED}, options)
        refunds, fee_refunds = self._given_back(session.get("payment_intent"), options)
        return reading_of(payment, session, refunds, fee_refunds, live=current_keys().live)

    def expire_checkout(self, payment: PaymentReference) -> PaymentReading:
        """Expire the session, then read: it may have been paid, or have expired, a moment before."""
        speech = _speech()
        options = self._options(payment.account)
        try:
            speech.call(speech.current_client().v1.checkout.sessions.expire, payment.checkout_id, {}, options)
        except ProviderRefused as refused:
            reading = self.read_payment(payment)
            if reading.status == "open":
                raise refused
            return reading
        return self.read_payment(payment)

    def refund(self, order: RefundOrder) -> Returned:
        """Send money back, then read how much commission came with it."""
        speech = _speech()
        params: dict[str, Any] = {
            "charge": order.charge_id,
            "amount": to_stripe(order.amount),
            "metadata": {"refund": str(order.refund_id), "payment": str(order.payment.payment_id)},
        }
        if self.account_charges:
            params["refund_application_fee"] = order.return_commission
            params["metadata"]["commission"] = "returned" if order.return_commission else "kept"
        plain = self._options(order.payment.account)
        options = self._options(order.payment.account, order.idempotency_key)
        client = speech.current_client()
        made = speech.call(client.v1.refunds.create, params, options)
        charge = speech.call(client.v1.charges.retrieve, order.charge_id, {}, plain)
        intent = {"id": _id(charge["payment_intent"]), "latest_charge": charge}
        found = returned_of(*self._given_back(intent, plain))
        return next(returned for returned in found if returned.external_id == made["id"])

    def _given_back(
        self, intent: dict[str, Any] | str | None, options: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return every refund of an intent, and every return of the commission taken with it."""
        if not isinstance(intent, dict) or not isinstance(intent.get("latest_charge"), dict):
            return [], []
        speech = _speech()
        client = speech.current_client()
        query = {"payment_intent": intent["id"], "limit": _MOST}
        refunds = speech.every(client.v1.refunds.list, query, options)
        commission_id = captured_of(intent["latest_charge"]).commission_id
        if not refunds or commission_id is None:
            return refunds, []
        # An application fee is the platform's own object: asked without the specialist's account.
        return refunds, speech.every(client.v1.application_fees.refunds.list, commission_id, {"limit": _MOST})

    def create_account(self, order: AccountOrder) -> AccountReading:
        """Make a specialist's account."""
        speech = _speech()
        client, options = speech.current_client(), {"idempotency_key": order.idempotency_key}
        account = speech.make_or_remake(client.v2.core.accounts.create, account_params(order), options)
        return account_reading(account, order.kind)

    def account_link(self, external_id: str, *, refresh_url: str, return_url: str) -> str:
        """Return a fresh address of Stripe's onboarding; it lives for minutes and is used once."""
        speech = _speech()
        params = link_params(external_id, refresh_url, return_url)
        return str(speech.call(speech.current_client().v2.core.account_links.create, params)["url"])

    def read_account(self, external_id: str) -> AccountReading:
        """Read what an account can do now."""
        speech, kind = _speech(), self._kind()
        params = {"include": included(kind)}
        account = speech.call(speech.current_client().v2.core.accounts.retrieve, external_id, params)
        return account_reading(account, kind)

    def _kind(self) -> Literal["merchant", "recipient"]:
        return "merchant" if self.account_charges else "recipient"

    def _options(self, account: str, key: str | None = None) -> dict[str, Any]:
        """Return on whose account a call acts; where specialists' accounts charge, never on the platform's."""
        if bool(account) != self.account_charges:
            raise ProviderRefused("account", f"this payment model does not charge on account {account!r}")
        options: dict[str, Any] = {"stripe_account": account} if account else {}
        return options | ({"idempotency_key": key} if key else {})


def _id(value: Any) -> str | None:
    found = value["id"] if isinstance(value, dict) else value
    return None if found is None else str(found)
