"""Shapes of charges, refunds, transactions and receipts in the APIs (W1)."""

from __future__ import annotations

from typing import Any

from flask import url_for
from marshmallow import fields, validate

from polyclinic.payments.portal_views import document_of
from polyclinic.payments.receipt_models import Receipt
from polyclinic.payments.transactions import STATUSES, Transaction
from polyclinic.web.api import ApiSchema, PageArgs

MINOR = {"description": "minor units of the currency"}
_MONTH = validate.Regexp(r"\d{4}-(0[1-9]|1[0-2])", error="Expected a month such as 2026-11.")


class ReceiptSchema(ApiSchema):
    """A receipt or credit note."""

    id = fields.UUID()
    kind = fields.String(metadata={"description": "receipt or credit_note"})
    number = fields.String(attribute="label")
    amount_minor = fields.Integer(metadata=MINOR)
    issued_at = fields.AwareDateTime(metadata={"description": "UTC"})
    url = fields.String(metadata={"description": "of the PDF, for the same sign-in or token"})


class TransactionSchema(ApiSchema):
    """A charge or a refund; what has not moved has zero in gross, commission, fee and net."""

    id = fields.UUID()
    kind = fields.String(metadata={"description": "charge or refund"})
    status = fields.String(validate=validate.OneOf(STATUSES))
    at = fields.AwareDateTime(metadata={"description": "UTC: when it was paid or returned, else when it was made"})
    description = fields.String()
    currency = fields.String()
    amount_minor = fields.Integer(attribute="amount", metadata=MINOR)
    charge_id = fields.UUID()
    reason = fields.String(metadata={"description": "of a refund: the rule that grants it"})
    cause_kind = fields.String()
    cause_id = fields.UUID(metadata={"description": "the appointment, where cause_kind says so"})
    receipt = fields.Nested(ReceiptSchema, allow_none=True)


class OwnTransactionSchema(TransactionSchema):
    """The same for the specialist: whose it is, on which portal, and what is left of it."""

    portal_id = fields.UUID()
    patient_id = fields.UUID()
    payment_model = fields.String()
    gross_minor = fields.Integer(attribute="gross", metadata=MINOR)
    commission_minor = fields.Integer(attribute="commission", metadata=MINOR)
    fee_minor = fields.Integer(attribute="fee", metadata={"description": "what the provider kept, in minor units"})
    net_minor = fields.Integer(attribute="net", metadata=MINOR)
    running_minor = fields.Integer(
        attribute="running", metadata={"description": "sum of net in the currency up to here, within the filters"}
    )


class OperatorTransactionSchema(OwnTransactionSchema):
    """The same for operators."""

    specialist_id = fields.UUID()


class TransactionPageSchema(ApiSchema):
    """A page of a patient's charges and refunds."""

    items = fields.List(fields.Nested(TransactionSchema))
    next_cursor = fields.String(allow_none=True)


class OwnTransactionPageSchema(ApiSchema):
    """A page of a specialist's transactions."""

    items = fields.List(fields.Nested(OwnTransactionSchema))
    next_cursor = fields.String(allow_none=True)


class OperatorTransactionPageSchema(ApiSchema):
    """A page of transactions of the portals in an operator's scope."""

    items = fields.List(fields.Nested(OperatorTransactionSchema))
    next_cursor = fields.String(allow_none=True)


class TransactionQuery(PageArgs):
    """Filters of a list of transactions."""

    portal = fields.UUID(load_default=None)
    patient = fields.UUID(load_default=None)
    status = fields.String(load_default=None, validate=validate.OneOf(STATUSES))
    currency = fields.String(load_default=None, validate=validate.Regexp(r"[A-Z]{3}"))
    month = fields.String(load_default=None, validate=_MONTH)


class BillingSchema(ApiSchema):
    """What a specialist's own receipts say about them."""

    name = fields.String(required=True, metadata={"description": "empty: the specialist's own name"})
    address = fields.String(required=True, metadata={"description": "lines separated by newlines"})
    tax_id = fields.String(required=True)
    note = fields.String(required=True)


def dump_row(row: Transaction, documents: list[Receipt], endpoint: str) -> dict[str, Any]:
    """Return a row with its document; ``endpoint`` serves the PDF, "" for nobody."""
    found = document_of(row, documents)
    values: dict[str, Any] = {name: getattr(row, name) for name in Transaction.__dataclass_fields__}
    values["receipt"] = None
    if found is not None:
        url = url_for(endpoint, receipt_id=found.id) if endpoint else ""
        values["receipt"] = {
            "id": found.id,
            "kind": found.kind,
            "label": found.label,
            "amount_minor": found.amount_minor,
            "issued_at": found.issued_at,
            "url": url,
        }
    return values
