"""Make an installation's roles and its database (I1): idempotent, on the embedded server or on any other.

Roles belong to the whole server, so they carry the installation's prefix and are made here, not by Alembic. The login
role owns nothing and holds nothing: each transaction says which of the working roles it acts as.
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from polyclinic.kernel.roles import ROLES
from polyclinic.runtime.trouble import Trouble

LEAST_VERSION = 160000
"""GRANT … WITH INHERIT FALSE, SET TRUE came with PostgreSQL 16."""

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True)
class Account:
    """A role that can connect, and its password."""

    name: str
    password: str


@dataclass(frozen=True)
class Installation:
    """What to make: the database, its owner, the application's login."""

    database: str
    prefix: str
    owner: Account
    login: Account

    def role(self, name: str) -> str:
        """A working role's name on the server."""
        return f"{self.prefix}_{name}"


def prepare_cluster(admin_conninfo: str, installation: Installation) -> None:
    """Make or repair roles, database, extension and rights, as an administrator of the server."""
    with _connect(admin_conninfo) as connection:
        _check_version(connection)
        _make_roles(connection, installation)
        _make_database(connection, installation)
    with _connect(make_conninfo(admin_conninfo, dbname=installation.database)) as connection:
        _make_extension(connection)
        _set_rights(connection, installation)


def _connect(conninfo: str) -> Connection:
    try:
        return psycopg.connect(conninfo, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise Trouble(f"The database server does not let the administrator in: {str(error).strip()}") from error


def _check_version(connection: Connection) -> None:
    if connection.info.server_version < LEAST_VERSION:
        found = connection.info.server_version // 10000
        raise Trouble(f"The database server is PostgreSQL {found}; Polyclinic needs 16 or newer.")


def _make_roles(connection: Connection, installation: Installation) -> None:
    known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
    for role in map(installation.role, ROLES):
        _make_role(connection, role, "NOLOGIN", role in known)
    for account in (installation.owner, installation.login):
        _make_role(connection, account.name, "LOGIN", account.name in known)
        _set_password(connection, account)
    login = sql.Identifier(installation.login.name)
    for role in map(installation.role, ROLES):
        connection.execute(
            sql.SQL("GRANT {} TO {} WITH ADMIN FALSE, INHERIT FALSE, SET TRUE").format(sql.Identifier(role), login)
        )
    for setting, value in (("lock_timeout", "2s"), ("idle_in_transaction_session_timeout", "60s")):
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(login, sql.Identifier(setting), sql.Literal(value))
        )


def _make_role(connection: Connection, name: str, login: str, known: bool) -> None:
    verb = "ALTER" if known else "CREATE"
    rights = "NOCREATEDB NOCREATEROLE NOINHERIT"
    statement = sql.SQL(f"{verb} ROLE {{}} {login} {rights}")  # fixed words only
    connection.execute(statement.format(sql.Identifier(name)))
    risky = "SELECT rolsuper OR rolbypassrls OR rolreplication FROM pg_roles WHERE rolname = %s"
    if connection.execute(risky, [name]).fetchone() == (True,):
        connection.execute(sql.SQL("ALTER ROLE {} NOSUPERUSER NOBYPASSRLS NOREPLICATION").format(sql.Identifier(name)))


def _set_password(connection: Connection, account: Account) -> None:
    # Hashed here, so that no log of the server ever holds it.
    hashed = connection.pgconn.encrypt_password(account.password.encode(), account.name.encode(), b"scram-sha-256")
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(account.name), sql.Literal(hashed.decode())))


def _make_database(connection: Connection, installation: Installation) -> None:
    name, owner = sql.Identifier(installation.database), sql.Identifier(installation.owner.name)
    known = "SELECT 1 FROM pg_database WHERE datname = %s"
    if not connection.execute(known, [installation.database]).fetchone():
        # A non-superuser administrator may give a database away only to a role it can become.
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(name, owner)
        )
    connection.execute(sql.SQL("ALTER DATABASE {} SET timezone = 'UTC'").format(name))


def _make_extension(connection: Connection) -> None:
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    except psycopg.Error as error:
        raise Trouble(
            "The database server has no extension btree_gist, which keeps double bookings out "
            f"({str(error).splitlines()[0]}). Install PostgreSQL's contrib package and run this again."
        ) from error


def _set_rights(connection: Connection, installation: Installation) -> None:
    database, login = sql.Identifier(installation.database), sql.Identifier(installation.login.name)
    for statement in (
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database),
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, login),
        sql.SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC"),
    ):
        connection.execute(statement)
