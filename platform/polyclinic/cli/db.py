"""`polyclinic db`: the installation's roles and database, its schema, and whether both are right."""

import os
import secrets
from urllib.parse import unquote, urlsplit

import click

from polyclinic.cli._environment import environment
from polyclinic.config import ConfigError, Reader
from polyclinic.runtime.cluster import Account, Installation, prepare_cluster
from polyclinic.runtime.schema import plain, schema_state, upgrade
from polyclinic.runtime.trouble import Trouble


@click.group()
def db() -> None:
    """Make, migrate and check the database."""


@db.command()
@click.option("--admin-url", envvar="ADMIN_DATABASE_URL", required=True, help="Of a role that may create roles.")
@click.option("--database", default="polyclinic", show_default=True, help="The database to make.")
def init(admin_url: str, database: str) -> None:
    """Make or repair the installation's roles and database on a server of your own.

    Names and passwords are taken from DATABASE_URL and OWNER_DATABASE_URL where these are set; otherwise passwords are
    generated and both addresses are printed, once, for you to keep.
    """
    reader = Reader({**os.environ, "ADMIN_DATABASE_URL": admin_url})
    admin = reader.database("ADMIN_DATABASE_URL", required=True) or ""
    prefix = reader.role_prefix()
    wanted = {"login": reader.database("DATABASE_URL"), "owner": reader.database("OWNER_DATABASE_URL")}
    if reader.problems:
        raise ConfigError(reader.problems)
    names = {urlsplit(url).path.strip("/") for url in wanted.values() if url} or {database}
    if len(names) > 1:
        raise Trouble("DATABASE_URL and OWNER_DATABASE_URL name different databases.")
    accounts = {kind: _account(kind, url, prefix) for kind, url in wanted.items()}
    installation = Installation(names.pop(), prefix, accounts["owner"], accounts["login"])
    prepare_cluster(plain(admin), installation)
    click.echo(f"Roles {prefix}_… and database {installation.database} are ready.")
    for name, kind in (("DATABASE_URL", "login"), ("OWNER_DATABASE_URL", "owner")):
        if wanted[kind] is None:
            click.echo(f"{name}={_address(admin, accounts[kind], installation.database)}")


@db.command(name="upgrade")
def upgrade_() -> None:
    """Bring the schema to this version, as the owner."""
    url, prefix = _owner()
    before = upgrade(url, prefix)
    click.echo("The schema was current." if before.up_to_date else "The schema is at this version now.")


@db.command()
def check() -> None:
    """Say whether the schema is at this version; exit code 1 where it is not."""
    url, _prefix = _owner()
    state = schema_state(url)
    if not state.up_to_date:
        at = ", ".join(sorted(state.current)) or "nothing"
        raise Trouble(
            f"The schema is at {at}, this version needs {', '.join(sorted(state.wanted))}: polyclinic db upgrade"
        )
    click.echo("The schema is current.")


def _owner() -> tuple[str, str]:
    reader = Reader(environment())
    url, prefix = reader.database("OWNER_DATABASE_URL", required=True), reader.role_prefix()
    if reader.problems or url is None:
        raise ConfigError(reader.problems)
    return url, prefix


def _account(kind: str, url: str | None, prefix: str) -> Account:
    name = f"{prefix}_{kind}"
    if url is None:
        return Account(name, secrets.token_urlsafe(32))
    parts = urlsplit(url)
    if parts.username != name or not parts.password:
        raise Trouble(
            f"{'DATABASE_URL' if kind == 'login' else 'OWNER_DATABASE_URL'} connects as '{parts.username}'; expected "
            f"'{name}' with a password (POLYCLINIC_ROLE_PREFIX is '{prefix}')."
        )
    return Account(name, unquote(parts.password))


def _address(admin: str, account: Account, database: str) -> str:
    parts = urlsplit(admin)
    host = parts.netloc.rpartition("@")[2]
    query = f"?{parts.query}" if parts.query else ""
    return f"postgresql://{account.name}:{account.password}@{host}/{database}{query}"
