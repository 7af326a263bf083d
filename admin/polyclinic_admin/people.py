"""Specialists, listings and patients in the console: lists to read, forms that call services (S2, O1)."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select

from polyclinic.audit.models import AuditEvent
from polyclinic.audit.services import record
from polyclinic.directory.models import Listing, SpecialistProfile
from polyclinic.directory.services import get_listing, get_specialist, move_listing, move_specialist
from polyclinic.identity.models import Patient, Specialist
from polyclinic.kernel.errors import NotFound, Refusal
from polyclinic.kernel.transactions import transactional
from polyclinic.web.portal_badges import portal_badge
from polyclinic_admin.access import app_of, expose, operator, operator_session
from polyclinic_admin.lists import Cell, Facet, ReadOnlyList

#: What an operator may ask for in each state, the expected one first; rules.py of the directory decides in the end.
SPECIALIST_MOVES: dict[str, tuple[str, ...]] = {
    "submitted": ("approved", "changes_requested", "rejected"),
    "changes_requested": ("approved", "rejected"),
    "approved": ("suspended",),
    "suspended": ("approved",),
}
LISTING_MOVES: dict[str, tuple[str, ...]] = {
    "applied": ("listed", "rejected"),
    "listed": ("paused", "ended"),
    "paused": ("listed", "ended"),
}
NEEDS_REASON = frozenset({"changes_requested", "rejected", "suspended", "paused", "ended"})
TONES = {
    "approved": "positive",
    "listed": "positive",
    "submitted": "caution",
    "applied": "caution",
    "changes_requested": "caution",
    "suspended": "critical",
    "rejected": "critical",
    "paused": "neutral",
}


def state_words() -> dict[str, str]:
    """Return states of people and listings in the reader's language."""
    return {
        "draft": _("Draft"),
        "submitted": _("Waiting for approval"),
        "changes_requested": _("Changes requested"),
        "approved": _("Approved"),
        "rejected": _("Rejected"),
        "suspended": _("Suspended"),
        "applied": _("Applied"),
        "listed": _("Listed"),
        "paused": _("Paused"),
        "ended": _("Ended"),
    }


def move_words() -> dict[str, str]:
    """Return what a button that asks for a state says."""
    return {
        "approved": _("Approve"),
        "changes_requested": _("Request changes"),
        "rejected": _("Reject"),
        "suspended": _("Suspend"),
        "listed": _("List"),
        "paused": _("Pause"),
        "ended": _("End listing"),
    }


def effect_words() -> dict[str, str]:
    """Return what will happen, said before the button is pressed."""
    return {
        "approved": _("Their listed profiles become visible to patients at once."),
        "changes_requested": _("They read your reason and can submit again."),
        "rejected": _("They read your reason. Nobody can find them."),
        "suspended": _("They disappear from every website at once. Appointments that exist stay."),
        "listed": _("Patients of this website can find and book them."),
        "paused": _("Patients of this website no longer find them. Appointments that exist stay."),
        "ended": _("The listing ends for good; its history stays."),
    }


def _states(*names: str) -> list[tuple[str, Any]]:
    words = state_words()
    return [(name, words[name]) for name in names]


def portal_choices() -> list[tuple[str, str]]:
    """Return the portals this operator works for."""
    mine = operator().portals
    return [(str(portal.id), portal.name) for portal in app_of().places.portals() if mine is None or portal.id in mine]


def listed_for_operator() -> list[ColumnElement[bool]]:
    """Return the condition that a specialist has, or had, a listing on a portal this operator works for (I2)."""
    mine = operator().portals
    if mine is None:
        return []
    return [Specialist.id.in_(select(Listing.specialist_id).where(Listing.portal_id.in_(mine)))]


def _state_cell(_view: Any, _context: Any, row: Any, _name: str) -> Cell:
    return Cell(state_words().get(row.state, row.state), tone=TONES.get(row.state, "neutral"))


def _portal_cell(_view: Any, _context: Any, row: Any, _name: str) -> Cell:
    badge = portal_badge(row.portal_id)
    return Cell(badge.name, hue=badge.hue)


def _moment_cell(_view: Any, _context: Any, row: Any, name: str) -> Cell:
    return Cell(at=getattr(row, name))


class Specialists(ReadOnlyList):
    """People of the network: the approvals first."""

    column_list = ("name", "email", "state", "zone", "created_at")
    column_labels = {
        "name": _l("Name"),
        "email": _l("E-mail"),
        "state": _l("State"),
        "zone": _l("Time zone"),
        "created_at": _l("Since"),
    }
    column_searchable_list = ("name", "email")
    column_sortable_list = ("name", "email", "state", "created_at")
    column_default_sort = "name"
    lead = _l("Everybody who works on any website. The network approves the person, a website its listing.")
    empty_title = _l("No specialist matches")
    empty_text = _l("Specialists appear here as soon as they have an account.")
    facets = (
        Facet(
            "state",
            _l("State"),
            lambda: _states("draft", "submitted", "changes_requested", "approved", "rejected", "suspended"),
            lambda value: Specialist.state == value,
        ),
    )
    column_formatters = {
        "name": lambda view, _context, row, _name: Cell(row.name, href=view.get_url(".show", specialist_id=row.id)),
        "state": _state_cell,
        "created_at": _moment_cell,
    }

    def _conditions(self) -> list[ColumnElement[bool]]:
        return [*super()._conditions(), *listed_for_operator()]

    @expose("/<uuid:specialist_id>")
    def show(self, specialist_id: uuid.UUID) -> str:
        """Show one person: profile, listings, what happened, and what may be done."""
        return self._page(specialist_id)

    @expose("/<uuid:specialist_id>/state", methods=("POST",))
    def move(self, specialist_id: uuid.UUID) -> ResponseReturnValue:
        """Approve, suspend, reject or ask for changes through the directory's service."""
        reason = request.form.get("reason", "").strip() or None
        self._reach(specialist_id)
        try:
            person = move_specialist(
                operator_session(), operator(), specialist_id, request.form.get("state", ""), reason
            )
        except NotFound:
            raise
        except Refusal as refusal:
            return self._page(specialist_id, refusal), refusal.status
        flash(_("%(name)s is now: %(state)s.", name=person.name, state=state_words()[person.state]), "positive")
        return redirect(url_for(".show", specialist_id=specialist_id), 303)

    @staticmethod
    def _reach(specialist_id: uuid.UUID) -> Specialist:
        session = operator_session()
        if session.scalar(select(Specialist.id).where(Specialist.id == specialist_id, *listed_for_operator())) is None:
            raise NotFound
        return get_specialist(session, specialist_id)

    def _page(self, specialist_id: uuid.UUID, refusal: Refusal | None = None) -> str:
        session = operator_session()
        person = self._reach(specialist_id)
        listings = session.scalars(select(Listing).where(Listing.specialist_id == specialist_id)).all()
        events = session.scalars(
            select(AuditEvent)
            .where(AuditEvent.subject_kind == "specialist", AuditEvent.subject_id == str(specialist_id))
            .order_by(AuditEvent.id.desc())
            .limit(20)
        ).all()
        page: str = self.render(
            "console/specialist.html",
            person=person,
            profile=session.get(SpecialistProfile, specialist_id),
            listings=[(listing, portal_badge(listing.portal_id)) for listing in listings],
            events=events,
            moves=SPECIALIST_MOVES.get(person.state, ()) if operator().portals is None else (),
            words=state_words(),
            asks=move_words(),
            effects=effect_words(),
            needs_reason=NEEDS_REASON,
            tones=TONES,
            refusal=refusal,
        )
        return page


class Listings(ReadOnlyList):
    """Who is listed where."""

    column_list = ("specialist_id", "portal_id", "state", "active_allocations", "capacity", "created_at")
    column_labels = {
        "specialist_id": _l("Specialist"),
        "portal_id": _l("Website"),
        "state": _l("State"),
        "active_allocations": _l("Active patients"),
        "capacity": _l("Capacity"),
        "created_at": _l("Since"),
    }
    column_sortable_list = ("state", "active_allocations", "created_at")
    column_default_sort = ("created_at", True)
    lead = _l("Each specialist on each website. Approve, pause and end here; the website's rules stay its own.")
    empty_title = _l("No listing matches")
    empty_text = _l("A listing appears here when a specialist applies to a website or is invited to it.")
    facets = (
        Facet(
            "state",
            _l("State"),
            lambda: _states("applied", "listed", "paused", "rejected", "ended"),
            lambda value: Listing.state == value,
        ),
        Facet("portal", _l("Website"), portal_choices, lambda value: Listing.portal_id == uuid.UUID(value)),
    )
    column_formatters = {
        "specialist_id": lambda view, context, row, name: view.name_cell(context, row, name),
        "portal_id": _portal_cell,
        "state": _state_cell,
        "capacity": lambda _view, _context, row, _name: Cell(
            _("No limit") if row.capacity is None else str(row.capacity)
        ),
        "created_at": _moment_cell,
    }

    def name_cell(self, _context: Any, row: Listing, _name: str) -> Cell:
        """Link to the listing by its specialist's name."""
        person = operator_session().get(Specialist, row.specialist_id)
        href = self.get_url(".show", portal_id=row.portal_id, listing_id=row.id)
        return Cell(person.name if person else str(row.specialist_id), href=href)

    @expose("/<uuid:portal_id>/<uuid:listing_id>")
    def show(self, portal_id: uuid.UUID, listing_id: uuid.UUID) -> str:
        """Show one listing and what may be done with it."""
        return self._page(portal_id, listing_id)

    @expose("/<uuid:portal_id>/<uuid:listing_id>/state", methods=("POST",))
    def move(self, portal_id: uuid.UUID, listing_id: uuid.UUID) -> ResponseReturnValue:
        """Approve, pause, resume, reject or end through the directory's service."""
        reason = request.form.get("reason", "").strip() or None
        try:
            listing = move_listing(
                operator_session(), operator(), portal_id, listing_id, request.form.get("state", ""), reason
            )
        except NotFound:
            raise
        except Refusal as refusal:
            return self._page(portal_id, listing_id, refusal), refusal.status
        flash(_("The listing is now: %(state)s.", state=state_words()[listing.state]), "positive")
        return redirect(url_for(".show", portal_id=portal_id, listing_id=listing_id), 303)

    def _page(self, portal_id: uuid.UUID, listing_id: uuid.UUID, refusal: Refusal | None = None) -> str:
        session = operator_session()
        listing = get_listing(session, portal_id, listing_id)
        page: str = self.render(
            "console/listing.html",
            listing=listing,
            person=get_specialist(session, listing.specialist_id),
            badge=portal_badge(portal_id),
            moves=LISTING_MOVES.get(listing.state, ()),
            words=state_words(),
            asks=move_words(),
            effects=effect_words(),
            needs_reason=NEEDS_REASON,
            tones=TONES,
            refusal=refusal,
        )
        return page


@transactional
def read_patients(session: Any, actor: Any, found: list[uuid.UUID]) -> None:
    """Write that an operator read these patients' metadata (U3)."""
    for patient_id in found:
        record(session, actor, "patient.listed", "patient", patient_id)


class Patients(ReadOnlyList):
    """Patients' metadata: who, where, since when; never what they wrote (I4)."""

    column_list = ("name", "email", "portal_id", "state", "created_at")
    column_labels = {
        "name": _l("Name"),
        "email": _l("E-mail"),
        "portal_id": _l("Website"),
        "state": _l("State"),
        "created_at": _l("Since"),
    }
    column_searchable_list = ("name", "email")
    column_sortable_list = ("name", "email", "created_at")
    column_default_sort = ("created_at", True)
    lead = _l("Who is registered on which website. Each look at this list is written to the audit trail.")
    empty_title = _l("No patient matches")
    empty_text = _l("Patients appear here once they register on a website.")
    facets = (Facet("portal", _l("Website"), portal_choices, lambda value: Patient.portal_id == uuid.UUID(value)),)
    column_formatters = {
        "portal_id": _portal_cell,
        "state": lambda _view, _context, row, _name: Cell(
            {"active": _("Active"), "blocked": _("Blocked")}[row.state],
            tone={"active": "positive", "blocked": "critical"}[row.state],
        ),
        "created_at": _moment_cell,
    }

    def get_list(self, *args: Any, **kwargs: Any) -> Any:
        """List, and write down who looked at whom."""
        count, rows = super().get_list(*args, **kwargs)
        read_patients(operator_session(), operator(), [row.id for row in rows])
        return count, rows
