"""The scopes that tests probe with, and how a probe reads or writes in one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from polyclinic.kernel.scope import Scope
from support.cast import Cast
from support.populated import ADDRESS, GUEST

PREFIX = "polyclinic"


def scopes_of(cast: Cast) -> dict[str, Scope]:
    """Everybody's scope on Alpha, by database role."""
    alpha = cast.alpha.id
    return {
        "door": Scope("door", portal=alpha),
        "visitor": Scope("visitor", portal=alpha, guest=GUEST, address=ADDRESS),
        "patient": Scope("patient", portal=alpha, patient=cast.alpha.patient.id),
        "specialist": Scope("specialist", specialist=cast.ada.id),
        "lead": Scope("lead", specialist=cast.lea.id),
        "operator": Scope("operator", operator=cast.oskar.id, portals=frozenset({alpha})),
        "network": Scope("network", operator=cast.olga.id),
        "relay": Scope("relay"),
        "job": Scope("job", portal=alpha),
    }


def assume(connection: Connection, scope: Scope, calendar: uuid.UUID | None = None) -> None:
    """Act for a scope on a superuser's connection, until its transaction ends."""
    settings = {
        "app.portal": scope.portal,
        "app.patient": scope.patient,
        "app.specialist": scope.specialist,
        "app.operator": scope.operator,
        "app.guest": scope.guest,
        "app.address": scope.address,
        "app.portals": ",".join(map(str, scope.portals)),
        "app.calendar": calendar,
        "role": f"{PREFIX}_{scope.role}",
    }
    for name, value in settings.items():
        connection.execute(
            text("SELECT set_config(:name, :value, true)"), {"name": name, "value": str(value) if value else ""}
        )


@contextmanager
def undone(owner: Engine) -> Iterator[Connection]:
    """A superuser's transaction that never happened."""
    with owner.connect() as connection:
        transaction = connection.begin()
        try:
            yield connection
        finally:
            transaction.rollback()
