"""What people wrote: to the support desks of portals, and to the network about working here. Answers go by mail."""

from __future__ import annotations

import uuid
from urllib.parse import quote

from flask import redirect, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from polyclinic.directory.showing import language_name
from polyclinic.enquiries.forms import KIND_WORDS
from polyclinic.enquiries.models import Enquiry
from polyclinic.enquiries.rules import OTHER
from polyclinic.enquiries.services import get_enquiry, mark_enquiry
from polyclinic.kernel.errors import NotFound
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
        answered = request.form.get("state") == "answered"
        mark_contact_message(operator_session(), operator(), message_id, answered=answered)
        return redirect(self.get_url(".show", message_id=message_id), 303)


def whole_network() -> bool:
    """Whether the operator works for the network as a whole: enquiries are the network's, not a website's."""
    return operator().portals is None


class Enquiries(ReadOnlyList):
    """What people asked who would like to work here (S0); operators of some websites have no such list."""

    column_list = ("created_at", "name", "kind", "field", "state")
    column_labels = {
        "created_at": _l("When"),
        "name": _l("From"),
        "kind": _l("How they work"),
        "field": _l("Field"),
        "state": _l("State"),
    }
    column_searchable_list = ("name", "email", "practice")
    column_sortable_list = ("created_at", "name")
    column_default_sort = ("created_at", True)
    lead = _l("From the public site for specialists. Answer by mail; the state says what still waits.")
    empty_title = _l("No enquiry")
    empty_text = _l("Enquiries from the public site of the Specialist Portal arrive here.")
    facets = (
        Facet("state", _l("State"), message_states, lambda value: Enquiry.state == value),
        Facet(
            "kind",
            _l("How they work"),
            lambda: [(name, str(words)) for name, words in KIND_WORDS.items()],
            lambda value: Enquiry.kind == value,
        ),
    )
    column_formatters = {
        "created_at": lambda _view, _context, row, _name: Cell(at=row.created_at),
        "name": lambda view, _context, row, _name: Cell(row.name, href=view.get_url(".show", enquiry_id=row.id)),
        "kind": lambda _view, _context, row, _name: Cell(str(KIND_WORDS[row.kind])),
        "field": lambda _view, _context, row, _name: Cell("–" if row.field == OTHER else row.field),
        "state": lambda _view, _context, row, _name: Cell(
            dict(message_states())[row.state], tone=STATE_TONES[row.state]
        ),
    }

    def is_accessible(self) -> bool:
        """Let operators of the whole network in; for others there is no such page (I2)."""
        if not whole_network():
            raise NotFound
        return super().is_accessible()

    @expose("/<uuid:enquiry_id>")
    def show(self, enquiry_id: uuid.UUID) -> str:
        """Show an enquiry and the websites that were asked about."""
        enquiry = get_enquiry(operator_session(), enquiry_id)
        page: str = self.render(
            "console/enquiry.html",
            enquiry=enquiry,
            kind=KIND_WORDS[enquiry.kind],
            languages=", ".join(language_name(code) for code in enquiry.languages),
            badges=[portal_badge(uuid.UUID(one)) for one in enquiry.portals],
            states=dict(message_states()),
            tones=STATE_TONES,
            answer=answer_link(enquiry.email, _("Your enquiry")),
        )
        return page

    @expose("/<uuid:enquiry_id>", methods=("POST",))
    def mark(self, enquiry_id: uuid.UUID) -> Response:
        """Mark an enquiry as answered, or as new again."""
        answered = request.form.get("state") == "answered"
        mark_enquiry(operator_session(), operator(), enquiry_id, answered=answered)
        return redirect(self.get_url(".show", enquiry_id=enquiry_id), 303)
