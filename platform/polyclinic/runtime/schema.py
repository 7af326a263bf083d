"""Bring a database to this version's schema with Alembic, as the owner role, and say where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from polyclinic.kernel.later import Later
from polyclinic.resources import shipped
from polyclinic.runtime.trouble import Trouble

if TYPE_CHECKING:
    import sqlalchemy.exc
    from alembic import command, config, util
else:  # most starts find a schema that is current: 0.3 s
    command, config, util = Later("alembic.command"), Later("alembic.config"), Later("alembic.util")
    sqlalchemy = Later("sqlalchemy")

_REVISION = re.compile(r"""^revision(?:: str)? = ["'](\w+)["']$""", re.MULTILINE)
_DOWN = re.compile(r"""^down_revision(?:: [^=]+)? = (?:["'](\w+)["']|None)$""", re.MULTILINE)


@dataclass(frozen=True)
class SchemaState:
    """The revisions a database is at, and those it should be at."""

    current: frozenset[str]
    wanted: frozenset[str]

    @property
    def up_to_date(self) -> bool:
        """Whether nothing is left to do."""
        return self.current == self.wanted


def migrations(owner_url: str, role_prefix: str) -> config.Config:
    """Alembic's configuration for one database."""
    found = config.Config()
    found.set_main_option("script_location", str(shipped("migrations")))
    found.set_main_option("path_separator", "os")
    found.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    found.attributes["role_prefix"] = role_prefix
    return found


def heads(folder: Path) -> frozenset[str]:
    """The newest revisions of a folder of migrations, read from their texts as Alembic writes them."""
    texts = [file.read_text(encoding="utf-8") for file in sorted((folder / "versions").glob("*.py"))]
    known = {match[1] for text in texts for match in _REVISION.finditer(text)}
    left = {match[1] for text in texts for match in _DOWN.finditer(text) if match[1]}
    return frozenset(known - left)


def schema_state(url: str) -> SchemaState:
    """Where a database stands; any role that may connect and read alembic_version will do."""
    with psycopg.connect(plain(url), connect_timeout=10) as connection:
        if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
            current: frozenset[str] = frozenset()
        else:
            rows = connection.execute("SELECT version_num FROM public.alembic_version")
            current = frozenset(str(revision) for (revision,) in rows)
    return SchemaState(current, heads(shipped("migrations")))


def upgrade(owner_url: str, role_prefix: str) -> SchemaState:
    """Run the migrations that are missing; returns where the database stood before. Raises Trouble."""
    try:
        before = schema_state(owner_url)
        if not before.up_to_date:
            command.upgrade(migrations(owner_url, role_prefix), "heads")
    except util.CommandError as error:
        raise Trouble(
            f"The database cannot be brought to this version: {error}. It may have been used by a newer version: "
            "run that one, or use another home with POLYCLINIC_HOME."
        ) from error
    except (psycopg.Error, sqlalchemy.exc.DBAPIError) as error:
        said = str(getattr(error, "orig", error)).strip().splitlines()[0]
        raise Trouble(f"A migration failed and was rolled back: {said}") from error
    return before


def plain(url: str) -> str:
    """A SQLAlchemy address as libpq understands it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
