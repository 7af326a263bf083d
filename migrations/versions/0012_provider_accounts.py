"""Payments: specialists' accounts at payment providers, and the inbox of the providers' events.

Revision 0012, after 0011.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import PORTAL, PORTALS, SPECIALIST, allow, protect

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

#: The specialists of a portal; an InitPlan over the listing's key, so it grows with the portal, not the network.
LISTED = "specialist_id = ANY (ARRAY(SELECT specialist_id FROM listing WHERE {portal}))"


def upgrade() -> None:
    """Create the tables, then say who may do what to which rows."""
    op.create_table(
        "provider_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("ready", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("requirements", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("deadline", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("dashboard_url", sa.Text(), nullable=True),
        sa.Column("checked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint("kind IN ('merchant', 'recipient')", name=op.f("ck_provider_account_kind")),
        sa.ForeignKeyConstraint(["specialist_id"], ["specialist.id"], name=op.f("fk_provider_account_specialist_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_account")),
        sa.UniqueConstraint(
            "specialist_id", "provider", "kind", name=op.f("uq_provider_account_specialist_id_provider_kind")
        ),
    )
    op.create_table(
        "account_readiness",
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["specialist_id"], ["specialist.id"], name=op.f("fk_account_readiness_specialist_id")),
        sa.PrimaryKeyConstraint("specialist_id", "provider", "kind", name=op.f("pk_account_readiness")),
    )
    op.create_table(
        "webhook_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(), nullable=False),
        sa.Column("named", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=True),
        sa.Column(
            "received_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.Column("handled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('received', 'handled', 'unmatched', 'ignored')", name=op.f("ck_webhook_event_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_event")),
        sa.UniqueConstraint("provider", "event_id", name=op.f("uq_webhook_event_provider_event_id")),
    )
    op.create_index("ix_webhook_event_portal_id", "webhook_event", ["portal_id"], unique=False)
    op.create_index("ix_webhook_event_received_at", "webhook_event", ["received_at"], unique=False)
    grant_access()


def grant_access() -> None:
    """One predicate per role and table."""
    protect("provider_account")
    allow("specialist", "provider_account", "SELECT, INSERT, UPDATE", SPECIALIST)
    allow("job", "provider_account", "SELECT")
    allow("network", "provider_account", "SELECT")
    protect("account_readiness")
    allow("specialist", "account_readiness", "SELECT, INSERT, UPDATE", SPECIALIST)
    for name in ("visitor", "patient", "job"):
        allow(name, "account_readiness", "SELECT", LISTED.format(portal=PORTAL))
    allow("operator", "account_readiness", "SELECT", LISTED.format(portal=PORTALS))
    allow("network", "account_readiness", "SELECT")
    protect("webhook_event")
    allow("door", "webhook_event", "INSERT", "portal_id IS NULL")
    allow("job", "webhook_event", "SELECT, UPDATE, DELETE")
    allow("operator", "webhook_event", "SELECT", PORTALS)
    allow("network", "webhook_event", "SELECT")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("webhook_event")
    op.drop_table("account_readiness")
    op.drop_table("provider_account")
