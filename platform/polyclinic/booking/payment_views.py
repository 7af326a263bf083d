"""Paying for an appointment, as pages of a portal: to the provider's page, and back from it (B2, B8).

The page a patient comes back to proves nothing: it asks the provider like everybody else, and waits politely where the
answer is not there yet. It never says "failed" because a message is late.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from polyclinic.booking.appointment_views import portrait_of
from polyclinic.booking.appointments import AppointmentView, open_appointment
from polyclinic.booking.charges import CAUSE, seconds_to_pay
from polyclinic.booking.offers import get_offering, next_times
from polyclinic.booking.rules import PAYING_TIME
from polyclinic.booking.services import open_payment
from polyclinic.booking.words import state_tones, state_words
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict, NotFound
from polyclinic.payments.models import Payment
from polyclinic.payments.paying import can_be_paid, find_payment
from polyclinic.payments.syncing import checkout_url, sync_payment
from polyclinic.web.auth import current_session, require, require_kind
from polyclinic.web.i18n import current_zone
from polyclinic.web.places import current_portal

blueprint = Blueprint("portal_paying", __name__, subdomain="portal", template_folder="templates")

Answer = Response | str | tuple[str, int]
#: Seconds between looks of the page that waits: quick at first, then calm.
LOOKS = (2, 2, 3, 3, 5, 5, 8, 8, 10, 15)
#: A provider that was heard so lately is not asked again by a reload.
FRESH = dt.timedelta(seconds=1)


@blueprint.get("/appointments/<uuid:appointment_id>/pay")
@require("patient")
def pay(appointment_id: uuid.UUID) -> Answer:
    """Show how long an unpaid time is kept; with ``go`` lead on to the provider's page, the same one every time."""
    view = _view(appointment_id)
    if (elsewhere := _elsewhere(view)) is not None:
        return elsewhere
    actor, portal = require_kind("patient"), current_portal()
    try:
        payment = open_payment(current_session(), actor, portal, appointment_id)
    except Conflict:
        return _elsewhere(_view(appointment_id)) or _unpaid(view)
    current_session().rollback()
    url = checkout_url(portal.id, payment.id)
    view = _view(appointment_id)
    if (elsewhere := _elsewhere(view)) is not None:
        return elsewhere
    go = bool(request.args.get("go"))
    if url is None:
        return _page(view, payment.id, unavailable=True, look_in=LOOKS[-1], look_at=request.full_path.rstrip("?"))
    return _page(view, payment.id, url=url, go=go)


@blueprint.get("/appointments/<uuid:appointment_id>/paid")
@require("patient")
def returned(appointment_id: uuid.UUID) -> Answer:
    """Receive the patient back from the provider: confirmed, still processing, declined, or too late."""
    view = _view(appointment_id)
    session, portal = current_session(), current_portal()
    payment = find_payment(session, CAUSE, appointment_id)
    if payment is None:
        return redirect(url_for("portal_appointments.show", appointment_id=appointment_id), 303)
    fresh = payment.read_at is not None and now(session) - payment.read_at < FRESH
    session.rollback()
    if can_be_paid(payment) and not fresh:
        sync_payment(portal.id, payment.id)
    view = _view(appointment_id)
    if (elsewhere := _elsewhere(view)) is not None:
        return elsewhere
    look = min(max(0, request.args.get("look", 0, int)), len(LOOKS) - 1)
    following = url_for(".returned", appointment_id=appointment_id, look=look + 1)
    return _page(view, payment.id, checking=True, look_in=LOOKS[look], look_at=following)


def _view(appointment_id: uuid.UUID) -> AppointmentView:
    session = current_session()
    session.expire_all()
    return open_appointment(session, require_kind("patient"), appointment_id)


def _elsewhere(view: AppointmentView) -> Answer | None:
    """Return where somebody belongs whose appointment does not wait for a payment; None where it does."""
    if view.state == "pending_payment":
        return None
    appointment = view.appointment
    if view.state != "cancelled":
        return redirect(url_for("portal_appointments.booked", appointment_id=appointment.id), 303)
    if appointment.pay_until is None or appointment.cancelled_by not in ("system", None):
        return redirect(url_for("portal_appointments.show", appointment_id=appointment.id), 303)
    return _unpaid(view)


def _unpaid(view: AppointmentView) -> tuple[str, int]:
    session, actor, portal = current_session(), require_kind("patient"), current_portal()
    payment = find_payment(session, CAUSE, view.appointment.id)
    try:
        offering = get_offering(session, portal, view.listing_id, view.appointment.service_id)
        times = next_times(session, actor, portal, offering)
    except (NotFound, Conflict):
        times = []
    page = render_template(
        "booking/unpaid.html",
        view=view,
        appointment=view.appointment,
        portrait=portrait_of(view),
        late=payment is not None and payment.state == "paid",
        checking=can_be_paid(payment),
        times=times,
        zone=current_zone().key,
    )
    return page, 410


def _page(view: AppointmentView, payment_id: uuid.UUID, **values: Any) -> str:
    session = current_session()
    payment: Payment | None = find_payment(session, CAUSE, view.appointment.id)
    waits = payment is not None and payment.state in ("open", "failed")
    declined = waits and payment is not None and payment.failure is not None
    shown = {"url": None, "go": False, "checking": False, "unavailable": False, "look_in": 0, "look_at": ""}
    if declined and values.get("checking"):  # it can be tried again on the same page of the provider
        values = {"url": payment.url if payment and payment.state == "open" else None}
    return render_template(
        "booking/pay.html",
        view=view,
        appointment=view.appointment,
        portrait=portrait_of(view),
        declined=declined,
        left=seconds_to_pay(view.appointment, now(session)),
        total=int(PAYING_TIME.total_seconds()),
        states=state_words(),
        tones=state_tones(),
        zone=current_zone().key,
        **{**shown, **values},
    )
