"""Shapes of the patients resource in the Specialist Portal's API."""

from __future__ import annotations

from marshmallow import fields, validate

from polyclinic.patients.rules import STATUSES
from polyclinic.web.api import ApiSchema, PageArgs


class PatientQuery(PageArgs):
    """Filters of the list."""

    portal = fields.UUID(load_default=None)
    status = fields.String(load_default=None, validate=validate.OneOf(STATUSES))
    search = fields.String(load_default="", validate=validate.Length(max=100))


class PatientSchema(ApiSchema):
    """A patient as their specialist sees them."""

    id = fields.UUID()
    portal_id = fields.UUID()
    name = fields.String()
    email = fields.String()
    status = fields.String()
    source = fields.String(metadata={"description": "how the allocation came about"})
    since = fields.AwareDateTime(metadata={"description": "UTC"})
    next_at = fields.AwareDateTime(allow_none=True, metadata={"description": "next visit, UTC"})
    last_at = fields.AwareDateTime(allow_none=True, metadata={"description": "last visit that took place, UTC"})
    visits = fields.Integer(metadata={"description": "visits that took place"})


class PatientPageSchema(ApiSchema):
    """A page of patients."""

    items = fields.List(fields.Nested(PatientSchema))
    next_cursor = fields.String(allow_none=True)
