"""The portal's own part of its file: its domains and its settings (Y1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from polyclinic.kernel.actor import Actor
from polyclinic.tenancy.differences import State
from polyclinic.tenancy.documents import Document
from polyclinic.tenancy.files import PortalFile
from polyclinic.tenancy.kinds import Context, NotAccepted, Text
from polyclinic.tenancy.models import Domain, NetworkSetting, Portal, PortalSetting
from polyclinic.tenancy.policy import BRAND_NAME, CURRENCY, LOCALES
from polyclinic.tenancy.settings import Catalogue, Problem, Settings
from polyclinic.tenancy.toml_writing import table_of, update_table

HOST = Text(max=253, pattern=r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+", example="care.example")

Guard = Callable[[Session, Portal, Settings, Settings], Iterable[Problem]]
"""Refuses a change that the portal's history forbids: another currency after the first charge."""


class DomainsSection:
    """`[portal] domains`: where the portal answers; the first is the canonical one."""

    name = "domains"
    tables = ("portal",)

    def parse(self, document: Document) -> State:
        """See Section."""
        table = document.tables.get("portal", {})
        if not isinstance(table, Mapping):
            document.wrong(("portal",), _("this is not a table"), "[portal]")
            return {}
        document.known(("portal",), table, ["domains"])
        hosts = table.get("domains")
        if not isinstance(hosts, list) or not hosts:
            document.wrong(("portal", "domains"), _("the portal has no domain"), _("a list such as [“care.example”]"))
            return {}
        for index, host in enumerate(hosts):
            try:
                HOST.parse(host, Context())
            except NotAccepted as refused:
                document.wrong(("portal", "domains", index), refused.message, refused.expected)
        if len(set(map(str, hosts))) < len(hosts):
            document.wrong(("portal", "domains"), _("a domain is named twice"), _("each domain once"))
        return {"hosts": list(hosts)}

    def verify(self, session: Session, document: Document, portal: Portal | None, wanted: State) -> None:
        """See Section."""
        taken = session.execute(select(Domain.host, Domain.portal_id).where(Domain.host.in_(wanted["hosts"])))
        for host, owner in taken:
            if portal is None or owner != portal.id:
                at = ("portal", "domains", wanted["hosts"].index(host))
                document.wrong(at, _("“%(host)s” belongs to another place", host=host), _("a domain of its own"))

    def read(self, session: Session, portal: Portal) -> State:
        """See Section."""
        rows = session.scalars(
            select(Domain.host).where(Domain.portal_id == portal.id).order_by(Domain.canonical.desc(), Domain.host)
        )
        return {"hosts": list(rows)}

    def write(self, session: Session, actor: Actor, portal: Portal, wanted: State) -> None:
        """See Section."""
        session.execute(delete(Domain).where(Domain.portal_id == portal.id))
        session.add_all(
            Domain(host=host, place="portal", portal_id=portal.id, canonical=index == 0)
            for index, host in enumerate(wanted["hosts"])
        )
        session.flush()

    def dump(self, file: PortalFile, before: State, after: State) -> None:
        """See Section."""
        if before != after:
            if "portal" not in file.toml:
                file.toml["portal"] = table_of({})
            plain = {"domains": before["hosts"]} if before else {}
            update_table(file.toml["portal"], plain, {"domains": after["hosts"]})


class SettingsSection:
    """Every table that is a group of settings."""

    name = "settings"

    def __init__(self, catalogue: Catalogue, guards: Iterable[Guard] = ()) -> None:
        """Read by `catalogue`; `guards` may forbid changes."""
        self._catalogue = catalogue
        self._guards = tuple(guards)
        self.tables = catalogue.groups

    def parse(self, document: Document) -> State:
        """See Section; also tells the document its currency and languages."""
        tables = {name: table for name, table in document.tables.items() if name in self.tables}
        document.context = self._context(tables)
        values, problems = self._catalogue.parse(tables, document.context)
        missing = {problem.path[:2] for problem in problems}
        problems += [
            problem
            for problem in self._catalogue.check(Settings(values), document.context)
            if problem.path[:2] not in missing
        ]
        for problem in problems:
            document.report(problem)
        return values

    def _context(self, tables: Mapping[str, Any]) -> Context:
        """Read currency and languages first, because other settings are read with them."""
        wanted = {"money": {"currency"}, "language": {"locales"}}
        early = {
            group: {name: value for name, value in tables[group].items() if name in names}
            for group, names in wanted.items()
            if isinstance(tables.get(group), Mapping)
        }
        values, _problems = self._catalogue.parse(early, Context())
        settings = Settings(values)
        return Context(settings.find(CURRENCY), settings.get(LOCALES))

    def verify(self, session: Session, document: Document, portal: Portal | None, wanted: State) -> None:
        """See Section: the checks again over the network's defaults, and what history forbids."""
        network = {row.key: row.value for row in session.execute(select(NetworkSetting.key, NetworkSetting.value))}
        after = Settings(wanted, network)
        for problem in self._catalogue.check(after, document.context):
            document.report(problem)
        if portal is not None:
            before = Settings(self.read(session, portal), network)
            for guard in self._guards:
                for problem in guard(session, portal, before, after):
                    document.report(problem)

    def read(self, session: Session, portal: Portal) -> State:
        """See Section."""
        rows = session.execute(
            select(PortalSetting.key, PortalSetting.value).where(PortalSetting.portal_id == portal.id)
        )
        stored = {row.key: row.value for row in rows}
        return {setting.key: stored[setting.key] for setting in self._catalogue if setting.key in stored}

    def write(self, session: Session, actor: Actor, portal: Portal, wanted: State) -> None:
        """See Section: absent settings are inherited from now on."""
        stored = {
            row.key: row for row in session.scalars(select(PortalSetting).where(PortalSetting.portal_id == portal.id))
        }
        for key in stored.keys() - wanted.keys():
            session.delete(stored[key])
        for key, value in wanted.items():
            if key not in stored:
                session.add(PortalSetting(portal_id=portal.id, key=key, value=value))
            elif stored[key].value != value:
                stored[key].value = value
        portal.name = Settings(wanted).get(BRAND_NAME)
        session.flush()

    def dump(self, file: PortalFile, before: State, after: State) -> None:
        """See Section; also tells the file its currency and languages."""
        settings = Settings(after)
        file.context = Context(settings.find(CURRENCY), settings.get(LOCALES))
        earlier = Settings(before)
        file.context_before = Context(earlier.find(CURRENCY), earlier.get(LOCALES))
        old, new = self._plain(before, file.context_before), self._plain(after, file.context)
        for group in self.tables:
            if old.get(group, {}) == new.get(group, {}):
                continue
            if group not in file.toml:
                file.toml[group] = table_of({})
            update_table(file.toml[group], old.get(group, {}), new.get(group, {}))
            if not file.toml[group]:
                del file.toml[group]

    def _plain(self, values: State, context: Context) -> dict[str, dict[str, Any]]:
        tables: dict[str, dict[str, Any]] = {}
        for key, stored in values.items():
            kind = self._catalogue[key].kind
            group, _dot, name = key.partition(".")
            tables.setdefault(group, {})[name] = kind.dump(kind.load(stored), context)
        return tables
