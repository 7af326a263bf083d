"""Stripe's test cards: what each number does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """A test card."""

    number: str
    brand: str = "visa"
    code: str | None = None
    """The error of a charge; None succeeds."""
    decline_code: str | None = None
    message: str = ""
    challenge: str = "never"
    """never, once (until saved for later with the customer present) or always: 3-D Secure."""
    refunds: str = "succeeded"
    """What becomes of refunds: succeeded, pending (succeeds later), failed (succeeds first)."""
    disputed: bool = False

    @property
    def last4(self) -> str:
        """The digits people see."""
        return self.number[-4:]


def _declines(number: str, decline_code: str, message: str, code: str = "card_declined") -> Card:
    return Card(number, code=code, decline_code=decline_code, message=message)


DECLINED = "Your card was declined."
CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242"),
        Card("5555555555554444", "mastercard"),
        Card("378282246310005", "amex"),
        _declines("4000000000000002", "generic_decline", DECLINED),
        _declines("4000000000009995", "insufficient_funds", "Your card has insufficient funds."),
        _declines("4000000000009987", "lost_card", DECLINED),
        _declines("4000000000000069", "expired_card", "Your card has expired.", "expired_card"),
        _declines("4000000000000127", "incorrect_cvc", "Your card's security code is incorrect.", "incorrect_cvc"),
        _declines("4000000000000119", "processing_error", "An error occurred while processing your card.",
                  "processing_error"),
        Card("4000002500003155", challenge="once"),
        Card("4000002760003184", challenge="always"),
        Card("4000000000007726", refunds="pending"),
        Card("4000000000005126", refunds="failed"),
        Card("4000000000000259", disputed=True),
    )
}  # fmt: skip
TOKENS = {
    "visa": "4242424242424242",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "chargeDeclined": "4000000000000002",
    "visa_chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "authenticationRequired": "4000002760003184",
    "authenticationRequiredOnSetup": "4000002500003155",
    "createDispute": "4000000000000259",
    "refundPending": "4000000000007726",
    "refundFail": "4000000000005126",
}
"""Names after `pm_card_` and `tok_`."""


def digits(number: str) -> str:
    """A card number as typed, without spaces and dashes."""
    return number.replace(" ", "").replace("-", "")


def valid(number: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    if not number.isascii() or not number.isdecimal() or not 12 <= len(number) <= 19:
        return False
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(number))]
    return sum(d // 10 + d % 10 for d in doubled) % 10 == 0
