"""The specialist's patients as pages."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _

from polyclinic.booking.words import source_words, state_tones, state_words
from polyclinic.kernel.ids import parse_id
from polyclinic.kernel.money import Money
from polyclinic.patients.rules import STATUSES, Status
from polyclinic.patients.services import list_patients, read_patient
from polyclinic.web.auth import current_session, require, require_kind
from polyclinic.web.i18n import Language
from polyclinic.web.portal_badges import badge_of, portal_badge
from polyclinic.web.specialist_portals import my_portals

blueprint = Blueprint("specialists_patients", __name__, subdomain="specialists", template_folder="templates")


@blueprint.get("/patients")
@require("specialist")
def index() -> str:
    """List patients with filters; everything about the filters is in the address."""
    actor, session = require_kind("specialist"), current_session()
    asked = request.args.get("status", "")
    status: Status | None = next((known for known in STATUSES if known == asked), None)
    portal_id = parse_id(request.args.get("portal", ""))
    search = request.args.get("search", "").strip()[:100]
    rows, following = list_patients(
        session, actor, portal_id=portal_id, status=status, search=search, cursor=request.args.get("cursor")
    )
    badges = {portal.id: badge_of(portal) for portal in my_portals(session, actor)}
    filters = {"search": search, "status": status or "", "portal": str(portal_id) if portal_id else ""}
    return render_template(
        "patients/index.html",
        rows=rows,
        badges=badges,
        portals=[(str(badge.id), badge.name) for badge in badges.values()],
        filters=filters,
        filtered=any(filters.values()),
        statuses=status_words(),
        next_href=f"{url_for('.index')}?{urlencode({**filters, 'cursor': following})}" if following else "",
    )


@blueprint.get("/patients/<uuid:patient_id>")
@require("specialist")
def show(patient_id: uuid.UUID) -> str:
    """Show one patient: contact, how they came, and every visit."""
    page = read_patient(current_session(), require_kind("specialist"), patient_id)
    return render_template(
        "patients/show.html",
        page=page,
        badge=portal_badge(page.row.portal_id),
        statuses=status_words(),
        states=state_words(),
        tones=state_tones(),
        sources=source_words(),
        language=Language(page.patient.locale).name,
        price_of=lambda appointment: Money(appointment.price_minor, appointment.currency),
    )


def status_words() -> dict[str, str]:
    """Return the statuses in the reader's language."""
    return {"new": _("New"), "active": _("Active"), "ended": _("Ended")}
