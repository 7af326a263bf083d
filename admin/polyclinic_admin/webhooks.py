"""What payment providers sent and what became of it, to read (E7)."""

from __future__ import annotations

import uuid

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from polyclinic.payments.inbox_models import WebhookEvent
from polyclinic.web.portal_badges import portal_badge
from polyclinic_admin.lists import Cell, Facet, ReadOnlyList
from polyclinic_admin.people import portal_choices

TONES = {"received": "accent", "handled": "positive", "unmatched": "critical", "ignored": "neutral"}


def _states() -> list[tuple[str, str]]:
    return [
        ("received", _("Received")),
        ("handled", _("Handled")),
        ("unmatched", _("Nobody found")),
        ("ignored", _("Ignored")),
    ]


def _notes() -> dict[str, str]:
    return {
        "unknown-ids": _("Nothing of ours has these ids. It is looked for again for a day."),
        "no-payment": _("It names a payment that is not there."),
        "other-account": _("It names a payment of another account."),
        "test-mode": _("It was sent in test mode."),
        "live-mode": _("It was sent in live mode."),
        "no-interest": _("Nothing follows from this kind."),
    }


class Webhooks(ReadOnlyList):
    """Every event that came in, newest first; what it said is not kept, only whose objects it names."""

    column_list = ("received_at", "kind", "portal_id", "state", "note", "account", "event_id")
    column_labels = {
        "received_at": _l("When"),
        "kind": _l("What"),
        "portal_id": _l("Website"),
        "state": _l("State"),
        "note": _l("Why"),
        "account": _l("Account"),
        "event_id": _l("Event"),
    }
    column_searchable_list = ("event_id", "kind", "account")
    column_sortable_list = ("received_at",)
    column_default_sort = ("received_at", True)
    lead = _l("What payment providers told us. Events without a website belong to the network or to nobody known.")
    empty_title = _l("No event matches")
    empty_text = _l("Events appear here as payment providers send them.")
    facets = (
        Facet("state", _l("State"), _states, lambda value: WebhookEvent.state == value),
        Facet("portal", _l("Website"), portal_choices, lambda value: WebhookEvent.portal_id == uuid.UUID(value)),
    )
    column_formatters = {
        "received_at": lambda _view, _context, row, _name: Cell(at=row.received_at),
        "portal_id": lambda _view, _context, row, _name: (
            Cell(portal_badge(row.portal_id).name, hue=portal_badge(row.portal_id).hue) if row.portal_id else Cell("–")
        ),
        "state": lambda _view, _context, row, _name: Cell(dict(_states())[row.state], tone=TONES[row.state]),
        "note": lambda _view, _context, row, _name: Cell(_notes().get(row.note, row.note)),
        "account": lambda _view, _context, row, _name: Cell(row.account or _("Network")),
    }
