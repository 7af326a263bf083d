"""Shapes of holds and appointments in the APIs of portals and of the Specialist Portal."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, validate

from polyclinic.booking.appointments import SHELVES, AppointmentView
from polyclinic.booking.rules import MESSAGE_LENGTH, NAME_LENGTH, PHONE_LENGTH
from polyclinic.kernel.zones import is_zone
from polyclinic.payments.schemas import ChargeSchema, OwnChargeSchema
from polyclinic.web.api import ApiSchema, PageArgs


class MoneySchema(ApiSchema):
    """An amount in minor units of its currency."""

    minor = fields.Integer()
    currency = fields.String()


def _is_zone(name: str) -> None:
    if name and not is_zone(name):
        raise ValidationError(str(_l("Choose a time zone such as Europe/Berlin.")))


class HoldRequest(ApiSchema):
    """Which time is to be kept."""

    specialist_id = fields.UUID(required=True, metadata={"description": "the public id on this portal"})
    service_id = fields.UUID(required=True)
    starts_at = fields.AwareDateTime(required=True, metadata={"description": "ISO 8601 with offset"})
    zone = fields.String(
        load_default="",
        validate=_is_zone,
        metadata={"description": "the IANA zone in which the time was shown; by default the specialist's"},
    )


class HoldSchema(ApiSchema):
    """A time that is kept for a while."""

    id = fields.UUID()
    specialist_id = fields.UUID(metadata={"description": "the public id on this portal"})
    service_id = fields.UUID()
    starts_at = fields.AwareDateTime(metadata={"description": "UTC"})
    ends_at = fields.AwareDateTime(metadata={"description": "UTC"})
    price = fields.Nested(MoneySchema)
    status = fields.String(metadata={"description": "live, expired, booked or released"})
    expires_at = fields.AwareDateTime(metadata={"description": "UTC"})
    seconds_left = fields.Integer()
    appointment_id = fields.UUID(allow_none=True)


class BookingRequest(ApiSchema):
    """What confirms a hold."""

    hold_id = fields.UUID(required=True)
    name = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=4 * NAME_LENGTH))
    phone = fields.String(load_default="", validate=validate.Length(max=4 * PHONE_LENGTH))
    message = fields.String(load_default="", validate=validate.Length(max=4 * MESSAGE_LENGTH))
    consents = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=50))


class CancelRequest(ApiSchema):
    """A few words to the other side."""

    message = fields.String(load_default="", validate=validate.Length(max=4 * MESSAGE_LENGTH))


class AppointmentQuery(PageArgs):
    """Which appointments are wanted: next, past, cancelled, or all in the order they begin."""

    show = fields.String(load_default=None, validate=validate.OneOf(SHELVES))


class CancellationSchema(ApiSchema):
    """What cancelling now would mean."""

    possible = fields.Boolean()
    free_until = fields.AwareDateTime(metadata={"description": "UTC"})
    late = fields.Boolean()
    fee = fields.Nested(MoneySchema)
    refund = fields.Nested(
        MoneySchema, allow_none=True, metadata={"description": "what would go back of what was paid online"}
    )


class PaymentSchema(ApiSchema):
    """How an appointment is paid online."""

    state = fields.String(metadata={"description": "intended, open, processing, paid, failed or expired"})
    amount = fields.Nested(MoneySchema)
    pay_until = fields.AwareDateTime(allow_none=True, metadata={"description": "UTC; the time is given up then"})
    url = fields.String(allow_none=True, metadata={"description": "the page of the provider, while it can be paid"})
    failure = fields.String(allow_none=True, metadata={"description": "the provider's code of the last failed try"})


class AppointmentSchema(ApiSchema):
    """An appointment as its patient sees it."""

    id = fields.UUID()
    specialist_id = fields.UUID(metadata={"description": "the public id on this portal"})
    specialist_name = fields.String()
    service_id = fields.UUID()
    service_name = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"description": "per language"})
    starts_at = fields.AwareDateTime(metadata={"description": "UTC"})
    ends_at = fields.AwareDateTime(metadata={"description": "UTC"})
    zone = fields.String(metadata={"description": "IANA zone of the promised wall time"})
    state = fields.String()
    price = fields.Nested(MoneySchema)
    payment_model = fields.String()
    sequence = fields.Integer()
    created_at = fields.AwareDateTime(metadata={"description": "UTC"})
    cancelled_at = fields.AwareDateTime(allow_none=True, metadata={"description": "UTC"})
    cancelled_by = fields.String(allow_none=True)
    cancelled_late = fields.Boolean(allow_none=True)
    completed_at = fields.AwareDateTime(allow_none=True, metadata={"description": "UTC"})


class AppointmentDetailSchema(AppointmentSchema):
    """The same with what was written and what cancelling means."""

    messages = fields.Dict(keys=fields.String(), values=fields.String())
    cancelling = fields.Nested(CancellationSchema)
    payment = fields.Nested(PaymentSchema, allow_none=True)
    charge = fields.Nested(ChargeSchema, allow_none=True, metadata={"description": "with what went back of it"})


class OwnAppointmentSchema(AppointmentSchema):
    """An appointment as its specialist sees it."""

    portal_id = fields.UUID()
    patient_id = fields.UUID()
    patient_name = fields.String()


class OwnAppointmentDetailSchema(OwnAppointmentSchema):
    """The same with what was written and how to reach the patient."""

    patient_email = fields.String(allow_none=True)
    patient_phone = fields.String(allow_none=True)
    messages = fields.Dict(keys=fields.String(), values=fields.String())
    charge = fields.Nested(OwnChargeSchema, allow_none=True, metadata={"description": "with what went back of it"})


class AppointmentPageSchema(ApiSchema):
    """A page of appointments."""

    items = fields.List(fields.Nested(AppointmentSchema))
    next_cursor = fields.String(allow_none=True)


class OwnAppointmentPageSchema(ApiSchema):
    """A page of appointments."""

    items = fields.List(fields.Nested(OwnAppointmentSchema))
    next_cursor = fields.String(allow_none=True)


_COPIED = (
    "id",
    "specialist_name",
    "service_id",
    "service_name",
    "starts_at",
    "ends_at",
    "zone",
    "state",
    "payment_model",
    "sequence",
    "created_at",
    "cancelled_at",
    "cancelled_by",
    "cancelled_late",
    "completed_at",
)


def dump_view(view: AppointmentView) -> dict[str, Any]:
    """Return an appointment as the patient's API gives it; the specialist's id is the listing's (P4)."""
    values = {name: getattr(view.appointment, name) for name in _COPIED}
    return {**values, "state": view.state, "specialist_id": view.listing_id, "price": view.price}


def dump_own(view: AppointmentView) -> dict[str, Any]:
    """Return an appointment as the specialist's API gives it."""
    appointment = view.appointment
    return {
        **dump_view(view),
        "portal_id": appointment.portal_id,
        "patient_id": appointment.patient_id,
        "patient_name": view.patient_name,
    }
