"""What the audit trail and the delivery log call those who act and what they act upon, in the reader's language."""

from __future__ import annotations

from flask_babel import gettext as _


def kind_word(kind: str) -> str:
    """Return the word for a kind of person or thing; a plugin's own kinds stand as they are."""
    words = {
        "patient": _("Patient"),
        "specialist": _("Specialist"),
        "operator": _("Operator"),
        "visitor": _("Visitor"),
        "system": _("System"),
        "listing": _("Listing"),
        "service": _("Service"),
        "team": _("Team"),
        "vocabulary": _("Vocabulary"),
        "allocation": _("Allocation"),
        "hold": _("Hold"),
        "appointment": _("Appointment"),
        "consent": _("Consent"),
        "support": _("Support desk"),
        "enquiry": _("Enquiry"),
        "contact_message": _("Message to the support desk"),
    }
    return words.get(kind, kind)
