"""What the measurements stand on: a throwaway server with the production roles, and networks of any size in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, text

from polyclinic.kernel.scope import bind_roles
from polyclinic.resources import shipped
from polyclinic.runtime.throwaway import throwaway_servers

PREFIX = "bench"
#: Minutes of the day at which everybody is open, Monday to Friday, in UTC: what plain SQL can compute too.
OPENS, CLOSES = 9 * 60, 17 * 60


@dataclass(frozen=True)
class Ground:
    """A migrated database: the superuser's engine for set-up, the login role's for what is measured."""

    owner: Engine
    login: Engine
    redis_url: str


@contextmanager
def ground(connections: int = 64) -> Iterator[Ground]:
    """Start servers, migrate, and stop them at the end."""
    with throwaway_servers() as servers:
        postgres = servers.postgres
        installation = postgres.prepare("bench", PREFIX)
        config = Config()
        config.set_main_option("script_location", str(shipped("migrations")))
        config.set_main_option("path_separator", "os")
        config.set_main_option("sqlalchemy.url", postgres.url("bench", installation.owner.name).replace("%", "%%"))
        config.attributes["role_prefix"] = PREFIX
        command.upgrade(config, "head")
        owner = create_engine(postgres.url("bench"))
        login = create_engine(
            postgres.url("bench", installation.login.name),
            pool_size=connections,
            max_overflow=0,
            connect_args={"prepare_threshold": None},
        )
        yield Ground(owner, bind_roles(login, PREFIX), servers.valkey.url)
        login.dispose()
        owner.dispose()


def fill(connection: Connection, portals: int, specialists: int, claims: int, listed_on: int = 1) -> None:
    """Write a network: specialists with weekly rules and ``claims`` visits in the next 30 days, in turn over portals.

    Specialist number n is listed on ``listed_on`` portals from n on; ids follow from numbers (``portal_id``, …).
    """
    sizes = {"portals": portals, "specialists": specialists, "claims": claims, "listed_on": listed_on}
    # The rows are consistent by construction: checking each reference would take longer than writing them.
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    constraint = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'ex_claim_during'"
    definition = connection.execute(text(constraint)).scalar_one()
    connection.execute(text("ALTER TABLE claim DROP CONSTRAINT ex_claim_during"))
    for statement in _NETWORK:
        connection.execute(text(statement), sizes)
    connection.execute(text(f"ALTER TABLE claim ADD CONSTRAINT ex_claim_during {definition}"))
    connection.execute(text("ANALYZE"))


def portal_id(number: int) -> uuid.UUID:
    """Return the id of portal ``number``, counted from 0."""
    return uuid.UUID(f"10000000-0000-4000-8000-{number:012x}")


def service_id(number: int) -> uuid.UUID:
    """Return the id of the one service of portal ``number``."""
    return uuid.UUID(f"20000000-0000-4000-8000-{number:012x}")


def specialist_id(number: int) -> uuid.UUID:
    """Return the id of specialist ``number``."""
    return uuid.UUID(f"30000000-0000-4000-8000-{number:012x}")


def _id(kind: int, number: str) -> str:
    return f"('{kind}0000000-0000-4000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


_P = "generate_series(0, CAST(:portals AS int) - 1) AS p"
_S = "generate_series(0, CAST(:specialists AS int) - 1) AS s"
_L = f"{_S}, generate_series(0, CAST(:listed_on AS int) - 1) AS k"
_ON = "(s + k) % CAST(:portals AS int)"
_NETWORK = (
    f"INSERT INTO portal (id, slug, name) SELECT {_id(1, 'p')}, 'p' || p, 'Portal ' || p FROM {_P}",
    "INSERT INTO service (id, portal_id, slug, name, summary, duration_minutes, price_minor, buffer_after_minutes)"
    f" SELECT {_id(2, 'p')}, {_id(1, 'p')}, 'visit', '{{\"en\": \"Visit\"}}', '{{}}', 50, 8000, 10 FROM {_P}",
    "INSERT INTO specialist (id, email, name, locale, zone, state)"
    f" SELECT {_id(3, 's')}, 's' || s || '@example.org', 'Specialist ' || s, 'en', 'UTC', 'approved' FROM {_S}",
    "INSERT INTO availability_rule (id, specialist_id, weekday, starts, ends, zone)"
    f" SELECT gen_random_uuid(), {_id(3, 's')}, day, '09:00', '17:00', 'UTC' FROM {_S}, generate_series(0, 4) AS day",
    "INSERT INTO listing (portal_id, specialist_id, id, state)"
    f" SELECT {_id(1, _ON)}, {_id(3, 's')}, gen_random_uuid(), 'listed' FROM {_L}",
    "INSERT INTO listing_service (portal_id, specialist_id, service_id)"
    f" SELECT {_id(1, _ON)}, {_id(3, 's')}, {_id(2, _ON)} FROM {_L}",
    "INSERT INTO published_profile (portal_id, specialist_id, listing_id, name, sort_name, title, bio, languages,"
    " categories, specializations, expertise, words, zone)"
    " SELECT portal_id, specialist_id, id, 'Specialist', md5(id::text), '{}', '{}', '[\"en\"]', '[]', '[]', '[]', '{}',"
    " 'UTC' FROM listing",
    # Every third half hour or so, never two at once: claims of one specialist do not overlap.
    "INSERT INTO claim (id, specialist_id, claim_id, during, core)"
    f" SELECT gen_random_uuid(), {_id(3, 's')}, gen_random_uuid(), tstzrange(at, at + interval '60 min'),"
    f" tstzrange(at, at + interval '50 min') FROM {_S}, generate_series(0, CAST(:claims AS int) - 1) AS c,"
    " LATERAL (SELECT date_trunc('hour', app_now()) + c * interval '1 hour' * 720 / CAST(:claims AS int) AS raw) AS r,"
    " LATERAL (SELECT date_trunc('hour', raw) + CASE WHEN (c + s) % 2 = 0 THEN interval '0' ELSE interval '30 min' END"
    " AS at) AS a WHERE CAST(:claims AS int) > 0",
)
