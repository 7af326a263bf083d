"""Bring a database to this version's schema with Alembic, as the owner role, and say where it stands."""

from dataclasses import dataclass

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from polyclinic.resources import shipped
from polyclinic.runtime.trouble import Trouble


@dataclass(frozen=True)
class SchemaState:
    """The revisions a database is at, and those it should be at."""

    current: frozenset[str]
    wanted: frozenset[str]

    @property
    def up_to_date(self) -> bool:
        """Whether nothing is left to do."""
        return self.current == self.wanted


def migrations(owner_url: str, role_prefix: str) -> Config:
    """Alembic's configuration for one database."""
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")))
    config.set_main_option("path_separator", "os")
    config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    config.attributes["role_prefix"] = role_prefix
    return config


def schema_state(url: str, role_prefix: str) -> SchemaState:
    """Where a database stands; any role that may connect and read alembic_version will do."""
    script = ScriptDirectory.from_config(migrations(url, role_prefix))
    with psycopg.connect(plain(url), connect_timeout=10) as connection:
        if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
            current: frozenset[str] = frozenset()
        else:
            rows = connection.execute("SELECT version_num FROM public.alembic_version")
            current = frozenset(str(revision) for (revision,) in rows)
    return SchemaState(current, frozenset(script.get_heads()))


def upgrade(owner_url: str, role_prefix: str) -> SchemaState:
    """Run the migrations that are missing; returns where the database stood before. Raises Trouble."""
    try:
        before = schema_state(owner_url, role_prefix)
        if not before.up_to_date:
            command.upgrade(migrations(owner_url, role_prefix), "heads")
    except CommandError as error:
        raise Trouble(
            f"The database cannot be brought to this version: {error}. It may have been used by a newer version: "
            "run that one, or use another home with POLYCLINIC_HOME."
        ) from error
    except (DBAPIError, psycopg.Error) as error:
        said = str(getattr(error, "orig", error)).strip().splitlines()[0]
        raise Trouble(f"A migration failed and was rolled back: {said}") from error
    return before


def plain(url: str) -> str:
    """A SQLAlchemy address as libpq understands it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
