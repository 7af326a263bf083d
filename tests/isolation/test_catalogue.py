"""I1: every table has a class, and the database keeps what the class promises."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from polyclinic.kernel.models import Base
from polyclinic.models import load_models
from support.scopes import undone

load_models()
CLASSES = {table.name: table.info.get("tenancy") for table in Base.metadata.sorted_tables}

#: Not ours: Alembic's note of the current revision, without a grant to anybody.
FOREIGN = {"alembic_version"}
#: The one table of the network class that everybody reads.
CLOCK = "app_clock"


def relations(owner: Engine) -> dict[str, tuple[str, bool, bool, list[str]]]:
    """Name -> (kind, RLS enabled, RLS forced, options) of everything in the schema that holds rows."""
    query = text(
        "SELECT relname, relkind::text, relrowsecurity, relforcerowsecurity, coalesce(reloptions, '{}') FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')"
    )
    with owner.connect() as connection:
        return {row[0]: (row[1], row[2], row[3], list(row[4])) for row in connection.execute(query)}


def unclassified(found: set[str]) -> set[str]:
    """Relations without a tenancy class."""
    return {name for name in found - FOREIGN if CLASSES.get(name) is None}


def test_every_relation_is_classified(owner: Engine) -> None:
    """I1: a table that nobody classified fails, and so does a class without its table."""
    found = set(relations(owner))
    assert unclassified(found) == set()
    assert set(CLASSES) - found == set()


def test_an_unclassified_table_and_a_careless_view_are_noticed(owner: Engine) -> None:
    """Control: the catalogue sees what must not be there."""
    assert unclassified({"portal", "scratch"}) == {"scratch"}
    with undone(owner) as connection:
        connection.execute(text("CREATE VIEW peek AS SELECT * FROM patient"))
        row = connection.execute(text("SELECT reloptions FROM pg_class WHERE relname = 'peek'")).scalar_one()
        assert "security_invoker=true" not in (row or [])


@pytest.mark.parametrize("name", [name for name, kind in CLASSES.items() if kind in ("tenant", "own", "shared")])
def test_tenant_own_and_shared_tables_force_row_level_security(owner: Engine, name: str) -> None:
    """I1: enabled and forced, with at least one policy; views must be security_invoker."""
    kind, enabled, forced, options = relations(owner)[name]
    assert kind in ("r", "p") or "security_invoker=true" in options
    assert enabled
    assert forced
    with owner.connect() as connection:
        policies = connection.execute(
            text("SELECT count(*) FROM pg_policy WHERE polrelid = cast(:name AS regclass)"), {"name": name}
        ).scalar_one()
    assert policies > 0


@pytest.mark.parametrize(("name", "kind"), sorted(CLASSES.items()))
def test_keys_follow_the_class(name: str, kind: str) -> None:
    """Tenancy: the class decides which keys are there, and that rows meet specialists through the listing."""
    table = Base.metadata.tables[name]
    portal, specialist = table.columns.get("portal_id"), table.columns.get("specialist_id")
    targets = {
        (constraint.referred_table.name, len(constraint.columns)) for constraint in table.foreign_key_constraints
    }
    if kind == "tenant":
        assert portal is not None
        assert not portal.nullable
        assert specialist is None
    if kind == "own":
        assert portal is None
        assert specialist is not None
        assert not specialist.nullable
    if kind == "shared":
        assert portal is not None
        assert specialist is not None
        assert not portal.nullable
        assert not specialist.nullable
        if name != "listing":
            assert ("listing", 2) in targets, "reaches the specialist through the listing"
            assert "specialist" not in {target for target, _width in targets}
    if kind in ("network", "journal"):
        assert table.info["reason"], "network and journal tables say why"
    if "patient_id" in table.columns and kind in ("tenant", "shared"):
        assert ("patient", 2) in targets, "a plain foreign key accepts another tenant's patient"


def grants(owner: Engine, role: str) -> dict[str, set[str]]:
    """What a role may do to which table, column grants included."""
    query = text(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = :role"
        " UNION SELECT table_name, privilege_type FROM information_schema.role_column_grants WHERE grantee = :role"
    )
    found: dict[str, set[str]] = {}
    with owner.connect() as connection:
        for table, privilege in connection.execute(query, {"role": f"polyclinic_{role}"}):
            found.setdefault(table, set()).add(privilege)
    return found


@pytest.mark.parametrize("role", ["visitor", "patient"])
def test_visitors_and_patients_have_no_grant_on_network_tables(owner: Engine, role: str) -> None:
    """P4, I1: nothing of the network can be read in a portal, and journals are written blindly."""
    held = grants(owner, role)
    network = {name for name, kind in CLASSES.items() if kind == "network"}
    assert network & set(held) == {CLOCK}
    assert held[CLOCK] == {"SELECT"}
    for name, kind in CLASSES.items():
        if kind == "journal":
            assert held.get(name, set()) <= {"INSERT"}


def test_consents_audit_events_and_the_ledger_are_append_only(owner: Engine) -> None:
    """K2, U3, E6: no role may change or delete them."""
    for role in ("door", "visitor", "patient", "specialist", "lead", "operator", "network", "relay", "job"):
        held = grants(owner, role)
        for table in ("consent", "audit_event", "ledger_account", "ledger_entry", "ledger_posting"):
            assert held.get(table, set()) <= {"SELECT", "INSERT"}, (role, table)


def test_the_login_role_holds_nothing_but_the_clock(owner: Engine) -> None:
    """I1: neither owner nor superuser, no way around policies, no inherited rights."""
    assert grants(owner, "login") == {CLOCK: {"SELECT"}}
    with owner.connect() as connection:
        flags = connection.execute(
            text("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = 'polyclinic_login'")
        ).one()
        assert tuple(flags) == (False, False, False)
        owners = connection.execute(
            text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        assert set(owners) == {"polyclinic_owner"}
        inherited = connection.execute(
            text(
                "SELECT count(*) FROM pg_auth_members WHERE member = 'polyclinic_login'::regrole"
                " AND (inherit_option OR admin_option OR NOT set_option)"
            )
        ).scalar_one()
        assert inherited == 0


def test_no_function_runs_with_its_owners_rights(owner: Engine) -> None:
    """I1: SECURITY DEFINER would be a way around every policy."""
    query = text("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef")
    with owner.connect() as connection:
        assert connection.execute(query).scalars().all() == []


def test_every_policy_checks_what_is_written(owner: Engine) -> None:
    """I1: WITH CHECK on every policy that lets rows be written."""
    query = text("SELECT polname FROM pg_policy WHERE polcmd <> 'r' AND polwithcheck IS NULL")
    with owner.connect() as connection:
        assert connection.execute(query).scalars().all() == []
