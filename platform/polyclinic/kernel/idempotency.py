"""Answers remembered by ``Idempotency-Key`` (W1): the same request is done once, its answer given again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from polyclinic.kernel.clock import real_now
from polyclinic.kernel.errors import Conflict, Invalid
from polyclinic.kernel.models import Base, tenancy
from polyclinic.kernel.transactions import transactional

#: How long answers are kept, and after how long a request that never answered may be tried again.
KEPT_FOR = dt.timedelta(hours=24)
ABANDONED_AFTER = dt.timedelta(minutes=1)


class IdempotencyKey(Base):
    """One key of one sender, the digest of its request, and the answer once there is one (real time)."""

    __tablename__ = "idempotency_key"
    __table_args__ = (tenancy("network", "read and written by the door role alone, around every kind of request"),)

    owner: Mapped[str] = mapped_column(primary_key=True)
    """Place, portal and person (or guest) that sent the key, so that equal keys of others are other keys."""
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes]
    status: Mapped[int | None]
    body: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and a body."""

    status: int
    body: str


@transactional
def reserve(session: Session, owner: str, key: str, request_hash: bytes) -> Answer | None:
    """Reserve a key, or return the answer it already has.

    Raises Conflict while the first request is still under way, Invalid where the key came with another request.
    """
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < real_now() - KEPT_FOR))
    taken = session.execute(
        insert(IdempotencyKey)
        .values(owner=owner, key=key, request_hash=request_hash)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    ).scalar_one_or_none()
    if taken is not None:
        return None
    row = session.execute(
        select(IdempotencyKey).where(IdempotencyKey.owner == owner, IdempotencyKey.key == key).with_for_update()
    ).scalar_one()
    if row.request_hash != request_hash:
        raise Invalid(
            "idempotency-key-reused",
            "This Idempotency-Key was sent with another request. Send a new key with a new request.",
        )
    if row.status is not None:
        return Answer(row.status, row.body or "")
    if row.created_at > real_now() - ABANDONED_AFTER:
        raise Conflict("idempotency-key-in-use", "A request with this Idempotency-Key is still under way.")
    row.created_at = real_now()
    return None


@transactional
def remember(session: Session, owner: str, key: str, answer: Answer) -> None:
    """Keep the answer to a reserved key."""
    session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.owner == owner, IdempotencyKey.key == key)
        .values(status=answer.status, body=answer.body)
    )


@transactional
def release(session: Session, owner: str, key: str) -> None:
    """Forget a reserved key whose request failed on our side, so that it may be sent again."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.owner == owner, IdempotencyKey.key == key))
