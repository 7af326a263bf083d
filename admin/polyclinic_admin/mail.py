"""What was sent to whom, to read (T2)."""

from __future__ import annotations

import uuid

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from polyclinic.notifications.models import Delivery
from polyclinic.web.portal_badges import portal_badge
from polyclinic_admin.lists import Cell, Facet, ReadOnlyList
from polyclinic_admin.people import portal_choices
from polyclinic_admin.words import kind_word

TONES = {"sending": "accent", "sent": "positive", "failed": "critical"}


def _states() -> list[tuple[str, str]]:
    return [("sent", _("Sent")), ("sending", _("Being sent")), ("failed", _("Failed"))]


def _causes() -> list[tuple[str, str]]:
    return [
        ("appointment.confirmed", _("Appointment confirmed")),
        ("appointment.cancelled", _("Appointment cancelled")),
        ("identity.code", _("Code")),
        ("identity.welcome", _("Welcome")),
        ("contact.written", _("Message to the support desk")),
        ("enquiry.written", _("Enquiry")),
    ]


class Deliveries(ReadOnlyList):
    """Every mail that left or should have left, newest first; what it said is not kept."""

    column_list = ("created_at", "cause", "recipient_kind", "portal_id", "state", "error", "message_id")
    column_labels = {
        "created_at": _l("When"),
        "cause": _l("What"),
        "recipient_kind": _l("To"),
        "portal_id": _l("Website"),
        "state": _l("State"),
        "error": _l("What went wrong"),
        "message_id": _l("Message-ID"),
    }
    column_searchable_list = ("message_id", "recipient_id", "cause")
    column_sortable_list = ("created_at",)
    column_default_sort = ("created_at", True)
    lead = _l("Every mail by its cause, recipient and result. What it said is not kept.")
    empty_title = _l("No mail matches")
    empty_text = _l("Mails appear here as they are sent.")
    facets = (
        Facet("portal", _l("Website"), portal_choices, lambda value: Delivery.portal_id == uuid.UUID(value)),
        Facet("state", _l("State"), _states, lambda value: Delivery.state == value),
        Facet("cause", _l("What"), _causes, lambda value: Delivery.cause.startswith(f"{value}:", autoescape=True)),
    )
    column_formatters = {
        "created_at": lambda _view, _context, row, _name: Cell(at=row.created_at),
        "cause": lambda _view, _context, row, _name: Cell(
            dict(_causes()).get(row.cause.partition(":")[0], row.cause.partition(":")[0])
        ),
        "recipient_kind": lambda _view, _context, row, _name: Cell(
            f"{kind_word(row.recipient_kind)} {row.recipient_id[:8]}"
        ),
        "portal_id": lambda _view, _context, row, _name: (
            Cell(portal_badge(row.portal_id).name, hue=portal_badge(row.portal_id).hue) if row.portal_id else Cell("–")
        ),
        "state": lambda _view, _context, row, _name: Cell(dict(_states())[row.state], tone=TONES[row.state]),
        "error": lambda _view, _context, row, _name: Cell(row.error or ""),
    }
