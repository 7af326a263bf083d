"""Ground: the clock, the outbox, what falls due, the audit trail.

Revision 0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import EVERYTHING, PORTAL, PORTALS, allow, every_role, protect, role
from polyclinic.kernel.roles import ROLES

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, then say who may do what to which rows."""
    op.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {every_role()}, {role('login')}")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "app_clock",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("offset", postgresql.INTERVAL(), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_app_clock_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_app_clock")),
    )
    op.execute("INSERT INTO app_clock (\"offset\") VALUES ('0')")
    op.execute(f"GRANT SELECT ON app_clock TO {every_role()}, {role('login')}")
    # Not inlined (it holds a sub-select): queries and policies write (SELECT app_now()), which is evaluated once.
    op.execute(
        "CREATE FUNCTION app_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE"
        ' RETURN statement_timestamp() + (SELECT "offset" FROM app_clock)'
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=True),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("sign_in_id", sa.Uuid(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index("ix_audit_event_portal_id_id", "audit_event", ["portal_id", "id"], unique=False)
    op.create_index("ix_audit_event_subject", "audit_event", ["subject_kind", "subject_id"], unique=False)
    op.create_table(
        "due",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_due")),
    )
    op.create_index("ix_due_at", "due", ["at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=True),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.Column("queued_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("retry_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("done_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("failed", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_open", "outbox", ["id"], unique=False, postgresql_where=sa.text("done_at IS NULL"))
    grant_access()


def grant_access() -> None:
    """One predicate per role and table."""
    for table in ("outbox", "due", "audit_event"):
        protect(table)
    for name in ROLES:
        if name in ("visitor", "patient"):
            allow(name, "outbox", "INSERT", PORTAL)
            allow(name, "due", "INSERT", PORTAL)
            allow(name, "audit_event", "INSERT", PORTAL)
        elif name not in ("relay", "job", "operator", "network"):
            allow(name, "outbox", "INSERT")
            allow(name, "due", "INSERT")
            allow(name, "audit_event", "INSERT")
    allow("operator", "outbox", "INSERT")
    allow("operator", "due", "INSERT")
    allow("operator", "audit_event", "INSERT, SELECT", PORTALS, EVERYTHING)
    allow("network", "outbox", "INSERT, SELECT")
    allow("network", "due", "INSERT, SELECT")
    allow("network", "audit_event", "INSERT, SELECT")
    allow("relay", "outbox", "INSERT, SELECT, UPDATE, DELETE")
    allow("relay", "due", "INSERT, SELECT, UPDATE, DELETE")  # FOR UPDATE SKIP LOCKED needs it
    allow("relay", "audit_event", "INSERT")
    allow("job", "outbox", "INSERT, SELECT, UPDATE")
    allow("job", "due", "INSERT, SELECT, DELETE")
    allow("job", "audit_event", "INSERT")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("outbox")
    op.drop_table("due")
    op.drop_table("audit_event")
    op.execute("DROP FUNCTION app_now()")
    op.drop_table("app_clock")
