"""Statuses of consents in words and tones."""

from __future__ import annotations

from flask_babel import gettext as _


def status_words() -> dict[str, str]:
    """Return each status in the reader's language."""
    return {
        "missing": _("Not answered"),
        "outdated": _("New version"),
        "expired": _("Expired"),
        "withdrawn": _("Withdrawn"),
        "signed": _("Agreed"),
    }


def status_tones() -> dict[str, str]:
    """Return the badge tone of each status."""
    return {
        "missing": "neutral",
        "outdated": "caution",
        "expired": "caution",
        "withdrawn": "critical",
        "signed": "positive",
    }
