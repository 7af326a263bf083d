"""What Stripe says when it refuses: status, type, code, parameter and a sentence."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """An answer that is no success."""

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400, **more: Any
    ) -> None:
        """`kind` (default `invalid_request_error`) and whatever else the error holds may be given as well."""
        super().__init__(message)
        self.status = status
        self.keeps_effects: bool = more.pop("keeps_effects", False)
        """A declined charge exists in spite of the refusal."""
        kind = more.pop("kind", "invalid_request_error")
        fields = {"code": code, "message": message, "param": param, "type": kind, **more}
        self.error = {name: value for name, value in fields.items() if value is not None}
        if code:
            self.error["doc_url"] = f"https://docs.stripe.com/error-codes#{code.replace('_', '-')}"


def missing(kind: str, identity: str, param: str = "id") -> Refused:
    """There is no such object, or it belongs to another account."""
    return Refused(f"No such {kind}: '{identity}'", param=param, code="resource_missing", status=404)


def required(param: str) -> Refused:
    """A parameter is missing that must be there."""
    return Refused(f"Missing required param: {param}.", param=param, code="parameter_missing")


def declined(message: str, code: str, decline_code: str | None, **more: Any) -> Refused:
    """The card said no; what happened is kept."""
    return Refused(
        message, code=code, status=402, kind="card_error", decline_code=decline_code, keeps_effects=True, **more
    )
