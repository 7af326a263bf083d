"""Shapes of agreements and consents in a portal's API."""

from __future__ import annotations

from marshmallow import fields, validate

from polyclinic.web.api import ApiSchema


class AgreementSchema(ApiSchema):
    """The newest version of an agreement in one language."""

    id = fields.UUID(attribute="agreement_id")
    slug = fields.String()
    gate = fields.String(metadata={"description": "registration, booking or joining"})
    required = fields.Boolean()
    version_id = fields.UUID(metadata={"description": "what a consent names"})
    version = fields.Integer()
    locale = fields.String()
    title = fields.String()
    body = fields.String(metadata={"description": "Markdown, exactly as it is agreed to"})
    hash = fields.Function(lambda text: text.hash.hex(), metadata={"description": "SHA-256 of the body, hexadecimal"})
    published_at = fields.AwareDateTime(metadata={"description": "UTC"})


class AgreementListSchema(ApiSchema):
    """The agreements of a portal."""

    items = fields.List(fields.Nested(AgreementSchema))


class AgreementQuery(ApiSchema):
    """Which language is wanted; by default the request's."""

    locale = fields.String(load_default=None, validate=validate.Length(max=20))


class ConsentSchema(ApiSchema):
    """Where the patient stands with an agreement; derived, never stored."""

    agreement = fields.Nested(AgreementSchema, attribute="text")
    status = fields.String(metadata={"description": "missing, outdated, expired, withdrawn or signed"})
    answered_at = fields.AwareDateTime(allow_none=True, metadata={"description": "UTC"})
    answered_version = fields.Integer(allow_none=True)


class ConsentListSchema(ApiSchema):
    """Where the patient stands with each agreement."""

    items = fields.List(fields.Nested(ConsentSchema))


class AnswerSchema(ApiSchema):
    """What the patient answers: agreement to exact versions, or the withdrawal of an agreement."""

    answer = fields.String(load_default="given", validate=validate.OneOf(("given", "withdrawn")))
    versions = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=50))
    agreement_id = fields.UUID(load_default=None)
