"""Codes sent by mail (U1): six digits, ten minutes, five tries, one use, bound to an entrance and to one request.

A code is sent to every address that somebody gives, whether or not there is an account: nothing that is seen before the
right code is entered depends on it (B2, V6.3.8).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from typing import Any, Literal, cast

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.identity.models import MailCode
from polyclinic.identity.people import Client, Entrance, find_by_email
from polyclinic.identity.rules import CODE_DIGITS, CODE_LIFE, CODE_TRIES, NAMING_LIFE
from polyclinic.kernel.clock import real_now
from polyclinic.kernel.errors import Gone, Invalid
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.transactions import transactional

Purpose = Literal["sign-in", "register", "reset"]
#: Rows that nothing more can come of are deleted after this.
KEPT_FOR = dt.timedelta(days=1)


class WrongCode(Invalid):
    """Not the code that was sent, or too late, or once too often."""

    def __init__(self) -> None:
        """Say what to do; the reason is not told."""
        message = _l("This code is wrong or no longer valid. Check it, or have a new one sent.")
        super().__init__("code-wrong", message, fields={"code": message})


@transactional
def send_code(
    session: Session,
    entrance: Entrance,
    email: str,
    purpose: Purpose,
    client: Client,
    *,
    locale: str,
    pending: dict[str, Any] | None = None,
) -> uuid.UUID:
    """Have a code sent to ``email`` and return the id of the request it answers.

    ``email`` is clean (identity/rules.py). ``pending`` is what a registration form said; it is used only if the
    address turns out to be new. The code itself is in nothing but the outbox row, whose payload is wiped when done.
    """
    person, _stored = find_by_email(session, entrance, email)
    row_id, code, now = new_id(), f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}", real_now()
    session.execute(delete(MailCode).where(entrance.owns(MailCode), MailCode.expires_at < now - KEPT_FOR))
    session.add(
        MailCode(
            id=row_id,
            subject_kind=entrance.kind,
            portal_id=entrance.portal_id,
            email=email,
            purpose=purpose,
            code_hash=_code_hash(row_id, code),
            created_at=now,
            expires_at=now + CODE_LIFE,
            pending=pending,
        )
    )
    payload = {
        "email": email,
        "code": code,
        "purpose": purpose,
        "locale": person.locale if person is not None else locale,
        "minutes": int(CODE_LIFE.total_seconds() // 60),
        "subject_kind": entrance.kind,
        "known": person is not None,
        "name": person.name if person is not None else "",
    }
    announce(session, "identity.code", payload, portal_id=entrance.portal_id)
    subject = person.id if person is not None else "unknown"
    record(session, client.visitor(entrance), "code.sent", entrance.kind, subject, detail={"purpose": purpose})
    return row_id


@transactional
def send_again(session: Session, entrance: Entrance, code_id: uuid.UUID, client: Client, *, locale: str) -> uuid.UUID:
    """Send a new code for the same request and return its new id; raises Gone once that was answered or deleted."""
    open_request = (entrance.owns(MailCode), MailCode.id == code_id, MailCode.used_at.is_(None))
    row = session.scalars(select(MailCode).where(*open_request)).one_or_none()
    if row is None:
        raise Gone("code-over", _l("This took too long. Please start again with your e-mail address."))
    purpose = cast(Purpose, row.purpose)
    return send_code(session, entrance, row.email, purpose, client, locale=locale, pending=row.pending)


def enter_code(
    session: Session, entrance: Entrance, code_id: uuid.UUID, code: str, client: Client, *purposes: Purpose
) -> MailCode:
    """Check a code sent for one of ``purposes`` and return its row; raises WrongCode, having counted the try."""
    found = _try_code(session, entrance, code_id, "".join(code.split()), client, purposes)
    if found is None:
        raise WrongCode
    return found


@transactional
def _try_code(
    session: Session, entrance: Entrance, code_id: uuid.UUID, code: str, client: Client, purposes: tuple[Purpose, ...]
) -> MailCode | None:
    now = real_now()
    counted = session.execute(
        update(MailCode)
        .where(entrance.owns(MailCode), MailCode.id == code_id, MailCode.used_at.is_(None))
        .where(MailCode.tries < CODE_TRIES, MailCode.expires_at > now, MailCode.purpose.in_(purposes))
        .values(tries=MailCode.tries + 1)
        .returning(MailCode)
    ).scalar_one_or_none()
    if counted is None or not hmac.compare_digest(counted.code_hash, _code_hash(code_id, code)):
        record(session, client.visitor(entrance), "code.refused", entrance.kind, "unknown")
        return None
    counted.used_at = now
    return counted


def claim_code(session: Session, entrance: Entrance, code_id: uuid.UUID) -> MailCode:
    """Take a rightly entered code for the one thing it leads to; raises Gone where that is done or too late.

    Inside the transaction of what it leads to.
    """
    row = session.scalars(
        select(MailCode).where(entrance.owns(MailCode), MailCode.id == code_id).with_for_update()
    ).one_or_none()
    if row is None or row.used_at is None or row.completed_at is not None or real_now() - row.used_at > NAMING_LIFE:
        raise Gone("code-over", _l("This took too long. Please start again with your e-mail address."))
    row.completed_at = real_now()
    row.pending = None
    return row


def _code_hash(code_id: uuid.UUID, code: str) -> str:
    key = str(current_app.config["POLYCLINIC"].secret_key).encode()
    return hmac.new(key, f"mail code:{code_id}:{code}".encode(), hashlib.sha256).hexdigest()
