"""Portals with their settings, and the audit trail, to read."""

from __future__ import annotations

import uuid
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from polyclinic.audit.models import AuditEvent
from polyclinic.catalogue import settings_catalogue
from polyclinic.directory.models import Listing, Service
from polyclinic.identity.models import Patient
from polyclinic.kernel.errors import NotFound
from polyclinic.tenancy.kinds import Context
from polyclinic.tenancy.models import Portal
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.policy import CURRENCY, LOCALES
from polyclinic.web.places import link_to
from polyclinic.web.portal_badges import badge_of, portal_badge
from polyclinic_admin.access import app_of, expose, operator, operator_session
from polyclinic_admin.lists import Cell, Facet, ReadOnlyList
from polyclinic_admin.people import portal_choices
from polyclinic_admin.words import kind_word


def may_see(portal_id: uuid.UUID) -> bool:
    """Whether the operator works for this portal."""
    mine = operator().portals
    return mine is None or portal_id in mine


class Portals(ReadOnlyList):
    """The portals of the network."""

    column_list = ("name", "slug", "state", "created_at")
    column_labels = {"name": _l("Name"), "slug": _l("Short name"), "state": _l("State"), "created_at": _l("Since")}
    column_searchable_list = ("name", "slug")
    column_sortable_list = ("name", "slug", "created_at")
    column_default_sort = "name"
    lead = _l("Each website of this network, with everything it chose for itself.")
    empty_title = _l("No website yet")
    empty_text = _l("Describe one in tenants/<name>/portal.toml and run “polyclinic portals apply”.")
    column_formatters = {
        "name": lambda view, _context, row, _name: Cell(
            row.name, href=view.get_url(".show", portal_id=row.id), hue=portal_badge(row.id).hue
        ),
        "state": lambda _view, _context, row, _name: Cell(
            {"active": _("Active"), "paused": _("Paused")}[row.state],
            tone={"active": "positive", "paused": "neutral"}[row.state],
        ),
        "created_at": lambda _view, _context, row, _name: Cell(at=row.created_at),
    }

    def get_query(self) -> Any:
        """Show an operator of some portals only those."""
        return super().get_query().filter(*self._mine())

    def get_count_query(self) -> Any:
        """Count what is shown."""
        return super().get_count_query().filter(*self._mine())

    @staticmethod
    def _mine() -> list[Any]:
        mine = operator().portals
        return [] if mine is None else [Portal.id.in_(mine)]

    @expose("/<uuid:portal_id>")
    def show(self, portal_id: uuid.UUID) -> str:
        """Show what a portal chose, what it inherits, and its key figures."""
        portal = app_of().places.portal(portal_id)
        if portal is None or not may_see(portal_id):
            raise NotFound
        page: str = self.render(
            "console/portal.html",
            portal=portal,
            badge=badge_of(portal),
            link=link_to(app_of(), "portal", portal.host, "portal_openapi").removesuffix("/api/v1/openapi.json") + "/",
            groups=settings_of(portal),
            figures=self._figures(portal_id),
            sources={"built-in": _("Built in"), "network": _("Network"), "portal": _("This website")},
        )
        return page

    @staticmethod
    def _figures(portal_id: uuid.UUID) -> list[tuple[str, int]]:
        session = operator_session()
        counted: list[tuple[str, Any, tuple[Any, ...]]] = [
            (_("Listed specialists"), Listing, (Listing.portal_id == portal_id, Listing.state == "listed")),
            (_("Services"), Service, (Service.portal_id == portal_id, Service.active)),
            (_("Patients"), Patient, (Patient.portal_id == portal_id,)),
        ]
        return [
            (label, session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0)
            for label, model, conditions in counted
        ]


def settings_of(portal: PortalView) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return every setting by group with its value in words, its help, and which layer decided."""
    groups: dict[str, list[dict[str, Any]]] = {}
    context = Context(portal.settings.get(CURRENCY), portal.settings.get(LOCALES))
    for setting in settings_catalogue():
        value = portal.settings.find(setting)
        groups.setdefault(setting.group, []).append(
            {
                "key": setting.key,
                "label": setting.label,
                "help": setting.help,
                "value": "" if value is None else in_words(setting.kind.dump(value, context)),
                "source": portal.settings.source_of(setting),
            }
        )
    return list(groups.items())


def in_words(plain: Any) -> str:
    """Write a setting's plain value, as files have it, for people."""
    if isinstance(plain, dict):
        return " · ".join(f"{key}: {in_words(value)}" for key, value in plain.items())
    if isinstance(plain, list | tuple):
        return ", ".join(in_words(item) for item in plain)
    if isinstance(plain, bool):
        return _("Yes") if plain else _("No")
    return str(plain)


class AuditEvents(ReadOnlyList):
    """Who did or read what, newest first (U3)."""

    column_list = ("at", "action", "actor_kind", "subject_kind", "portal_id", "ip", "detail")
    column_labels = {
        "at": _l("When"),
        "action": _l("What"),
        "actor_kind": _l("Who"),
        "subject_kind": _l("To whom or what"),
        "portal_id": _l("Website"),
        "ip": _l("From"),
        "detail": _l("Details"),
    }
    column_searchable_list = ("action", "subject_id")
    column_sortable_list = ("at",)
    column_default_sort = ("id", True)
    lead = _l("Every change, and every look at patient data by staff. Nobody can change or delete a line.")
    empty_title = _l("No event matches")
    empty_text = _l("Changes and reads appear here as they happen.")
    facets = (
        Facet("portal", _l("Website"), portal_choices, lambda value: AuditEvent.portal_id == uuid.UUID(value)),
        Facet(
            "who",
            _l("Who"),
            lambda: [
                ("patient", _("Patient")),
                ("specialist", _("Specialist")),
                ("operator", _("Operator")),
                ("visitor", _("Visitor")),
                ("system", _("System")),
            ],
            lambda value: AuditEvent.actor_kind == value,
        ),
    )
    column_formatters = {
        "at": lambda _view, _context, row, _name: Cell(at=row.at),
        "actor_kind": lambda _view, _context, row, _name: Cell(
            f"{kind_word(row.actor_kind)} {str(row.actor_id)[:8] if row.actor_id else ''}".strip()
        ),
        "subject_kind": lambda _view, _context, row, _name: Cell(f"{kind_word(row.subject_kind)} {row.subject_id[:8]}"),
        "portal_id": lambda _view, _context, row, _name: (
            Cell(portal_badge(row.portal_id).name, hue=portal_badge(row.portal_id).hue) if row.portal_id else Cell("–")
        ),
        "detail": lambda _view, _context, row, _name: Cell(
            ", ".join(f"{key}: {value}" for key, value in sorted(row.detail.items()))[:160]
        ),
    }
