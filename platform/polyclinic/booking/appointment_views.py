"""A patient's own appointments, as pages of a portal."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from polyclinic.booking.appointments import (
    LAST_PAGE,
    SHELVES,
    AppointmentView,
    Shelf,
    cancelling_means,
    cancelling_refused,
    count_appointments,
    get_appointment,
    list_appointments,
    messages_of,
    open_appointment,
)
from polyclinic.booking.calendar_file import write_calendar_file
from polyclinic.booking.charges import CAUSE, refund_preview, seconds_to_pay
from polyclinic.booking.forms import CancelForm
from polyclinic.booking.rules import PAYING_TIME
from polyclinic.booking.services import cancel_appointment
from polyclinic.booking.words import state_tones, state_words
from polyclinic.directory.showing import portrait_version
from polyclinic.kernel.clock import now, real_now
from polyclinic.kernel.errors import Invalid, Refusal
from polyclinic.payments.reading import charge_for
from polyclinic.payments.refund_rules import REASONS
from polyclinic.payments.services import explain_payment
from polyclinic.web.auth import current_session, require, require_kind
from polyclinic.web.forms import show_refusal
from polyclinic.web.i18n import current_zone
from polyclinic.web.places import current_portal, link_to
from polyclinic.web.plugins import current_hooks

blueprint = Blueprint("portal_appointments", __name__, subdomain="portal", template_folder="templates")

ON_PAGE = 20


@blueprint.get("/appointments")
@require("patient")
def index() -> str:
    """List what is next, what is past or what was cancelled."""
    actor, session = require_kind("patient"), current_session()
    asked = request.args.get("show", "")
    shelf: Shelf = next((known for known in SHELVES if known == asked), "next")
    page = min(max(0, request.args.get("page", 0, int)), LAST_PAGE)
    views = list_appointments(session, actor, shelf, limit=ON_PAGE + 1, offset=page * ON_PAGE)
    return render_template(
        "booking/appointments.html",
        shelf=shelf,
        views=views[:ON_PAGE],
        counts=count_appointments(session, actor),
        following=page + 1 if len(views) > ON_PAGE else None,
        page=page,
        portrait_of=portrait_of,
        **_words(),
    )


@blueprint.get("/appointments/<uuid:appointment_id>")
@require("patient")
def show(appointment_id: uuid.UUID) -> str:
    """Show one appointment, and what can be done with it."""
    return _show("appointment", appointment_id)


@blueprint.get("/appointments/<uuid:appointment_id>/booked")
@require("patient")
def booked(appointment_id: uuid.UUID) -> str | AnyResponse:
    """Say that it is booked, and what happens next; what is not paid yet is paid first."""
    appointment = get_appointment(current_session(), require_kind("patient"), appointment_id)
    if appointment.state == "pending_payment":
        return redirect(url_for("portal_paying.pay", appointment_id=appointment_id), 303)
    return _show("booked", appointment_id)


@blueprint.route("/appointments/<uuid:appointment_id>/cancel", methods=["GET", "POST"])
@require("patient")
def cancel(appointment_id: uuid.UUID) -> str | tuple[str, int] | AnyResponse:
    """Say what cancelling means, then cancel on the button (B6)."""
    actor, session = require_kind("patient"), current_session()
    form: Any = CancelForm()
    if form.validate_on_submit():
        try:
            cancel_appointment(session, actor, appointment_id, form.message.data or "")
        except Invalid as refusal:
            show_refusal(form, refusal)
        else:
            flash(_("Your appointment is cancelled. The time is free for others."), "success")
            return redirect(url_for(".show", appointment_id=appointment_id), 303)
    return _show("cancel", appointment_id, form=form), 422 if form.errors else 200


@blueprint.get("/appointments/<uuid:appointment_id>/calendar.ics")
@require("patient")
def calendar_file(appointment_id: uuid.UUID) -> Response:
    """Serve the appointment as a file for the patient's calendar."""
    view = open_appointment(current_session(), require_kind("patient"), appointment_id)
    portal = current_portal()
    content = write_calendar_file(
        view.appointment,
        _("Appointment with %(name)s", name=view.appointment.specialist_name),
        portal.host,
        link_to(current_app, "portal", portal.host, f"{blueprint.name}.show", appointment_id=appointment_id),
        real_now(),
    )
    response = Response(content, mimetype="text/calendar")
    response.headers["Content-Disposition"] = 'attachment; filename="appointment.ics"'
    return response


def _show(name: str, appointment_id: uuid.UUID, **values: Any) -> str:
    actor, session = require_kind("patient"), current_session()
    view = open_appointment(session, actor, appointment_id)
    appointment = view.appointment
    refusal: Refusal | None = cancelling_refused(session, actor, appointment)
    terms = cancelling_means(session, actor, appointment)
    return render_template(
        f"booking/{name}.html",
        view=view,
        appointment=appointment,
        portrait=portrait_of(view),
        refusal=refusal,
        terms=terms,
        refund=refund_preview(session, appointment, terms.fee, "patient"),
        messages=messages_of(session, actor, appointment_id),
        payment=explain_payment(current_hooks(), current_portal(), appointment.payment_model),
        charge=charge_for(session, actor, CAUSE, appointment.id),
        reasons=REASONS,
        left=seconds_to_pay(appointment, now(session)),
        total=int(PAYING_TIME.total_seconds()),
        **_words(),
        **values,
    )


def portrait_of(view: AppointmentView) -> str:
    """Return the address of the specialist's portrait on this portal, "" where there is none."""
    if view.image_key is None:
        return ""
    version = portrait_version(str(view.listing_id), view.image_key)
    return url_for("portal_directory.portrait", listing_id=view.listing_id, size="s", v=version)


def _words() -> dict[str, Any]:
    return {"states": state_words(), "tones": state_tones(), "zone": current_zone().key}
