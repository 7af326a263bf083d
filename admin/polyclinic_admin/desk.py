"""What people wrote to the support desks of portals: a list by state, one message, its answer by mail."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

from flask import redirect, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from polyclinic.pages.forms import WORDS
from polyclinic.pages.models import ContactMessage
from polyclinic.pages.services import mark_contact_message, read_contact_message
from polyclinic.web.i18n import Language
from polyclinic.web.portal_badges import portal_badge
from polyclinic_admin.access import expose, operator, operator_session
from polyclinic_admin.lists import Cell, Facet, ReadOnlyList
from polyclinic_admin.people import portal_choices


def message_states() -> list[tuple[str, str]]:
    """Return the states of what waits for an answer, in words."""
    return [("new", _("New")), ("answered", _("Answered"))]


STATE_TONES = {"new": "caution", "answered": "positive"}


def answer_link(address: str, subject: str) -> str:
    """Return what opens the operator's own mail program with an answer begun."""
    return f"mailto:{quote(address, safe='@')}?subject={quote(subject)}"


class ContactMessages(ReadOnlyList):
    """Messages from contact pages: who may read them are the operators of that portal (I4 is about conversations)."""

    column_list = ("created_at", "name", "topic", "portal_id", "state")
    column_labels = {
        "created_at": _l("When"),
        "name": _l("From"),
        "topic": _l("About"),
        "portal_id": _l("Website"),
        "state": _l("State"),
    }
    column_searchable_list = ("name", "email")
    column_sortable_list = ("created_at", "name")
    column_default_sort = ("created_at", True)
    lead = _l("What people wrote on the contact pages. Every reading is in the audit trail.")
    empty_title = _l("No message")
    empty_text = _l("Messages from the contact pages of your websites arrive here.")
    facets = (
        Facet("state", _l("State"), message_states, lambda value: ContactMessage.state == value),
        Facet("portal", _l("Website"), portal_choices, lambda value: ContactMessage.portal_id == uuid.UUID(value)),
    )
    column_formatters = {
        "created_at": lambda _view, _context, row, _name: Cell(at=row.created_at),
        "name": lambda view, _context, row, _name: Cell(row.name, href=view.get_url(".show", message_id=row.id)),
        "topic": lambda _view, _context, row, _name: Cell(str(WORDS[row.topic])),
        "portal_id": lambda _view, _context, row, _name: Cell(
            portal_badge(row.portal_id).name, hue=portal_badge(row.portal_id).hue
        ),
        "state": lambda _view, _context, row, _name: Cell(
            dict(message_states())[row.state], tone=STATE_TONES[row.state]
        ),
    }

    @expose("/<uuid:message_id>")
    def show(self, message_id: uuid.UUID) -> str:
        """Show a message; that it was read is written down (U3)."""
        message = read_contact_message(operator_session(), operator(), message_id)
        badge = portal_badge(message.portal_id)
        page: str = self.render(
            "console/message.html",
            message=message,
            badge=badge,
            topic=WORDS[message.topic],
            language=Language(message.locale).name,
            states=dict(message_states()),
            tones=STATE_TONES,
            answer=answer_link(message.email, _("Your message to %(portal)s", portal=badge.name)),
        )
        return page

    @expose("/<uuid:message_id>", methods=("POST",))
    def mark(self, message_id: uuid.UUID) -> Response:
        """Mark a message as answered, or as new again."""
        answered: Any = request.form.get("state") == "answered"
        mark_contact_message(operator_session(), operator(), message_id, answered=answered)
        return redirect(self.get_url(".show", message_id=message_id), 303)
