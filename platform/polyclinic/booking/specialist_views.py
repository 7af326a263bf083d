"""Appointments and the calendar in the Specialist Portal (C6, B5, B6)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, get_args

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from polyclinic.booking.agenda import LONGEST, Entry, get_agenda
from polyclinic.booking.appointments import (
    LAST_PAGE,
    Shelf,
    cancelling_means,
    cancelling_refused,
    completing_refused,
    count_appointments,
    list_appointments,
    messages_of,
    open_appointment,
)
from polyclinic.booking.charges import CAUSE, refund_preview
from polyclinic.booking.services import cancel_appointment, complete_appointment
from polyclinic.booking.words import state_tones, state_words
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Invalid, NotFound, Refusal
from polyclinic.kernel.instants import parse_day
from polyclinic.payments.invoices import mark_paid
from polyclinic.payments.reading import charge_for
from polyclinic.payments.refund_rules import REASONS
from polyclinic.web.auth import current_session, require, require_kind
from polyclinic.web.i18n import current_language, current_zone, localized
from polyclinic.web.portal_badges import badge_of, portal_badge
from polyclinic.web.specialist_portals import my_portals

blueprint = Blueprint("specialists_booking", __name__, subdomain="specialists", template_folder="templates")

PAGE = 30
FIRST_DAY = 1
"""Weeks begin on Monday."""


@blueprint.get("/appointments")
@require("specialist")
def index() -> str:
    """List appointments of every portal on three shelves."""
    actor, session = require_kind("specialist"), current_session()
    asked = request.args.get("shelf", "next")
    shelf: Shelf = next((known for known in get_args(Shelf) if known == asked), "next")
    page = min(max(request.args.get("page", 1, type=int), 1), LAST_PAGE)
    found = list_appointments(session, actor, shelf, limit=PAGE + 1, offset=(page - 1) * PAGE)
    counts = count_appointments(session, actor)
    words: dict[Shelf, str] = {"next": _("Upcoming"), "past": _("Past"), "cancelled": _("Cancelled")}
    return render_template(
        "booking/specialist/index.html",
        visits=found[:PAGE],
        badges={portal.id: badge_of(portal) for portal in my_portals(session, actor)},
        tabs=[
            {"label": words[known], "href": url_for(".index", shelf=known), "current": known == shelf, "count": count}
            for known, count in counts.items()
        ],
        shelf=shelf,
        states=state_words(),
        tones=state_tones(),
        next_href=url_for(".index", shelf=shelf, page=page + 1) if len(found) > PAGE else "",
        previous_href=url_for(".index", shelf=shelf, page=page - 1) if page > 1 else "",
    )


@blueprint.get("/appointments/<uuid:appointment_id>")
@require("specialist")
def show(appointment_id: uuid.UUID) -> str:
    """Show one appointment and what may be done with it, effects first."""
    return _page(appointment_id)


@blueprint.post("/appointments/<uuid:appointment_id>/cancel")
@require("specialist")
def cancel(appointment_id: uuid.UUID) -> ResponseReturnValue:
    """Cancel, with words for the patient."""
    message = request.form.get("message", "").strip()
    return _acted(
        appointment_id,
        lambda: cancel_appointment(current_session(), require_kind("specialist"), appointment_id, message),
        _("The appointment is cancelled. The patient has been told."),
    )


@blueprint.post("/appointments/<uuid:appointment_id>/complete")
@require("specialist")
def complete(appointment_id: uuid.UUID) -> ResponseReturnValue:
    """Mark a visit as held."""
    return _acted(
        appointment_id,
        lambda: complete_appointment(current_session(), require_kind("specialist"), appointment_id),
        _("Marked as completed."),
    )


@blueprint.post("/appointments/<uuid:appointment_id>/mark-paid")
@require("specialist")
def mark(appointment_id: uuid.UUID) -> ResponseReturnValue:
    """Note that the patient paid the specialist's invoice (E5)."""
    session, actor = current_session(), require_kind("specialist")
    owed = charge_for(session, actor, CAUSE, appointment_id)
    if owed is None:
        raise NotFound()
    return _acted(appointment_id, lambda: mark_paid(session, actor, owed.charge.id), _("Marked as paid."))


def _acted(appointment_id: uuid.UUID, act: Any, said: str) -> ResponseReturnValue:
    try:
        act()
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(appointment_id, refusal), refusal.status
    flash(said, "positive")
    return redirect(url_for(".show", appointment_id=appointment_id), 303)


def _page(appointment_id: uuid.UUID, refusal: Refusal | None = None) -> str:
    actor, session = require_kind("specialist"), current_session()
    view = open_appointment(session, actor, appointment_id)
    appointment = view.appointment
    can_cancel = cancelling_refused(session, actor, appointment) is None
    terms = cancelling_means(session, actor, appointment) if can_cancel else None
    charge = charge_for(session, actor, CAUSE, appointment_id)
    return render_template(
        "booking/specialist/show.html",
        view=view,
        appointment=appointment,
        messages=messages_of(session, actor, appointment_id),
        badge=portal_badge(appointment.portal_id),
        can_complete=completing_refused(session, actor, appointment) is None,
        terms=terms,
        refund=refund_preview(session, appointment, terms.fee, "specialist") if terms else None,
        charge=charge,
        can_mark=charge is not None and charge.state == "open" and not charge.charge.provider,
        reasons=REASONS,
        state=state_words()[view.state],
        tone=state_tones()[view.state],
        refusal=refusal,
        written=request.form.get("message", ""),
    )


@blueprint.get("/calendar")
@require("specialist")
def calendar() -> str:
    """Show day, week or month; without script the week as a list, with links to the next and the one before."""
    actor, session = require_kind("specialist"), current_session()
    local = now(session).astimezone(current_zone())
    day = parse_day(request.args.get("date")) or local.date()
    first = day - dt.timedelta(days=day.weekday())
    entries = get_agenda(session, actor, first, first + dt.timedelta(days=6))
    asked = request.args.get("view", "week")
    return render_template(
        "booking/specialist/calendar.html",
        now=local.replace(tzinfo=None).isoformat(timespec="seconds"),
        view=asked if asked in ("day", "week", "month") else "week",
        day=day,
        days=_by_day(first, entries),
        badges={portal.id: badge_of(portal) for portal in my_portals(session, actor)},
        calendar_locale=current_language().tag,
        first_day=FIRST_DAY,
        earlier=url_for(".calendar", date=first - dt.timedelta(days=7)),
        later=url_for(".calendar", date=first + dt.timedelta(days=7)),
    )


@blueprint.get("/calendar/events")
@require("specialist")
def events() -> ResponseReturnValue:
    """Return what the calendar shows between two dates, in wall times of the specialist's zone."""
    actor, session = require_kind("specialist"), current_session()
    first, last = parse_day(request.args.get("from")), parse_day(request.args.get("to"))
    if first is None or last is None or not 0 <= (last - first).days <= LONGEST:
        expected = _("Expected two dates such as 2026-11-23, at most %(days)s days apart.", days=LONGEST)
        raise Invalid("dates", expected, fields={"from": expected, "to": expected})
    badges = {portal.id: badge_of(portal) for portal in my_portals(session, actor)}
    return jsonify(events=[_event(entry, badges) for entry in get_agenda(session, actor, first, last)])


def _by_day(first: dt.date, entries: list[Entry]) -> list[tuple[dt.date, list[Entry]]]:
    days = [first + dt.timedelta(days=number) for number in range(7)]
    shown = [entry for entry in entries if entry.kind != "available"]
    return [(day, [entry for entry in shown if entry.start.date() <= day <= entry.end.date()]) for day in days]


def _event(entry: Entry, badges: dict[uuid.UUID, Any]) -> dict[str, Any]:
    titles = {"hold": _("Being booked"), "time_off": entry.label or _("Time off"), "available": ""}
    event: dict[str, Any] = {
        "id": entry.id,
        "title": titles.get(entry.kind, ""),
        "start": entry.start.isoformat(timespec="seconds"),
        "end": entry.end.isoformat(timespec="seconds"),
        "kind": entry.kind,
    }
    if entry.visit is not None:
        appointment, badge = entry.visit.appointment, badges.get(entry.visit.appointment.portal_id)
        event |= {
            "title": entry.visit.patient_name,
            "state": entry.visit.state,
            "href": url_for(".show", appointment_id=appointment.id),
            "note": localized(appointment.service_name),
        }
        if badge is not None:
            event |= {"portal": badge.name, "hue": badge.hue}
    return event
