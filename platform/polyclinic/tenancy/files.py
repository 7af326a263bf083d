"""Portals as files: what a folder would change, making it so, and writing the database back (Y1).

A feature contributes a `Section`: it owns some tables of `portal.toml`, knows their counterpart in the database, and
both speak one JSON state in between. Sections come in the order in which they may refer to each other.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Protocol

import tomlkit
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session
from tomlkit import TOMLDocument

from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.transactions import transactional
from polyclinic.tenancy.differences import Difference, State, differences, drift
from polyclinic.tenancy.documents import FILE, Document, WrongFiles, read_document
from polyclinic.tenancy.kinds import Context, nearest
from polyclinic.tenancy.models import Portal


class Section(Protocol):
    """A feature's part of a portal's files."""

    @property
    def name(self) -> str:
        """The name of its state."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The top-level tables it owns."""

    def parse(self, document: Document) -> State:
        """Read its tables; notes problems in the document and returns what could be read."""

    def verify(self, session: Session, document: Document, portal: Portal | None, wanted: State) -> None:
        """Note what only the database knows to be wrong: a specialist nobody knows, a domain of somebody else."""

    def read(self, session: Session, portal: Portal) -> State:
        """Return the database's state."""

    def write(self, session: Session, actor: Actor, portal: Portal, wanted: State) -> None:
        """Make the database's state the wanted one."""

    def dump(self, file: PortalFile, before: State, after: State) -> None:
        """Write what differs into the file."""


@dataclass
class PortalFile:
    """A `portal.toml` being written: its TOML with comments, its folder, and what amounts and texts need."""

    folder: FilePath
    toml: TOMLDocument
    context: Context
    texts: dict[str, str]
    """Files beside it that change: name -> content."""
    context_before: Context = field(default_factory=Context)
    """What amounts in the file as it is were written with: another currency has other decimals."""
    removed: set[str] = field(default_factory=set)
    """Files beside it that go."""


class Recorder(Protocol):
    """Writes audit events; audit stands above tenancy, so it is handed in."""

    def __call__(
        self,
        session: Session,
        actor: Actor,
        action: str,
        subject_kind: str,
        subject_id: uuid.UUID | str,
        *,
        portal_id: uuid.UUID | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """See audit.services.record."""


@dataclass(frozen=True)
class Plan:
    """What applying a folder would do to the database."""

    slug: str
    new: bool
    changes: tuple[Difference, ...]
    drift: tuple[Difference, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changes and not self.new


@dataclass(frozen=True)
class Export:
    """Files that differ from what lies in the folder, by name."""

    slug: str
    files: dict[str, str]
    removed: tuple[str, ...] = ()
    """Files that lie in the folder and are nowhere in the database."""


def parse_portal(document: Document, sections: Sequence[Section]) -> State:
    """Read a whole document; problems are noted in it."""
    owned = [table for section in sections for table in section.tables]
    for name in document.tables:
        if name not in owned:
            document.wrong(
                (name,),
                _("there is no table “%(name)s”", name=name) + nearest(name, owned),
                _("one of %(names)s", names=", ".join(owned)),
            )
    for section in sections:
        before = len(document.problems)
        document.states[section.name] = section.parse(document)
        if len(document.problems) > before:
            document.broken.add(section.name)
    return dict(document.states)


def _portal(session: Session, slug: str) -> Portal | None:
    return session.scalars(select(Portal).where(Portal.slug == slug).with_for_update()).one_or_none()


def read_portal(session: Session, portal: Portal, sections: Sequence[Section]) -> State:
    """Return the database's state of a portal."""
    return {section.name: section.read(session, portal) for section in sections}


def _prepare(session: Session, document: Document, sections: Sequence[Section]) -> tuple[Plan, State, Portal | None]:
    wanted = parse_portal(document, sections)
    portal = _portal(session, document.slug)
    for section in sections:
        if section.name not in document.broken:
            section.verify(session, document, portal, wanted[section.name])
    document.finish()
    nothing: State = {section.name: {} for section in sections}
    found = read_portal(session, portal, sections) if portal else nothing
    plan = Plan(
        document.slug,
        portal is None,
        tuple(differences(found, wanted)),
        tuple(drift(portal.applied if portal else None, found, wanted)),
    )
    return plan, wanted, portal


def plan_portal(session: Session, folder: FilePath, sections: Sequence[Section], shown_as: str | None = None) -> Plan:
    """Say what applying a folder would change; writes nothing. Raises WrongFiles with every problem."""
    return _prepare(session, read_document(folder, shown_as), sections)[0]


@transactional
def apply_portal(
    session: Session,
    actor: Actor,
    folder: FilePath,
    sections: Sequence[Section],
    record: Recorder,
    *,
    overwrite: bool = False,
    shown_as: str | None = None,
) -> Plan:
    """Make the database what a folder says, all of it or nothing; returns what was changed.

    Raises WrongFiles with every problem, Conflict where the portal was changed elsewhere since the last apply and
    `overwrite` does not allow to undo that.
    """
    plan, wanted, portal = _prepare(session, read_document(folder, shown_as), sections)
    if plan.drift and not overwrite:
        raise Conflict(
            "portal-drift",
            _l(
                "“%(slug)s” was changed elsewhere since its file was applied last: export these changes, or apply "
                "with --overwrite to undo them.",
                slug=plan.slug,
            ),
        )
    if portal is None:
        portal = Portal(slug=plan.slug, name=plan.slug)
        session.add(portal)
        session.flush()
    if plan.changes or plan.new:
        for section in sections:
            section.write(session, actor, portal, wanted[section.name])
        record(
            session,
            actor,
            "portal.applied",
            "portal",
            portal.id,
            portal_id=portal.id,
            detail={"changed": sorted({".".join(change.path[:3]) for change in plan.changes})},
        )
    portal.applied = wanted
    session.flush()
    return plan


def export_portal(session: Session, slug: str, folder: FilePath, sections: Sequence[Section]) -> Export:
    """Return the files that would bring a folder up to the database; a folder that agrees gets none (Y1).

    Comments and layout of an existing `portal.toml` stay; what does not differ is not touched. Raises WrongFiles where
    the existing file is wrong or the portal does not exist.
    """
    portal = session.scalars(select(Portal).where(Portal.slug == slug)).one_or_none()
    if portal is None:
        raise WrongFiles([_("there is no portal “%(slug)s”", slug=slug)])
    after = read_portal(session, portal, sections)
    nothing: State = {section.name: {} for section in sections}
    if (folder / FILE).exists():
        document = read_document(folder)
        before = parse_portal(document, sections)
        document.finish()
        file = PortalFile(folder, tomlkit.parse(document.text), Context(), {})
        text = document.text
    else:
        before, file, text = nothing, PortalFile(folder, tomlkit.document(), Context(), {}), ""
    for section in sections:
        section.dump(file, before[section.name], after[section.name])
    written = file.toml.as_string()
    return Export(slug, {**({FILE: written} if written != text else {}), **file.texts}, tuple(sorted(file.removed)))
