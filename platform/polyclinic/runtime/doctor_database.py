"""Look over an installation's database and queue: roles, policies, clock, schema (I1)."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial

import psycopg
import redis
from sqlalchemy import create_engine, select
from sqlalchemy.exc import DBAPIError

from polyclinic.config import Settings
from polyclinic.kernel.clock import AppClock
from polyclinic.kernel.roles import ROLES
from polyclinic.kernel.scope import Scope, bind_roles, open_session
from polyclinic.runtime.findings import Finding, judged, note, ok, wrong
from polyclinic.runtime.schema import plain, schema_state
from polyclinic.runtime.trouble import Trouble

Connection = psycopg.Connection[tuple[object, ...]]
PROTECTED = ("tenant", "own", "shared")


def look_at_database(settings: Settings, classes: Mapping[str, str]) -> Iterator[Finding]:
    """Everything an installation needs of its servers; `classes` gives the tenancy class of each table."""
    try:
        connection = psycopg.connect(plain(settings.database_url), connect_timeout=5, autocommit=True)
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[-1]
        yield wrong("Login", f"the database of DATABASE_URL does not let us in: {said}. Is it running?")
        yield from judged("Redis", lambda: _redis(settings))
        return
    with connection:
        checks: tuple[tuple[str, Callable[[Connection, Settings], str]], ...] = (
            ("Server", _server),
            ("Login", _login),
            ("Roles", _roles),
            ("Extension", _extension),
        )
        for title, check in checks:
            yield from judged(title, partial(check, connection, settings))
        yield from judged("Policies", lambda: _policies(connection, classes))
    yield from judged("Clock", lambda: _clock(settings))
    yield _schema(settings)
    yield from judged("Redis", lambda: _redis(settings))


def _server(connection: Connection, settings: Settings) -> str:
    version = connection.info.server_version
    if version < 160000:
        raise Trouble(f"PostgreSQL {version // 10000} is too old: 16 or newer is needed")
    return f"PostgreSQL {version // 10000}.{version % 10000}"


def _login(connection: Connection, settings: Settings) -> str:
    """I1: demo, tests and production use the same roles, and none of them is above the policies."""
    rights = connection.execute(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolname = ("
        "  SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()),"
        " EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid)"
        " FROM pg_roles WHERE rolname = session_user"
    ).fetchone()
    name, *held = rights or ("", False)
    words = ("is a superuser", "bypasses policies", "may create roles", "owns the database", "owns tables")
    found = [word for word, has in zip(words, held, strict=False) if has]
    if found:
        expected = f"{settings.role_prefix}_login"
        raise Trouble(f"'{name}' {', '.join(found)}: connect as '{expected}', made by `polyclinic db init`")
    return f"'{name}' owns nothing and bypasses nothing"


def _roles(connection: Connection, settings: Settings) -> str:
    found = connection.execute(
        "SELECT role.rolname, given.inherit_option, given.set_option FROM pg_auth_members given"
        " JOIN pg_roles role ON role.oid = given.roleid JOIN pg_roles member ON member.oid = given.member"
        " WHERE member.rolname = session_user"
    ).fetchall()
    given = {str(name): (inherit, may_set) for name, inherit, may_set in found}
    bad = [name for role in ROLES if given.get(name := f"{settings.role_prefix}_{role}") != (False, True)]
    if bad:
        raise Trouble(f"{', '.join(bad)} missing or granted wrongly: run `polyclinic db init`")
    return f"all {len(ROLES)} working roles can be taken, none is inherited"


def _extension(connection: Connection, settings: Settings) -> str:
    if not connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'btree_gist'").fetchone():
        raise Trouble("btree_gist is missing, so double bookings are not kept out: run `polyclinic db init`")
    return "btree_gist is there"


def _policies(connection: Connection, classes: Mapping[str, str]) -> str:
    rows = connection.execute(
        "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    ).fetchall()
    forced = {str(name): bool(is_forced) for name, is_forced in rows}
    wanted = sorted(name for name, kind in classes.items() if kind in PROTECTED)
    missing = [name for name in wanted if name not in forced]
    if missing:
        raise Trouble(f"{len(missing)} tables are missing ({', '.join(missing[:3])} …): run `polyclinic db upgrade`")
    bare = [name for name in wanted if not forced[name]]
    if bare:
        raise Trouble(f"row-level security is not forced on {', '.join(bare)}: restore a backup of the schema")
    return f"row-level security is forced on all {len(wanted)} tables that need it"


def _clock(settings: Settings) -> str:
    engine = bind_roles(create_engine(settings.database_url), settings.role_prefix)
    try:
        with open_session(engine, Scope("job")) as session:
            offset = session.execute(select(AppClock.offset)).scalar_one()
    except DBAPIError as error:
        raise Trouble("the application's clock cannot be read: run `polyclinic db upgrade`") from error
    finally:
        engine.dispose()
    if settings.production and offset != timedelta(0):
        raise Trouble(f"moved by {offset}, which production forbids: set app_clock's offset to 0 as the owner")
    return "at real time" if offset == timedelta(0) else f"moved by {offset}, as a demonstration may"


def _schema(settings: Settings) -> Finding:
    if settings.owner_database_url is None:
        return note("Schema", "not checked: set OWNER_DATABASE_URL to have it compared with this version")
    try:
        state = schema_state(settings.owner_database_url)
    except psycopg.Error as error:
        return wrong("Schema", f"the owner cannot read it: {str(error).strip().splitlines()[-1]}")
    if state.up_to_date:
        return ok("Schema", "at this version")
    return wrong("Schema", f"at {', '.join(state.current) or 'nothing'}: run `polyclinic db upgrade`")


def _redis(settings: Settings) -> str:
    client = redis.Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=5)
    try:
        about = client.info()
        policy = client.config_get("maxmemory-policy")["maxmemory-policy"]
    except redis.RedisError as error:
        raise Trouble(f"the server of REDIS_URL does not answer: {error}. Is it running?") from error
    finally:
        client.close()
    if policy != "noeviction":
        raise Trouble(f"it drops jobs when full (maxmemory-policy {policy}): set maxmemory-policy noeviction")
    return f"{about.get('server_name', 'redis')} {about.get('valkey_version', about.get('redis_version'))} answers"
