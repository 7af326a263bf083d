"""Shapes of charges and refunds in the APIs."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from polyclinic.kernel.money import Money
from polyclinic.payments.reading import ChargeView
from polyclinic.web.api import ApiSchema


class AmountSchema(ApiSchema):
    """An amount in minor units of its currency."""

    minor = fields.Integer()
    currency = fields.String()


class RefundSchema(ApiSchema):
    """Money that goes back."""

    id = fields.UUID()
    amount = fields.Nested(AmountSchema)
    reason = fields.String(metadata={"description": "the rule that grants it, such as free_cancellation"})
    state = fields.String(metadata={"description": "requested, pending, succeeded or failed"})
    requested_at = fields.AwareDateTime(metadata={"description": "UTC"})
    settled_at = fields.AwareDateTime(allow_none=True, metadata={"description": "UTC"})


class ChargeSchema(ApiSchema):
    """What is or was owed for one cause."""

    id = fields.UUID()
    cause = fields.String(metadata={"description": "what it is owed for: appointment"})
    cause_id = fields.UUID()
    description = fields.String()
    amount = fields.Nested(AmountSchema)
    returned = fields.Nested(AmountSchema)
    state = fields.String(metadata={"description": "open, paid, partly_returned, returned or void"})
    payment_model = fields.String()
    created_at = fields.AwareDateTime(metadata={"description": "UTC"})
    paid_at = fields.AwareDateTime(allow_none=True, metadata={"description": "UTC"})
    refunds = fields.List(fields.Nested(RefundSchema))


class OwnChargeSchema(ChargeSchema):
    """The same as its specialist sees it."""

    portal_id = fields.UUID()
    commission = fields.Nested(AmountSchema, metadata={"description": "what the platform keeps"})


def dump_charge(view: ChargeView) -> dict[str, Any]:
    """Return a charge as the patient's API gives it."""
    charge = view.charge
    return {
        "id": charge.id,
        "cause": charge.cause_kind,
        "cause_id": charge.cause_id,
        "description": charge.description,
        "amount": view.amount,
        "returned": view.returned,
        "state": view.state,
        "payment_model": charge.payment_model,
        "created_at": charge.created_at,
        "paid_at": charge.paid_at,
        "refunds": [
            {
                "id": refund.id,
                "amount": Money(refund.amount_minor, refund.currency),
                "reason": refund.reason,
                "state": refund.state,
                "requested_at": refund.created_at,
                "settled_at": refund.settled_at,
            }
            for refund in view.refunds
        ],
    }


def dump_own_charge(view: ChargeView) -> dict[str, Any]:
    """Return a charge as the specialist's API gives it."""
    commission = Money(view.charge.commission_minor, view.charge.currency)
    return {**dump_charge(view), "portal_id": view.charge.portal_id, "commission": commission}
