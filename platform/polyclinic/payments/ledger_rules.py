"""Pure bookkeeping: which postings an economic fact makes. Debit above zero, credit below, zero in all (E6).

Accounts, each of one specialist on one portal:

=========================  ==========================================================================================
``provider:platform``      the platform's balance at the provider (asset)
``provider:specialist``    the specialist's own balance at the provider; their books, kept along (E3)
``specialist:outside``     what patients paid the specialist elsewhere; their books, kept along (E5)
``specialist:revenue``     what the specialist earned in their own books
``specialist:expenses``    commission and provider's fees in their own books
``specialist:payable``     what the platform owes the specialist (E4)
``specialist:receivable``  what the specialist owes the platform (E5)
``platform:commission``    what the platform earned
``platform:fees``          what the provider charged the platform
=========================  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Account = Literal[
    "provider:platform",
    "provider:specialist",
    "specialist:outside",
    "specialist:revenue",
    "specialist:expenses",
    "specialist:payable",
    "specialist:receivable",
    "platform:commission",
    "platform:fees",
]
Where = Literal["platform", "specialist", "outside"]
"""Who took the money: the platform (E4), the specialist's account (E3), or the specialist elsewhere (E5)."""
Postings = dict[Account, int]

#: Accounts that are the specialist's own books; the platform's results leave them out.
MEMORANDUM: tuple[Account, ...] = (
    "provider:specialist",
    "specialist:outside",
    "specialist:revenue",
    "specialist:expenses",
)


def capture(where: Where, amount: int, commission: int) -> Postings:
    """A patient paid ``amount``, of which ``commission`` is the platform's."""
    if where == "platform":
        return _tidy(
            {
                "provider:platform": amount,
                "specialist:payable": commission - amount,
                "platform:commission": -commission,
            }
        )
    asset: Account = "provider:specialist" if where == "specialist" else "specialist:outside"
    return {asset: amount, "specialist:revenue": -amount}


def commission_taken(where: Where, commission: int) -> Postings:
    """The platform took its commission out of what a specialist's account received, or is owed it (E3, E5)."""
    if where == "specialist":
        return _tidy(
            {
                "specialist:expenses": commission,
                "provider:specialist": -commission,
                "provider:platform": commission,
                "platform:commission": -commission,
            }
        )
    if where == "outside":
        return _tidy({"specialist:receivable": commission, "platform:commission": -commission})
    return {}


def provider_fee(where: Where, fee: int) -> Postings:
    """The provider kept a fee; it is not given back with refunds."""
    if where == "platform":
        return _tidy({"platform:fees": fee, "provider:platform": -fee})
    return _tidy({"specialist:expenses": fee, "provider:specialist": -fee}) if where == "specialist" else {}


def refund(where: Where, amount: int, commission: int) -> Postings:
    """``amount`` went back to the patient, ``commission`` of it at the platform's cost."""
    if where == "platform":
        return _tidy(
            {
                "specialist:payable": amount - commission,
                "platform:commission": commission,
                "provider:platform": -amount,
            }
        )
    asset: Account = "provider:specialist" if where == "specialist" else "specialist:outside"
    return {"specialist:revenue": amount, asset: -amount}


def commission_given_back(where: Where, commission: int) -> Postings:
    """The platform gave commission back with a refund (E3)."""
    return reverse(commission_taken(where, commission))


def reverse(postings: Mapping[Account, int]) -> Postings:
    """The same with signs turned: what corrects an entry."""
    return {account: -amount for account, amount in postings.items()}


def refuse_unbalanced(postings: Mapping[Account, int]) -> str | None:
    """Say what is wrong with the postings of an entry in one currency, or None."""
    if len(postings) < 2:
        return "an entry needs two sides"
    total = sum(postings.values())
    return None if total == 0 else f"an entry must sum to zero, not {total}"


def _tidy(postings: Mapping[Account, int]) -> Postings:
    """Leave out sides that are zero."""
    return {account: amount for account, amount in postings.items() if amount}
