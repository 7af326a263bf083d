"""Bringing a test database to the current schema."""

from alembic import command
from alembic.config import Config

from polyclinic.resources import shipped


def alembic_config(owner_url: str, prefix: str = "polyclinic") -> Config:
    """Alembic's configuration as `polyclinic db upgrade` makes it."""
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")))
    config.set_main_option("path_separator", "os")
    config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    config.attributes["role_prefix"] = prefix
    return config


def migrate(owner_url: str) -> None:
    """Upgrade to the newest revision."""
    command.upgrade(alembic_config(owner_url), "head")
