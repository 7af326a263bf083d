"""Holds and appointments in a portal's API (W1): the same services as the pages."""

from __future__ import annotations

import uuid
from typing import Any

from polyclinic.booking import schemas
from polyclinic.booking.appointments import (
    AppointmentView,
    cancelling_means,
    cancelling_refused,
    messages_of,
    open_appointment,
    page_of_appointments,
)
from polyclinic.booking.charges import CAUSE, refund_preview
from polyclinic.booking.guests import holder, keep_guest
from polyclinic.booking.holds import get_hold, hold_slot, release_hold, status_of
from polyclinic.booking.models import Hold
from polyclinic.booking.rules import clean_details
from polyclinic.booking.services import booked_appointment, cancel_appointment, confirm_booking, open_payment
from polyclinic.directory.services import find_listing
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.money import Money
from polyclinic.payments.models import Payment
from polyclinic.payments.reading import charge_for
from polyclinic.payments.schemas import dump_charge
from polyclinic.payments.syncing import checkout_url, sync_payment
from polyclinic.web.api import api_blueprint, idempotent
from polyclinic.web.auth import current_actor, current_session, require_kind, require_scope
from polyclinic.web.places import current_portal

blueprint = api_blueprint("portal_booking_api", "portal", "Keeping a time, booking it, and one's own appointments.")
blueprint.after_request(keep_guest)

READ, WRITE = "appointments:read", "appointments:write"


@blueprint.route("/holds", methods=["POST"])
@idempotent
@blueprint.arguments(schemas.HoldRequest)
@blueprint.response(201, schemas.HoldSchema)
def make_hold(data: dict[str, Any]) -> dict[str, Any]:
    """Keep a slot for the signed-in patient, or for this browser; 409 names the next times where they may be told."""
    actor = holder()
    require_scope(actor, WRITE)
    hold = hold_slot(
        current_session(),
        actor,
        current_portal(),
        data["specialist_id"],
        data["service_id"],
        data["starts_at"],
        data["zone"],
    )
    return _dump(hold)


@blueprint.route("/holds/<uuid:hold_id>")
@blueprint.response(200, schemas.HoldSchema)
def show_hold(hold_id: uuid.UUID) -> dict[str, Any]:
    """Return a hold of one's own, dead or alive."""
    actor = current_actor()
    require_scope(actor, READ)
    return _dump(get_hold(current_session(), actor, current_portal(), hold_id))


@blueprint.route("/holds/<uuid:hold_id>", methods=["DELETE"])
@blueprint.response(204)
def give_back(hold_id: uuid.UUID) -> str:
    """Give a time back; the same again changes nothing."""
    actor = current_actor()
    require_scope(actor, WRITE)
    release_hold(current_session(), actor, current_portal(), hold_id)
    return ""


@blueprint.route("/appointments", methods=["POST"])
@idempotent
@blueprint.arguments(schemas.BookingRequest)
@blueprint.response(201, schemas.AppointmentDetailSchema)
def book(data: dict[str, Any]) -> dict[str, Any]:
    """Make a live hold an appointment; the same hold again is the same appointment.

    Where the portal's patients pay online it waits for its payment: `payment.url` is the page to send the patient to.
    """
    actor = require_kind("patient")
    require_scope(actor, WRITE)
    session = current_session()
    details = clean_details(actor.name if data["name"] is None else data["name"], data["phone"], data["message"])
    appointment = confirm_booking(
        session, actor, current_portal(), data["hold_id"], details, data["consents"], how="api"
    )
    if appointment.state == "pending_payment":
        payment = open_payment(session, actor, current_portal(), appointment.id)
        checkout_url(appointment.portal_id, payment.id)
        session.expire_all()
    return _detail(actor, appointment.id)


@blueprint.route("/appointments/<uuid:appointment_id>/pay", methods=["POST"])
@idempotent
@blueprint.response(200, schemas.AppointmentDetailSchema)
def pay(appointment_id: uuid.UUID) -> dict[str, Any]:
    """Read what became of the payment, and return the page on which it can be paid: the same until it has failed.

    An appointment that waits for no payment is returned as it is.
    """
    actor = require_kind("patient")
    require_scope(actor, WRITE)
    session = current_session()
    portal = current_portal()
    try:
        payment = open_payment(session, actor, portal, appointment_id)
    except Conflict:
        return _detail(actor, appointment_id)
    if checkout_url(portal.id, payment.id) is not None:
        sync_payment(portal.id, payment.id)
    session.expire_all()
    return _detail(actor, appointment_id)


@blueprint.route("/appointments")
@blueprint.arguments(schemas.AppointmentQuery, location="query")
@blueprint.response(200, schemas.AppointmentPageSchema)
def appointments(args: dict[str, Any]) -> dict[str, Any]:
    """List one's own appointments."""
    actor = require_kind("patient")
    require_scope(actor, READ)
    items, following = page_of_appointments(
        current_session(), actor, args["show"], limit=args["limit"], cursor=args["cursor"]
    )
    return {"items": [schemas.dump_view(view) for view in items], "next_cursor": following}


@blueprint.route("/appointments/<uuid:appointment_id>")
@blueprint.response(200, schemas.AppointmentDetailSchema)
def appointment(appointment_id: uuid.UUID) -> dict[str, Any]:
    """Return one's own appointment, with what cancelling now would mean (B6)."""
    actor = require_kind("patient")
    require_scope(actor, READ)
    return _detail(actor, appointment_id)


@blueprint.route("/appointments/<uuid:appointment_id>/cancel", methods=["POST"])
@idempotent
@blueprint.arguments(schemas.CancelRequest)
@blueprint.response(200, schemas.AppointmentDetailSchema)
def cancel(data: dict[str, Any], appointment_id: uuid.UUID) -> dict[str, Any]:
    """Cancel one's own appointment by the policy of the booking; the same again changes nothing."""
    actor = require_kind("patient")
    require_scope(actor, WRITE)
    cancel_appointment(current_session(), actor, appointment_id, data["message"])
    return _detail(actor, appointment_id)


def _detail(actor: Actor, appointment_id: uuid.UUID) -> dict[str, Any]:
    session = current_session()
    view = open_appointment(session, actor, appointment_id)
    terms = cancelling_means(session, actor, view.appointment)
    refund = refund_preview(session, view.appointment, terms.fee, "patient")
    owed = charge_for(session, actor, CAUSE, appointment_id)
    return {
        **schemas.dump_view(view),
        "messages": messages_of(session, actor, appointment_id),
        "cancelling": {
            "possible": cancelling_refused(session, actor, view.appointment) is None,
            "free_until": terms.free_until,
            "late": terms.late,
            "fee": terms.fee,
            "refund": refund.back if refund else None,
        },
        "payment": _payment(view, owed.payment) if owed else None,
        "charge": dump_charge(owed) if owed else None,
    }


def _payment(view: AppointmentView, payment: Payment | None) -> dict[str, Any] | None:
    if payment is None:
        return None
    return {
        "state": payment.state,
        "amount": Money(payment.amount_minor, payment.currency),
        "pay_until": view.appointment.pay_until,
        "url": payment.url if view.state == "pending_payment" and payment.state == "open" else None,
        "failure": payment.failure,
    }


def _dump(hold: Hold) -> dict[str, Any]:
    session, portal = current_session(), current_portal()
    moment = now(session)
    listing = find_listing(session, portal.id, hold.specialist_id)
    status = status_of(hold, moment)
    left = int((hold.expires_at - moment).total_seconds())
    return {
        "id": hold.id,
        "specialist_id": listing.id if listing else None,
        "service_id": hold.service_id,
        "starts_at": hold.starts_at,
        "ends_at": hold.ends_at,
        "price": Money(hold.price_minor, hold.currency),
        "status": status,
        "expires_at": hold.expires_at,
        "seconds_left": max(0, left) if status == "live" else 0,
        "appointment_id": booked_appointment(session, portal, hold).id if status == "booked" else None,
    }
