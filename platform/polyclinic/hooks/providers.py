"""What a payment provider is told and what it answers: frozen values, HTTP only, no database (E7).

A plugin's provider speaks to the outside and to nobody else. Payments commits an intent with its idempotency key, calls
the provider outside every transaction, and applies the answer in a second one. What a provider reports are *facts read
from it*; events are only hints to read again. Words that reach a provider are neutral: no service names, no health, no
other portal (T3, P4).
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Literal, Protocol

from polyclinic.kernel.money import Money

AccountKind = Literal["merchant", "recipient"]
PaymentStatus = Literal["open", "processing", "paid", "failed", "expired"]
RefundStatus = Literal["pending", "succeeded", "failed"]


class ProviderUnavailable(Exception):
    """The provider did not answer, or answered with a fault of its own: the outcome is unknown, ask again later.

    Repeating the call with the same idempotency key is safe. ``answered`` tells that the fault is what the provider
    remembers for this key: once a reading has shown that nothing was made, another key has to ask.
    """

    def __init__(self, sentence: str, *, answered: bool = False) -> None:
        """Keep a sentence for logs."""
        super().__init__(sentence)
        self.answered = answered


class ProviderRefused(Exception):
    """The provider understood and said no; asking the same again does not help."""

    def __init__(self, code: str, sentence: str) -> None:
        """Keep the provider's code ("card_declined") and its sentence, for logs and operators."""
        super().__init__(f"{code}: {sentence}")
        self.code, self.sentence = code, sentence


@dataclass(frozen=True, slots=True)
class Brand:
    """How a portal looks on the provider's page."""

    name: str
    colour: str
    """Of the button, "#3b4a8f"."""
    surface: str
    """Of the page."""
    logo_url: str | None = None
    rounded: bool = True


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of what is paid, in neutral words ("Appointment")."""

    name: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What a patient is about to pay, in one payment of one or more charges."""

    payment_id: uuid.UUID
    portal_id: uuid.UUID
    lines: tuple[OrderLine, ...]
    amount: Money
    """The sum of the lines."""
    commission: Money
    """What the platform keeps of it; connect_direct takes it as application fee."""
    account: str
    """The provider's account that charges; "" for the platform's own."""
    brand: Brand
    statement_suffix: str
    """What card statements show after the platform's name: neutral letters and digits, at most 10."""
    locale: str
    success_url: str
    """Where the provider sends the patient afterwards; a page that reads again, never proof."""
    cancel_url: str
    expires_at: dt.datetime
    """Real time, UTC. A provider whose shortest life is longer takes its shortest."""
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class CheckoutOpened:
    """A page of the provider's on which the order can be paid."""

    checkout_id: str
    url: str
    intent_id: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentReference:
    """How a payment is found at the provider again."""

    payment_id: uuid.UUID
    account: str
    checkout_id: str
    intent_id: str | None
    amount: Money


@dataclass(frozen=True, slots=True)
class Captured:
    """Money that was taken: one per payment."""

    charge_id: str
    amount: Money
    provider_fee: Money | None
    """What the provider kept, in the account's settlement currency; None where it is not known yet or not ours."""
    commission: Money
    """What reached the platform as application fee; zero where the platform charged."""
    commission_id: str | None
    """The application fee's id."""
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Returned:
    """Money that went back, or is on its way: one per refund at the provider."""

    external_id: str
    refund_id: uuid.UUID | None
    """Our refund, read from its metadata; None for one that was made in the provider's own dashboard."""
    amount: Money
    commission: Money
    """How much application fee the provider gave back with it, as the provider says."""
    status: RefundStatus
    failure: str | None
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PaymentReading:
    """Everything the provider says about a payment right now."""

    status: PaymentStatus
    intent_id: str | None = None
    captured: Captured | None = None
    returned: tuple[Returned, ...] = ()
    disputed: bool = False
    failure: str | None = None
    """The provider's code of the last failed attempt ("card_declined"), while open or failed."""
    mismatch: str | None = None
    """Why this is not the payment that was asked for (amount, currency, account, id): quarantine, never confirm."""


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """What shall go back to the patient."""

    refund_id: uuid.UUID
    payment: PaymentReference
    charge_id: str
    """The provider's id of what was captured."""
    amount: Money
    return_commission: bool
    """Whether the platform's commission goes back in proportion; means something only to connect_direct."""
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class AccountReading:
    """What a specialist's account at the provider can do."""

    external_id: str
    ready: bool
    """Whether it can charge (merchant) or be paid (recipient)."""
    requirements: tuple[str, ...] = ()
    """What the provider still needs, in its own names ("individual.id_number")."""
    deadline: dt.datetime | None = None
    dashboard_url: str | None = None


@dataclass(frozen=True, slots=True)
class AccountOrder:
    """A specialist who wants an account."""

    specialist_id: uuid.UUID
    kind: AccountKind
    name: str
    email: str
    country: str
    """ISO 3166, "DE"."""
    currency: str
    idempotency_key: str


class PaymentProvider(Protocol):
    """Speaks to one payment provider for one payment model. Every method may raise ProviderUnavailable or Refused."""

    name: str
    """Of the provider, as external references and inbox rows carry it: "stripe"."""
    account_kind: AccountKind | None
    """Which account of the specialist's it knows; None for none."""
    account_charges: bool
    """Whether the specialist's account is the one that charges (E3), so that nothing is bookable until it is ready."""

    def available(self) -> bool:
        """Whether the installation has keys for it."""

    def page_origins(self) -> tuple[str, ...]:
        """Return the origins of its own pages ("https://checkout.stripe.com"), which our forms may lead to (CSP)."""

    def open_checkout(self, order: PaymentOrder) -> CheckoutOpened:
        """Make the page on which an order is paid; the same key makes the same page."""

    def read_payment(self, payment: PaymentReference) -> PaymentReading:
        """Read everything about a payment again."""

    def expire_checkout(self, payment: PaymentReference) -> PaymentReading:
        """Close the page so that nothing can be paid on it any more; then read: a payment may have been faster."""

    def refund(self, order: RefundOrder) -> Returned:
        """Send money back; the same key sends it once."""

    def create_account(self, order: AccountOrder) -> AccountReading:
        """Make a specialist's account."""

    def account_link(self, external_id: str, *, refresh_url: str, return_url: str) -> str:
        """Return the address of the provider's own pages where the specialist completes the account; used once."""

    def read_account(self, external_id: str) -> AccountReading:
        """Read what the account can do now."""
