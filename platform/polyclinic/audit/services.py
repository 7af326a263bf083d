"""Writing the audit trail (U3)."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from polyclinic.audit.models import AuditEvent
from polyclinic.kernel.actor import Actor


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: uuid.UUID | str,
    *,
    portal_id: uuid.UUID | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write that ``actor`` did ``action`` ("appointment.confirmed", "patient.read") to a subject, in this transaction.

    ``detail`` is JSON with ids, states and names of changed fields: no passwords, tokens, mail texts or health data.
    """
    session.execute(
        AuditEvent.__table__.insert().inline(),  # type: ignore[attr-defined]  # Table, typed as FromClause
        {
            "portal_id": portal_id or actor.portal_id,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "sign_in_id": actor.sign_in_id,
            "ip": actor.ip,
            "action": action,
            "subject_kind": subject_kind,
            "subject_id": str(subject_id),
            "detail": detail or {},
        },
    )
