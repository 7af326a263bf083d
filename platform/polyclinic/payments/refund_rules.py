"""Pure decisions about refunds: how much goes back by which rule, and what may still go back (E8, B6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flask_babel import lazy_gettext as _l

from polyclinic.kernel.errors import Conflict, Refusal
from polyclinic.kernel.money import Money
from polyclinic.payments.commission import commission_returned

Reason = Literal[
    "free_cancellation",
    "late_cancellation",
    "specialist_cancelled",
    "operator_cancelled",
    "system_cancelled",
    "payment_too_late",
    "paid_twice",
    "made_at_provider",
]

#: The failure of a refund that was overtaken: all of it went back in the provider's own dashboard.
RETURNED_ALREADY = "returned_already"

#: The rule that grants a refund, in words for everybody who sees one (E8).
REASONS: Mapping[str, Any] = {
    "free_cancellation": _l("Cancelled in time"),
    "late_cancellation": _l("Cancelled late: what is left after the late fee"),
    "specialist_cancelled": _l("Cancelled by the specialist"),
    "operator_cancelled": _l("Cancelled by the website"),
    "system_cancelled": _l("Cancelled automatically"),
    "payment_too_late": _l("Paid after the time was given up"),
    "paid_twice": _l("Paid twice"),
    "made_at_provider": _l("Returned at the payment provider"),
}


@dataclass(frozen=True, slots=True)
class Returnable:
    """A charge and what went back of it so far, in minor units; failed refunds do not count."""

    amount: int
    commission: int
    refunded: int = 0
    returned: int = 0
    """How much of the commission went back."""

    @property
    def left(self) -> int:
        """What may still go back."""
        return self.amount - self.refunded


@dataclass(frozen=True, slots=True)
class RefundTerms:
    """What a cancellation gives back, said before the button (B6)."""

    paid: Money
    back: Money
    reason: Reason


def refund_terms(paid: Money, refunded: Money, fee: Money, by: str, unit: int = 1) -> RefundTerms:
    """Return what goes back of what was paid when ``by`` cancels and owes ``fee``; never more than is left.

    ``unit`` is the multiple that every amount must be; a broken one is rounded in the patient's favour.
    """
    left = paid - refunded
    back = min(left.minor, -(-max(0, left.minor - fee.minor) // unit) * unit)
    reason: Reason = "late_cancellation" if fee else "free_cancellation"
    if by == "specialist":
        reason = "specialist_cancelled"
    elif by == "operator":
        reason = "operator_cancelled"
    elif by == "system":
        reason = "system_cancelled"
    return RefundTerms(paid, Money(back, paid.currency), reason)


def refuse_refund(charge: Returnable, amount: int, *, paid: bool, disputed: bool) -> Refusal | None:
    """Say why ``amount`` of a charge cannot go back, or None: never above the charge (E8)."""
    if not paid:
        return Conflict("charge-not-paid", _l("Nothing was paid for this, so nothing can be returned."))
    if disputed:
        return Conflict("charge-disputed", _l("This payment is disputed; returning it now would return it twice."))
    if amount <= 0 or amount > charge.left:
        return Conflict(
            "refund-above-charge",
            _l("More cannot be returned than was paid and is not yet on its way back."),
            extra={"left_minor": charge.left},
        )
    return None


def commission_part(charge: Returnable, amount: int, *, return_commission: bool, unit: int = 1) -> int:
    """Return how much of a refund the platform bears: its commission in proportion, or nothing where it keeps it."""
    if not return_commission:
        return 0
    return commission_returned(charge.commission, charge.amount, charge.refunded, charge.returned, amount, unit)
