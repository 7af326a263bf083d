"""What states of money are called, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import gettext as _
from flask_babel import pgettext

#: A badge's tone repeats what the word says.
TONES: Final[Mapping[str, str]] = {
    "open": "caution",
    "processing": "accent",
    "failed": "critical",
    "paid": "positive",
    "refund_on_the_way": "accent",
    "partly_refunded": "neutral",
    "refunded": "neutral",
    "void": "neutral",
    "returned": "neutral",
}


def status_words() -> dict[str, str]:
    """Return the statuses of charges and refunds."""
    return {
        "open": pgettext("money that is owed", "Open"),
        "processing": _("Being processed"),
        "failed": _("Failed"),
        "paid": _("Paid"),
        "refund_on_the_way": _("Refund on the way"),
        "partly_refunded": _("Partly refunded"),
        "refunded": _("Refunded"),
        "void": _("Not owed any more"),
        "returned": _("Returned"),
    }


def model_words() -> dict[str, str]:
    """Return the payment models of the product; a plugin's own stand as they are."""
    return {
        "connect_direct": _("Online, to the specialist"),
        "platform_charge": _("Online, to the website"),
        "external_invoice": _("By invoice"),
        "free": _("Free"),
    }
