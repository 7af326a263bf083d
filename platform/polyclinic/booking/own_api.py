"""The specialist's appointments over all portals, in the API of the Specialist Portal (W1, I3)."""

from __future__ import annotations

import uuid
from typing import Any

from polyclinic.booking import schemas
from polyclinic.booking.appointments import messages_of, open_appointment, page_of_appointments
from polyclinic.booking.charges import CAUSE
from polyclinic.booking.services import cancel_appointment, complete_appointment
from polyclinic.kernel.actor import Actor
from polyclinic.payments.reading import charge_for
from polyclinic.payments.schemas import dump_own_charge
from polyclinic.web.api import api_blueprint, idempotent
from polyclinic.web.auth import current_session, require_kind, require_scope

blueprint = api_blueprint("specialists_booking_api", "specialists", "The specialist's appointments over all portals.")

READ, WRITE = "appointments:read", "appointments:write"


@blueprint.route("/appointments")
@blueprint.arguments(schemas.AppointmentQuery, location="query")
@blueprint.response(200, schemas.OwnAppointmentPageSchema)
def appointments(args: dict[str, Any]) -> dict[str, Any]:
    """List the specialist's appointments."""
    actor = _specialist(READ)
    items, following = page_of_appointments(
        current_session(), actor, args["show"], limit=args["limit"], cursor=args["cursor"]
    )
    return {"items": [schemas.dump_own(view) for view in items], "next_cursor": following}


@blueprint.route("/appointments/<uuid:appointment_id>")
@blueprint.response(200, schemas.OwnAppointmentDetailSchema)
def appointment(appointment_id: uuid.UUID) -> dict[str, Any]:
    """Return one appointment; the read is audited (U3)."""
    return _detail(_specialist(READ), appointment_id)


@blueprint.route("/appointments/<uuid:appointment_id>/cancel", methods=["POST"])
@idempotent
@blueprint.arguments(schemas.CancelRequest)
@blueprint.response(200, schemas.OwnAppointmentDetailSchema)
def cancel(data: dict[str, Any], appointment_id: uuid.UUID) -> dict[str, Any]:
    """Cancel an appointment; free for the patient. The same again changes nothing."""
    actor = _specialist(WRITE)
    cancel_appointment(current_session(), actor, appointment_id, data["message"])
    return _detail(actor, appointment_id)


@blueprint.route("/appointments/<uuid:appointment_id>/complete", methods=["POST"])
@idempotent
@blueprint.response(200, schemas.OwnAppointmentDetailSchema)
def complete(appointment_id: uuid.UUID) -> dict[str, Any]:
    """Mark a visit as held, once it has begun. The same again changes nothing."""
    actor = _specialist(WRITE)
    complete_appointment(current_session(), actor, appointment_id)
    return _detail(actor, appointment_id)


def _specialist(scope: str) -> Actor:
    actor = require_kind("specialist")
    require_scope(actor, scope)
    return actor


def _detail(actor: Actor, appointment_id: uuid.UUID) -> dict[str, Any]:
    session = current_session()
    view = open_appointment(session, actor, appointment_id)
    owed = charge_for(session, actor, CAUSE, appointment_id)
    return {
        **schemas.dump_own(view),
        "patient_email": view.patient_email,
        "patient_phone": view.patient_phone,
        "messages": messages_of(session, actor, appointment_id),
        "charge": dump_own_charge(owed) if owed else None,
    }
