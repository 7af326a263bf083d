"""Which place a host is, and on a portal which tenant: decided before anything else runs (P1).

The directory of hosts is read by the ``door`` role on a connection of its own and kept for a few seconds, so that a
request asks the database nothing to know where it is.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from polyclinic.kernel.scope import Scope, open_session
from polyclinic.tenancy.models import Domain, NetworkSetting, Portal, PortalSetting
from polyclinic.tenancy.pages import PageLink, page_links
from polyclinic.tenancy.settings import Settings

log = logging.getLogger(__name__)

PlaceName = Literal["portal", "specialists", "admin", "hooks", "dev"]
PLACES: tuple[PlaceName, ...] = ("portal", "specialists", "admin", "hooks", "dev")


@dataclass(frozen=True, slots=True)
class PortalView:
    """What a process knows of a portal without asking again: names, hosts and the settings stored for it."""

    id: uuid.UUID
    slug: str
    name: str
    state: str
    host: str
    """The canonical domain; links are built from it (T1: never from the request)."""
    settings: Settings
    """What the portal chose, over what the network chose, over what is built in (§5)."""
    read_pages: Callable[[], Sequence[PageLink]] = field(default=tuple, compare=False, repr=False)

    @property
    def pages(self) -> Sequence[PageLink]:
        """The pages the portal wrote, by their order: what navigation and addresses need, without the texts."""
        return self.read_pages()


def portal_view(session: Session, portal: Portal) -> PortalView:
    """Return the view of a portal as this transaction sees it, for services that are called outside a request."""
    chosen = session.execute(select(PortalSetting.key, PortalSetting.value).where(PortalSetting.portal_id == portal.id))
    network = session.execute(select(NetworkSetting.key, NetworkSetting.value))
    host = session.scalar(select(Domain.host).where(Domain.portal_id == portal.id, Domain.canonical))
    settings = Settings({row.key: row.value for row in chosen}, {row.key: row.value for row in network})
    return PortalView(portal.id, portal.slug, portal.name, portal.state, host or "", settings)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request is."""

    name: PlaceName
    host: str
    portal: PortalView | None = None

    @property
    def portal_id(self) -> uuid.UUID | None:
        """The tenant, on a portal."""
        return self.portal.id if self.portal else None


def host_of(environ: Mapping[str, Any]) -> str:
    """Return the Host header in lower case, without port and trailing dot; forwarded headers are never read here."""
    host = str(environ.get("HTTP_HOST") or environ.get("SERVER_NAME") or "")
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".").lower()


class Chosen(Mapping[str, Any]):
    """What one portal chose, read when it is first asked for: a process of 10,000 portals serves a few of them."""

    def __init__(self, load: Callable[[], tuple[dict[str, Any], Sequence[PageLink]]]) -> None:
        self._load = load
        self._read: tuple[dict[str, Any], Sequence[PageLink]] | None = None

    @property
    def in_use(self) -> bool:
        """Whether anybody asked."""
        return self._read is not None

    def values_now(self) -> dict[str, Any]:
        """Return the values, reading them once."""
        return self._once()[0]

    def pages_now(self) -> Sequence[PageLink]:
        """Return the pages, read together with the values."""
        return self._once()[1]

    def _once(self) -> tuple[dict[str, Any], Sequence[PageLink]]:
        if self._read is None:
            self._read = self._load()
        return self._read

    def __getitem__(self, key: str) -> Any:
        """Return a stored value."""
        return self.values_now()[key]

    def __iter__(self) -> Iterator[str]:
        """Go through the keys that were chosen."""
        return iter(self.values_now())

    def __len__(self) -> int:
        """Count what was chosen."""
        return len(self.values_now())


class Places:
    """The directory of hosts of one process."""

    def __init__(self, engine: Engine, fresh_for: float) -> None:
        """Read through ``engine`` and believe what was read for ``fresh_for`` seconds of real time."""
        self._engine = engine
        self._fresh_for = fresh_for
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._places: dict[str, Place] = {}
        self._portals: dict[uuid.UUID, PortalView] = {}
        self._chosen: dict[uuid.UUID, Chosen] = {}

    def find(self, host: str) -> Place | None:
        """Return the place behind a host, or None for a host that nobody configured.

        The portal's settings are read here, before the request holds a connection of its own.
        """
        self._refresh()
        place = self._places.get(host)
        if place is not None and place.portal_id in self._chosen:
            self._chosen[place.portal_id].values_now()
        return place

    def portal(self, portal_id: uuid.UUID) -> PortalView | None:
        """Return a portal by its id: for jobs, mails and the places that see several portals.

        Ids come from the database, so one that is not known here belongs to a portal newer than what was read.
        """
        self._refresh()
        if portal_id not in self._portals:
            self.forget()
            self._refresh()
        return self._portals.get(portal_id)

    def portals(self) -> list[PortalView]:
        """Return every portal, by name."""
        self._refresh()
        return sorted(self._portals.values(), key=lambda portal: portal.name)

    def host(self, name: PlaceName) -> str | None:
        """Return the host of a place of the network (not of a portal)."""
        self._refresh()
        return next((place.host for place in self._places.values() if place.name == name), None)

    def forget(self) -> None:
        """Read again at the next question: called by whoever changed domains or settings in this process."""
        self._read_at = float("-inf")

    def _refresh(self) -> None:
        if time.monotonic() - self._read_at < self._fresh_for:
            return
        with self._lock:
            if time.monotonic() - self._read_at < self._fresh_for:
                return
            try:
                self._read()
            except OperationalError:
                if not self._places:
                    raise
                log.warning("which hosts there are was not read again: the database did not answer")
            self._read_at = time.monotonic()

    def _read(self) -> None:
        with open_session(self._engine, Scope("door")) as session:
            rows = session.execute(select(Portal.id, Portal.slug, Portal.name, Portal.state)).all()
            domains = session.execute(select(Domain.host, Domain.place, Domain.portal_id, Domain.canonical)).all()
            network = {row.key: row.value for row in session.execute(select(NetworkSetting.key, NetworkSetting.value))}
        canonical = {domain.portal_id: domain.host for domain in domains if domain.canonical}
        in_use = {portal_id for portal_id, chosen in self._chosen.items() if chosen.in_use}
        chosen = {row.id: Chosen(functools.partial(self._read_chosen, row.id)) for row in rows}
        for portal_id in in_use & chosen.keys():
            chosen[portal_id].values_now()
        portals = {
            row.id: PortalView(
                row.id,
                row.slug,
                row.name,
                row.state,
                canonical.get(row.id, ""),
                Settings(chosen[row.id], network),
                chosen[row.id].pages_now,
            )
            for row in rows
        }
        places: dict[str, Place] = {}
        for domain in domains:
            portal = portals.get(domain.portal_id) if domain.portal_id else None
            if domain.place == "portal" and (portal is None or portal.state != "active"):
                continue
            places[domain.host] = Place(domain.place, domain.host, portal)
        self._portals, self._places, self._chosen = portals, places, chosen

    def _read_chosen(self, portal_id: uuid.UUID) -> tuple[dict[str, Any], Sequence[PageLink]]:
        with open_session(self._engine, Scope("door", portal=portal_id)) as session:
            chosen = session.execute(select(PortalSetting.key, PortalSetting.value))
            return {row.key: row.value for row in chosen}, page_links(session, portal_id)
