"""Pure decisions about consents: what an answer is worth today, and what a gate asks for."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Status = Literal["missing", "outdated", "expired", "withdrawn", "signed"]
Gate = Literal["registration", "booking", "joining"]

#: In the order in which people pass them.
GATES: tuple[Gate, ...] = ("registration", "booking", "joining")


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered to one version of an agreement."""

    version: int
    given: bool
    at: dt.datetime


def text_hash(body: str) -> bytes:
    """Return the SHA-256 of an agreement's exact text (K1)."""
    return hashlib.sha256(body.encode()).digest()


def status_of(
    version: int, answers: Sequence[Answer], now: dt.datetime, valid_for: dt.timedelta | None = None
) -> Status:
    """Derive where somebody stands with an agreement whose newest version is ``version`` (K3); never stored.

    The last answer decides: a withdrawal undoes what was given before, a new version or the end of ``valid_for``
    asks again.
    """
    if not answers:
        return "missing"
    last = max(answers, key=lambda answer: answer.at)
    if not last.given:
        return "withdrawn"
    if last.version < version:
        return "outdated"
    if valid_for is not None and last.at + valid_for <= now:
        return "expired"
    return "signed"


def gates_until(gate: Gate) -> tuple[Gate, ...]:
    """Return the gates whose agreements must be signed at ``gate``: its own and every earlier one.

    An agreement asked for at registration that has a new version since is asked for again at the next booking (K1).
    """
    return GATES[: GATES.index(gate) + 1]
