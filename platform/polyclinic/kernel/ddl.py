"""What migrations say about access: row-level security, grants, and one simple predicate per role and table.

A migration calls ``protect(table)`` and then ``allow(role, table, commands, using)``. Commands without a grant are
impossible; rows outside the predicate do not exist. Roles carry the installation's prefix, which Alembic's environment
puts into ``config.attributes["role_prefix"]``.
"""

from __future__ import annotations

from alembic import context, op

from polyclinic.kernel.roles import ROLES

#: Predicates over the ids of the scope (kernel/scope.py). Unset ids are empty strings; nullif makes them match nothing.
PORTAL = "portal_id = nullif(current_setting('app.portal', true), '')::uuid"
PATIENT = "patient_id = nullif(current_setting('app.patient', true), '')::uuid"
SPECIALIST = "specialist_id = nullif(current_setting('app.specialist', true), '')::uuid"
CALENDAR = "specialist_id = nullif(current_setting('app.calendar', true), '')::uuid"
GUEST = "guest = nullif(current_setting('app.guest', true), '')"
ADDRESS = "address = nullif(current_setting('app.address', true), '')"
PORTALS = "portal_id = ANY (string_to_array(nullif(current_setting('app.portals', true), ''), ',')::uuid[])"
#: The patients of a specialist: an InitPlan over the primary key, so it grows with the specialist, not the network.
MY_PATIENTS = (
    "{column} = ANY (ARRAY(SELECT patient_id FROM allocation"
    " WHERE specialist_id = nullif(current_setting('app.specialist', true), '')::uuid))"
)
#: The portals that list a specialist.
MY_PORTALS = (
    "portal_id = ANY (ARRAY(SELECT portal_id FROM listing"
    " WHERE specialist_id = nullif(current_setting('app.specialist', true), '')::uuid))"
)
EVERYTHING = "true"


def role(name: str) -> str:
    """Return the name that database role ``name`` has in this installation, quoted."""
    prefix: str = context.config.attributes["role_prefix"]
    return f'"{prefix}_{name}"'


def every_role() -> str:
    """Return all application roles as a list for GRANT and policies."""
    return ", ".join(role(name) for name in ROLES)


def protect(table: str) -> None:
    """Enable and force row-level security: without a policy nobody sees a row, the owner included."""
    op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')


def allow(name: str, table: str, commands: str, using: str = EVERYTHING, check: str | None = None) -> None:
    """Grant ``commands`` ("SELECT, UPDATE (name)") on a table to a role, for the rows of ``using`` only.

    ``check`` is what written rows must satisfy; it is ``using`` unless said otherwise.
    """
    op.execute(f'GRANT {commands} ON "{table}" TO {role(name)}')
    op.execute(
        f'CREATE POLICY "{table}_{name}" ON "{table}" FOR ALL TO {role(name)}'
        f" USING ({using}) WITH CHECK ({check or using})"
    )


def allow_select(name: str, table: str, using: str) -> None:
    """Add a second policy for reading alone, beside the one of ``allow``."""
    op.execute(f'GRANT SELECT ON "{table}" TO {role(name)}')
    op.execute(f'CREATE POLICY "{table}_{name}_read" ON "{table}" FOR SELECT TO {role(name)} USING ({using})')


def grant(name: str, table: str, commands: str) -> None:
    """Grant commands on a table of the network class, which has no row-level security."""
    op.execute(f'GRANT {commands} ON "{table}" TO {role(name)}')
