"""Who acts: the person (or the system) behind a request, a socket event or a job, and the scope that follows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Literal

from polyclinic.kernel.scope import Scope

Kind = Literal["visitor", "patient", "specialist", "operator", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated person in one place, a visitor of a portal, or the system itself."""

    kind: Kind
    id: uuid.UUID | None = None
    portal_id: uuid.UUID | None = None
    name: str = ""
    email: str = ""
    locale: str | None = None
    zone: str | None = None
    sign_in_id: uuid.UUID | None = None
    guest: str | None = None
    address: str | None = None
    ip: str | None = None
    scopes: frozenset[str] | None = None
    portals: frozenset[uuid.UUID] | None = None
    roles: frozenset[str] = field(default_factory=frozenset)

    @property
    def signed_in(self) -> bool:
        """Whether this is a known person."""
        return self.id is not None

    def scope(self) -> Scope:
        """Return the database scope this actor works in.

        Operators of the whole network act as ``network``, operators of some portals as ``operator``.
        """
        if self.kind == "visitor":
            return Scope("visitor", portal=self.portal_id, guest=self.guest, address=self.address)
        if self.kind == "patient":
            return Scope("patient", portal=self.portal_id, patient=self.id, guest=self.guest, address=self.address)
        if self.kind == "specialist":
            return Scope("specialist", specialist=self.id)
        if self.kind == "operator":
            if self.portals is None:
                return Scope("network", operator=self.id)
            return Scope("operator", operator=self.id, portals=self.portals)
        return Scope("job", portal=self.portal_id)


SYSTEM = Actor("system")
