"""Tenancy: portals, domains, settings.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import PORTAL, PORTALS, allow, grant, protect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, then say who may do what to which rows."""
    op.create_table(
        "network_setting",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=False),
        sa.Column(
            "changed_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_network_setting")),
    )
    op.create_table(
        "portal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("applied", postgresql.JSONB(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint("state IN ('active', 'paused')", name=op.f("ck_portal_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal")),
        sa.UniqueConstraint("slug", name=op.f("uq_portal_slug")),
    )
    op.create_table(
        "domain",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=True),
        sa.Column("canonical", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("(place = 'portal') = (portal_id IS NOT NULL)", name=op.f("ck_domain_portal")),
        sa.CheckConstraint("place IN ('portal', 'specialists', 'admin', 'hooks', 'dev')", name=op.f("ck_domain_place")),
        sa.CheckConstraint("host = lower(host)", name=op.f("ck_domain_host")),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_domain_portal_id")),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_domain")),
    )
    op.create_index(
        "uq_domain_canonical",
        "domain",
        ["portal_id"],
        unique=True,
        postgresql_where=sa.text("canonical AND portal_id IS NOT NULL"),
    )
    op.create_table(
        "portal_setting",
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=False),
        sa.Column(
            "changed_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_portal_setting_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", "key", name=op.f("pk_portal_setting")),
    )
    grant_access()


def grant_access() -> None:
    """One predicate per role and table."""
    for table in ("portal", "domain", "network_setting"):
        for name in ("door", "specialist", "lead", "operator", "relay", "job"):
            grant(name, table, "SELECT")
        grant("network", table, "SELECT, INSERT, UPDATE, DELETE")
    grant("operator", "portal", "UPDATE (applied)")
    protect("portal_setting")
    allow("door", "portal_setting", "SELECT", PORTAL)
    allow("job", "portal_setting", "SELECT", PORTAL)
    allow("operator", "portal_setting", "SELECT, INSERT, UPDATE, DELETE", PORTALS)
    allow("network", "portal_setting", "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("portal_setting")
    op.drop_table("domain")
    op.drop_table("portal")
    op.drop_table("network_setting")
