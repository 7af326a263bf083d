"""I1–I3: what each role sees and may write, over all tables; and that the tests would notice a missing policy."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from polyclinic.kernel.models import Base
from polyclinic.kernel.scope import Scope
from polyclinic.models import load_models
from support.cast import Cast
from support.populated import populate
from support.scopes import PREFIX, assume, scopes_of, undone

load_models()
TABLES = {table.name: table for table in Base.metadata.sorted_tables}

#: Policies that are true by design: whole-network operators, the door before anybody is known, jobs and the relay that
#: serve everybody, journals that accept what their writers say.
TRUE_BY_DESIGN = (
    {"network", "relay"}
    | {
        f"{table}_{role}"
        for table in ("outbox", "due", "audit_event")
        for role in ("door", "specialist", "lead", "job", "relay", "network", "operator")
    }
    | {"specialist_door", "specialist_job", "specialist_operator", "operator_door", "operator_job"}
    | {
        "specialist_profile_operator",
        "hold_job",
        "enquiry_door",
        "delivery_job",
        "external_reference_job",
        "provider_account_job",
        "webhook_event_job",
    }
)


@pytest.fixture
def populated(cast: Cast, owner: Engine) -> Cast:
    """The cast with a history on Alpha and on Beta."""
    populate(owner, cast)
    return cast


def readable(connection: Connection, role: str) -> set[str]:
    """Tables that a role may read."""
    query = text(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND has_table_privilege(:role, oid, 'SELECT')"
    )
    return set(connection.execute(query, {"role": f"{PREFIX}_{role}"}).scalars()) & set(TABLES)


def rows(connection: Connection, table: str) -> list[dict[str, Any]]:
    """Every row of a table that the current role sees."""
    return [dict(row) for row in connection.execute(TABLES[table].select()).mappings()]


def foreign(table: str, row: dict[str, Any], role: str, cast: Cast) -> bool:
    """Whether a row of Alpha's world was not for this role to see."""
    portal = row.get("portal_id")
    if role in ("visitor", "patient", "door", "job", "operator") and portal not in (None, cast.alpha.id):
        return True
    if role == "patient" and table != "listing" and row.get("patient_id") not in (None, cast.alpha.patient.id):
        return True
    if role == "patient" and table == "patient":
        return bool(row["id"] != cast.alpha.patient.id)
    if role == "visitor" and table == "hold":
        return row["guest"] is None and row["address"] != "address-of-alpha"
    if role == "specialist":
        if table == "patient":
            return bool(row["id"] != cast.alpha.patient.id)
        if table == "specialist":
            return bool(row["id"] != cast.ada.id)
        if portal not in (None, cast.alpha.id):
            return True
        return row.get("specialist_id") not in (None, cast.ada.id)
    return False


@pytest.mark.parametrize("role", ["door", "visitor", "patient", "specialist", "operator", "job"])
def test_a_query_that_forgets_its_filter_returns_nothing_of_another_tenant(
    populated: Cast, owner: Engine, role: str
) -> None:
    """I1, I3: SELECT without WHERE over every readable table, with the own rows as control."""
    scope = scopes_of(populated)[role]
    with undone(owner) as connection:
        tables = readable(connection, role)
        assume(connection, scope)
        seen = {table: rows(connection, table) for table in sorted(tables)}
    strangers = {
        table: [row for row in found if foreign(table, row, role, populated)]
        for table, found in seen.items()
        if table not in ("portal", "domain")
        and f"{table}_{role}" not in TRUE_BY_DESIGN
        and not (role == "door" and TABLES[table].info["tenancy"] == "network")
    }
    assert {table: found for table, found in strangers.items() if found} == {}
    own = {
        "visitor": {"listing", "service", "published_profile", "agreement", "hold", "next_free", "page"},
        "patient": {
            "patient",
            "appointment",
            "allocation",
            "consent",
            "hold",
            "service",
            "charge",
            "payment",
            "refund",
        },
        "specialist": {
            "patient",
            "appointment",
            "allocation",
            "listing",
            "time_off",
            "service",
            "charge",
            "ledger_entry",
        },
        "operator": {"patient", "appointment", "allocation", "audit_event", "portal_setting"},
        "job": {"patient", "appointment", "allocation", "consent", "payment", "ledger_posting"},
        "door": {"patient", "portal_setting", "credential", "sign_in"},
    }[role]
    assert {table for table in own if not seen[table]} == set(), "the control must see its own"


@pytest.mark.parametrize("role", ["door", "visitor", "patient", "specialist", "operator", "lead", "job", "relay"])
def test_without_ids_a_role_sees_no_tenants_row(populated: Cast, owner: Engine, role: str) -> None:
    """I1: unset ids match nothing; nobody gets everything by forgetting to say who they are."""
    with undone(owner) as connection:
        tables = {
            table
            for table in readable(connection, role)
            if TABLES[table].info["tenancy"] in ("tenant", "own", "shared") and f"{table}_{role}" not in TRUE_BY_DESIGN
        }
        assume(connection, Scope(role))  # type: ignore[arg-type]  # parametrized over the literals
        assert {table: len(rows(connection, table)) for table in tables if rows(connection, table)} == {}


def test_a_calendar_is_closed_until_it_is_opened(populated: Cast, owner: Engine) -> None:
    """C4: under Ada's calendar a portal sees Ada's claims and nobody else's, whichever portal wrote them."""
    scope = scopes_of(populated)["patient"]
    with undone(owner) as connection:
        assume(connection, scope)
        assert rows(connection, "claim") == []
        assume(connection, scope, calendar=populated.ada.id)
        assert {row["specialist_id"] for row in rows(connection, "claim")} == {populated.ada.id}
        assert {row["specialist_id"] for row in rows(connection, "time_off")} == {populated.ada.id}


@pytest.mark.parametrize("table", ["appointment", "allocation", "hold"])
def test_a_patient_cannot_move_a_row_to_somebody_else(populated: Cast, owner: Engine, table: str) -> None:
    """I1: WITH CHECK refuses rows that would leave the scope."""
    for column, value in (("portal_id", populated.beta.id), ("patient_id", populated.alpha.other_patient.id)):
        with undone(owner) as connection:
            assume(connection, scopes_of(populated)["patient"])
            with pytest.raises(ProgrammingError, match="row-level security"):
                connection.execute(TABLES[table].update().values({column: value}))


def test_composite_keys_refuse_another_tenants_patient(populated: Cast, owner: Engine) -> None:
    """A plain foreign key would accept Beta's patient on Alpha."""
    with undone(owner) as connection, pytest.raises(IntegrityError, match="fk_allocation_portal_id_patient_id"):
        connection.execute(
            TABLES["allocation"]
            .insert()
            .values(
                id=uuid.uuid4(),
                portal_id=populated.alpha.id,
                patient_id=populated.beta.patient.id,
                specialist_id=populated.sam.id,
                source="browse",
            )
        )


def policies(owner: Engine) -> list[tuple[str, str, str, str]]:
    """(table, policy, role, command) of every policy."""
    query = text(
        "SELECT c.relname, p.polname, pg_get_userbyid(p.polroles[1]), p.polcmd::text FROM pg_policy p"
        " JOIN pg_class c ON c.oid = p.polrelid ORDER BY 1, 2"
    )
    with owner.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]  # type: ignore[misc]  # four columns


def sees_or_writes(connection: Connection, table: str, role: str, cast: Cast) -> int:
    """What a probe of Alpha's scope reaches: rows read, or a foreign row written where it may only write."""
    assume(connection, scopes_of(cast)[role])
    if _may(connection, table, "SELECT"):
        return int(connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one())
    connection.execute(text("SAVEPOINT probe"))
    try:
        connection.execute(_foreign_row(table, cast))
    except ProgrammingError:
        connection.execute(text("ROLLBACK TO probe"))
        return 0
    return 1


def _may(connection: Connection, table: str, privilege: str) -> bool:
    query = text("SELECT has_table_privilege(:table, :privilege)")
    return bool(connection.execute(query, {"table": table, "privilege": privilege}).scalar_one())


def _foreign_row(table: str, cast: Cast) -> Any:
    beta = cast.beta
    values: dict[str, Any] = {
        "outbox": {"kind": "x", "payload": {}, "portal_id": beta.id},
        "due": {"kind": "x", "subject_id": beta.id, "at": text("app_now()"), "portal_id": beta.id},
        "audit_event": {
            "actor_kind": "x",
            "action": "x",
            "subject_kind": "x",
            "subject_id": "x",
            "detail": {},
            "portal_id": beta.id,
        },
        "consent": {
            "id": uuid.uuid4(),
            "portal_id": beta.id,
            "patient_id": beta.patient.id,
            "agreement_id": beta.agreement,
            "version_id": beta.version,
            "hash": b"x",
            "answer": "given",
            "how": "x",
        },
        "webhook_event": {
            "id": uuid.uuid4(),
            "provider": "x",
            "event_id": "x",
            "endpoint": "x",
            "kind": "x",
            "account": "",
            "external_ids": [],
            "named": {},
            "state": "received",
            "portal_id": beta.id,
        },
        "external_reference": {
            "provider": "x",
            "account": "",
            "external_id": "x",
            "portal_id": beta.id,
            "cause_kind": "payment",
            "cause_id": beta.id,
        },
        "contact_message": {
            "id": uuid.uuid4(),
            "portal_id": beta.id,
            "name": "x",
            "email": "x",
            "topic": "other",
            "body": "x",
            "locale": "en",
        },
    }[table]
    return TABLES[table].insert().inline().values(values)


def test_each_policy_opened_wide_is_noticed(populated: Cast, owner: Engine) -> None:
    """I1: every policy in turn replaced by USING (true) WITH CHECK (true): its probe must reach more than before."""
    unnoticed = []
    for table, policy, owner_role, command in policies(owner):
        role = owner_role.removeprefix(f"{PREFIX}_")
        if role in TRUE_BY_DESIGN or policy in TRUE_BY_DESIGN:
            continue
        with undone(owner) as connection:
            before = sees_or_writes(connection, table, role, populated)
        with undone(owner) as connection:
            check = "" if command == "r" else " WITH CHECK (true)"
            connection.execute(text(f'ALTER POLICY "{policy}" ON "{table}" USING (true){check}'))
            if sees_or_writes(connection, table, role, populated) <= before:
                unnoticed.append(policy)
    assert unnoticed == []


def test_row_level_security_switched_off_is_noticed(populated: Cast, owner: Engine) -> None:
    """I1: RLS disabled on one table after the other: some role must reach more than before."""
    unnoticed = []
    for table in sorted({table for table, _policy, _role, _command in policies(owner)}):
        roles = [
            owner_role.removeprefix(f"{PREFIX}_")
            for name, policy, owner_role, _command in policies(owner)
            if name == table
            and owner_role.removeprefix(f"{PREFIX}_") not in TRUE_BY_DESIGN | {"network"}
            and policy not in TRUE_BY_DESIGN
        ]
        noticed = False
        for role in roles:
            with undone(owner) as connection:
                before = sees_or_writes(connection, table, role, populated)
            with undone(owner) as connection:
                connection.execute(text(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY'))
                noticed = noticed or sees_or_writes(connection, table, role, populated) > before
        if roles and not noticed:
            unnoticed.append(table)
    assert unnoticed == []
