"""What tests of coming in share: reading the code that a mail would bring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

Sent = Callable[[str], dict[str, Any]]


@pytest.fixture
def sent(owner: Engine) -> Sent:
    """Return the payload of the last code announced for an address: what the mail is written from."""

    def read(email: str) -> dict[str, Any]:
        query = text(
            "SELECT payload FROM outbox WHERE kind = 'identity.code' AND payload->>'email' = :email"
            " ORDER BY id DESC LIMIT 1"
        )
        with owner.connect() as connection:
            return dict(connection.execute(query, {"email": email}).scalar_one())

    return read


@pytest.fixture
def audited(owner: Engine) -> Callable[[], list[str]]:
    """Return the actions of the audit trail so far, in order."""

    def read() -> list[str]:
        with owner.connect() as connection:
            return list(connection.execute(text("SELECT action FROM audit_event ORDER BY id")).scalars())

    return read
