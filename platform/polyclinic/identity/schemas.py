"""What the API says and hears about people and their sign-ins (W1)."""

from __future__ import annotations

from marshmallow import fields, validate

from polyclinic.identity.rules import LONGEST_NAME, LONGEST_PHONE
from polyclinic.web.api import ApiSchema


class MeChangeSchema(ApiSchema):
    """What people may change about themselves; a field that is left out stays."""

    name = fields.String(validate=validate.Length(1, LONGEST_NAME))
    phone = fields.String(allow_none=True, validate=validate.Length(max=LONGEST_PHONE))
    locale = fields.String(metadata={"description": "one of the languages offered here, such as de"})
    zone = fields.String(metadata={"description": "an IANA time zone such as Europe/Berlin"})


class MeSchema(ApiSchema):
    """A person, as they see themselves."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["patient", "specialist", "operator"]))
    email = fields.Email(required=True)
    name = fields.String(required=True)
    phone = fields.String(allow_none=True)
    locale = fields.String(required=True)
    zone = fields.String(required=True)
    state = fields.String(required=True)
    role = fields.String(metadata={"description": "of operators"})
    portals = fields.List(fields.UUID(), allow_none=True, metadata={"description": "of operators; null: all"})
