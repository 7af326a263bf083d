"""Identifiers that cannot be guessed, and digests of secrets that are stored in their place."""

import hashlib
import secrets
import uuid


def new_id() -> uuid.UUID:
    """Return a random (version 4) identifier: 122 bits, no time and no order to learn from."""
    return uuid.uuid4()


def new_token(nbytes: int = 32) -> str:
    """Return a URL-safe secret of ``nbytes`` random bytes."""
    return secrets.token_urlsafe(nbytes)


def digest(token: str) -> bytes:
    """Return the SHA-256 of a high-entropy token, which is all that is stored of it."""
    return hashlib.sha256(token.encode()).digest()


def parse_id(text: object) -> uuid.UUID | None:
    """Return the identifier written in ``text``, or None where it is not one."""
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None
