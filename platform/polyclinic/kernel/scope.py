"""Who a transaction acts for: one database role and the ids its policies compare with (I1).

The login role holds nothing. ``enter`` names the scope of a session; the ``after_begin`` hook makes every transaction
of that session assume it with one statement, ``set_config(…, true)``, which ends with the transaction and never leaks
through the pool. The scope of a session never changes: another scope is another session.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session, SessionTransaction

from polyclinic.kernel.errors import Defect
from polyclinic.kernel.roles import ROLES, Role

_ENTER = text(
    "SELECT app_now(), set_config('role', :role, true), set_config('app.portal', :portal, true),"
    " set_config('app.patient', :patient, true), set_config('app.specialist', :specialist, true),"
    " set_config('app.guest', :guest, true), set_config('app.address', :address, true),"
    " set_config('app.portals', :portals, true),"
    " set_config('app.operator', :operator, true), set_config('app.calendar', '', true)"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """A role and the ids that its row-level policies know; unset ids match no row."""

    role: Role
    portal: uuid.UUID | None = None
    patient: uuid.UUID | None = None
    specialist: uuid.UUID | None = None
    operator: uuid.UUID | None = None
    guest: str | None = None
    address: str | None = None
    portals: frozenset[uuid.UUID] = field(default_factory=frozenset)

    def as_json(self) -> dict[str, Any]:
        """Return what a job carries in its payload; ``from_json`` reads it back."""
        return {
            "role": self.role,
            "portal": _text(self.portal),
            "patient": _text(self.patient),
            "specialist": _text(self.specialist),
            "operator": _text(self.operator),
            "guest": self.guest or "",
            "address": self.address or "",
            "portals": ",".join(sorted(str(portal) for portal in self.portals)),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Scope:
        """Read a scope written by ``as_json``; raises Defect for a role that does not exist."""
        role = data.get("role")
        if role not in ROLES:
            raise Defect(f"no database role is called {role!r}")
        return cls(
            role=role,
            portal=_id(data.get("portal")),
            patient=_id(data.get("patient")),
            specialist=_id(data.get("specialist")),
            operator=_id(data.get("operator")),
            guest=data.get("guest") or None,
            address=data.get("address") or None,
            portals=frozenset(uuid.UUID(part) for part in (data.get("portals") or "").split(",") if part),
        )


class ScopeError(Defect):
    """A session was used for a second scope, or without one where rows are needed."""


def _text(value: uuid.UUID | None) -> str:
    return "" if value is None else str(value)


def _id(value: str | None) -> uuid.UUID | None:
    return uuid.UUID(value) if value else None


def enter(session: Session, scope: Scope) -> None:
    """Fix the scope of a session before its first transaction; raises ScopeError if it has another or has begun."""
    current = session.info.get("scope")
    if current == scope:
        return
    if current is not None:
        raise ScopeError(f"this session acts for {current.role}; open another one for {scope.role}")
    if session.in_transaction():
        raise ScopeError("a transaction began before the session had a scope")
    session.info["scope"] = scope


def scope_of(session: Session) -> Scope:
    """Return the scope of a session; raises ScopeError where it has none."""
    scope: Scope | None = session.info.get("scope")
    if scope is None:
        raise ScopeError("this session has no scope")
    return scope


def bind_roles(engine: Engine, prefix: str) -> Engine:
    """Tell an engine what the installation's database roles are called: ``<prefix>_door`` and so on."""
    engine.dialect.polyclinic_prefix = prefix  # type: ignore[attr-defined]  # travels with each connection's dialect
    return engine


@event.listens_for(Session, "after_begin")
def _assume(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """Assume the session's scope for one transaction, and remember the application's time at its beginning."""
    scope = session.info.get("scope")
    if scope is None:
        return
    if transaction.nested:
        if scope is not session.info.get("applied"):
            raise ScopeError("the scope changed inside a transaction")
        return
    prefix = getattr(connection.dialect, "polyclinic_prefix", None)
    if prefix is None:
        raise ScopeError("the engine was not prepared with bind_roles()")
    began = connection.execute(
        _ENTER,
        {
            "role": f"{prefix}_{scope.role}",
            "portal": _text(scope.portal),
            "patient": _text(scope.patient),
            "specialist": _text(scope.specialist),
            "operator": _text(scope.operator),
            "guest": scope.guest or "",
            "address": scope.address or "",
            "portals": ",".join(str(portal) for portal in scope.portals),
        },
    ).scalar_one()
    session.info["applied"] = scope
    session.info["began"] = (began, time.monotonic())


@contextmanager
def open_session(engine: Engine, scope: Scope) -> Iterator[Session]:
    """Open a session of its own for ``scope`` and close it at the end; nothing is committed here."""
    with Session(engine, expire_on_commit=False) as session:
        enter(session, scope)
        yield session
