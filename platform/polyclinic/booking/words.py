"""The states of an appointment in words and tones, for every page and mail that shows one."""

from __future__ import annotations

from flask_babel import gettext as _


def state_words() -> dict[str, str]:
    """Return each state in the reader's language."""
    return {
        "pending_payment": _("Waiting for payment"),
        "confirmed": _("Confirmed"),
        "in_progress": _("In progress"),
        "completed": _("Completed"),
        "missed_by_patient": _("Missed by the patient"),
        "missed_by_specialist": _("Missed by the specialist"),
        "cancelled": _("Cancelled"),
    }


def state_tones() -> dict[str, str]:
    """Return the badge tone of each state (docs/components.md)."""
    return {
        "pending_payment": "caution",
        "confirmed": "accent",
        "in_progress": "positive",
        "completed": "positive",
        "missed_by_patient": "critical",
        "missed_by_specialist": "critical",
        "cancelled": "neutral",
    }


def source_words() -> dict[str, str]:
    """Return where an allocation came from (A3) in the reader's language."""
    return {
        "browse": _("Booked directly"),
        "request": _("Asked for an appointment"),
        "automated": _("Matched automatically"),
        "assisted": _("Assigned by the team"),
        "referral": _("Referred"),
        "programme": _("Through a programme"),
        "transfer": _("Transferred by a colleague"),
    }
