"""Refusals: a stable code for machines and a sentence for the person who reads it.

Services and rules raise or return them; only the edge (web/errors.py, sockets) turns them into pages, problem+json or
acknowledgements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class Refusal(Exception):
    """Something that will not be done, and why: what was wrong, what was expected, what to do."""

    status: ClassVar[int] = 400

    def __init__(
        self,
        code: str,
        message: Any,
        *,
        fields: Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep ``message`` (a string or a lazy translation), messages per field and machine-readable extras."""
        super().__init__(code)
        self.code = code
        self.message = message
        self.fields: dict[str, Any] = dict(fields or {})
        self.extra: dict[str, Any] = dict(extra or {})

    def __str__(self) -> str:
        """Return the code and the sentence, for logs and test failures."""
        return f"{self.code}: {self.message}"


class NotFound(Refusal):
    """It does not exist, or not for the person who asks: the two are never told apart (I2)."""

    status = 404

    def __init__(self, message: Any = "Not found.", code: str = "not-found") -> None:
        """Say no more than that it is not here."""
        super().__init__(code, message)


class Invalid(Refusal):
    """The input is wrong; ``fields`` says where."""

    status = 422


class Conflict(Refusal):
    """The world has moved on: the time is taken, the state has changed."""

    status = 409


class Gone(Refusal):
    """It existed and has ended: an expired hold, a used link."""

    status = 410


class Unauthenticated(Refusal):
    """Nobody is signed in where somebody must be."""

    status = 401


class Forbidden(Refusal):
    """It exists, it is visible, but this person may not do that to it."""

    status = 403


class TooMany(Refusal):
    """Too often in too short a time; ``retry_after`` is in seconds."""

    status = 429

    def __init__(self, code: str, message: Any, retry_after: int = 60) -> None:
        """Keep the number of seconds after which another try makes sense."""
        super().__init__(code, message, extra={"retry_after": retry_after})
        self.retry_after = retry_after


class Unavailable(Refusal):
    """It could not be done now; the same request may succeed in ``retry_after`` seconds."""

    status = 503

    def __init__(self, code: str, message: Any, retry_after: int = 2) -> None:
        """Keep the number of seconds after which another try makes sense."""
        super().__init__(code, message, extra={"retry_after": retry_after})
        self.retry_after = retry_after


class Defect(RuntimeError):
    """The program itself is wrong; never shown to people, always logged."""
