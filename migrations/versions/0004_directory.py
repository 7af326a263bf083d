"""Directory: teams, vocabularies, profiles, listings, services.

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import MY_PORTALS, PORTAL, PORTALS, SPECIALIST, allow, grant, protect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, then say who may do what to which rows."""
    op.create_table(
        "team",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("slug", name=op.f("uq_team_slug")),
    )
    op.create_table(
        "vocabulary",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("kind IN ('category', 'specialization', 'expertise')", name=op.f("ck_vocabulary_kind")),
        sa.PrimaryKeyConstraint("kind", "slug", name=op.f("pk_vocabulary")),
    )
    op.create_table(
        "listing",
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'applied'"), nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("team_role", sa.Text(), nullable=True),
        sa.Column("accepts_booking", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("active_allocations", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("approved", postgresql.JSONB(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint(
            "state IN ('applied', 'listed', 'paused', 'rejected', 'ended')", name=op.f("ck_listing_state")
        ),
        sa.CheckConstraint("team_role IN ('member', 'lead')", name=op.f("ck_listing_team_role")),
        sa.CheckConstraint("(team_id IS NULL) = (team_role IS NULL)", name=op.f("ck_listing_team")),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_listing_portal_id")),
        sa.ForeignKeyConstraint(["specialist_id"], ["specialist.id"], name=op.f("fk_listing_specialist_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_listing_team_id")),
        sa.PrimaryKeyConstraint("portal_id", "specialist_id", name=op.f("pk_listing")),
        sa.UniqueConstraint("id", name=op.f("uq_listing_id")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_listing_portal_id_id")),
    )
    op.create_index("ix_listing_specialist_id", "listing", ["specialist_id"], unique=False)
    op.create_table(
        "service",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", postgresql.JSONB(), nullable=False),
        sa.Column("summary", postgresql.JSONB(), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=True),
        sa.Column("buffer_before_minutes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("buffer_after_minutes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("buffer_after_minutes BETWEEN 0 AND 240", name=op.f("ck_service_buffer_after")),
        sa.CheckConstraint("buffer_before_minutes BETWEEN 0 AND 240", name=op.f("ck_service_buffer_before")),
        sa.CheckConstraint("duration_minutes BETWEEN 5 AND 480", name=op.f("ck_service_duration")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_service_price")),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_service_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_service_portal_id_id")),
        sa.UniqueConstraint("portal_id", "slug", name=op.f("uq_service_portal_id_slug")),
    )
    op.create_table(
        "specialist_profile",
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("title", postgresql.JSONB(), nullable=False),
        sa.Column("bio", postgresql.JSONB(), nullable=False),
        sa.Column("languages", postgresql.JSONB(), nullable=False),
        sa.Column("categories", postgresql.JSONB(), nullable=False),
        sa.Column("specializations", postgresql.JSONB(), nullable=False),
        sa.Column("expertise", postgresql.JSONB(), nullable=False),
        sa.Column("credentials", postgresql.JSONB(), nullable=False),
        sa.Column("image_key", sa.Text(), nullable=True),
        sa.Column(
            "changed_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["specialist_id"], ["specialist.id"], name=op.f("fk_specialist_profile_specialist_id")),
        sa.PrimaryKeyConstraint("specialist_id", name=op.f("pk_specialist_profile")),
    )
    op.create_table(
        "listing_service",
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=True),
        sa.Column("buffer_before_minutes", sa.Integer(), nullable=True),
        sa.Column("buffer_after_minutes", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_listing_service_price")),
        sa.ForeignKeyConstraint(
            ["portal_id", "service_id"],
            ["service.portal_id", "service.id"],
            name=op.f("fk_listing_service_portal_id_service_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_listing_service_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("portal_id", "specialist_id", "service_id", name=op.f("pk_listing_service")),
    )
    op.create_index("ix_listing_service_specialist_id", "listing_service", ["specialist_id"], unique=False)
    op.create_table(
        "published_profile",
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_name", sa.Text(), nullable=False),
        sa.Column("title", postgresql.JSONB(), nullable=False),
        sa.Column("bio", postgresql.JSONB(), nullable=False),
        sa.Column("languages", postgresql.JSONB(), nullable=False),
        sa.Column("categories", postgresql.JSONB(), nullable=False),
        sa.Column("specializations", postgresql.JSONB(), nullable=False),
        sa.Column("expertise", postgresql.JSONB(), nullable=False),
        sa.Column("words", postgresql.JSONB(), nullable=False),
        sa.Column("image_key", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column(
            "published_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_published_profile_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("portal_id", "specialist_id", name=op.f("pk_published_profile")),
        sa.UniqueConstraint("portal_id", "listing_id", name=op.f("uq_published_profile_portal_id_listing_id")),
    )
    op.create_index(
        "ix_published_profile_portal_id_sort_name", "published_profile", ["portal_id", "sort_name"], unique=False
    )
    op.create_index("ix_published_profile_specialist_id", "published_profile", ["specialist_id"], unique=False)
    grant_access()


def grant_access() -> None:
    """One predicate per role and table."""
    for table in ("team", "vocabulary"):
        for name in ("door", "specialist", "lead", "operator", "job"):
            grant(name, table, "SELECT")
        grant("network", table, "SELECT, INSERT, UPDATE, DELETE")
    protect("specialist_profile")
    allow("specialist", "specialist_profile", "SELECT, INSERT, UPDATE", SPECIALIST)
    allow("operator", "specialist_profile", "SELECT")
    allow("network", "specialist_profile", "SELECT, INSERT, UPDATE")
    protect("listing")
    for name in ("visitor", "door", "job"):
        allow(name, "listing", "SELECT", PORTAL)
    allow("patient", "listing", "SELECT, UPDATE (active_allocations)", PORTAL)
    allow("specialist", "listing", "SELECT, INSERT, UPDATE", SPECIALIST)
    allow("operator", "listing", "SELECT, INSERT, UPDATE", PORTALS)
    allow("network", "listing", "SELECT, INSERT, UPDATE")
    protect("service")
    for name in ("visitor", "patient", "door", "job"):
        allow(name, "service", "SELECT", PORTAL)
    allow("specialist", "service", "SELECT", MY_PORTALS)
    allow("operator", "service", "SELECT, INSERT, UPDATE", PORTALS)
    allow("network", "service", "SELECT, INSERT, UPDATE")
    for table in ("listing_service", "published_profile"):
        protect(table)
        for name in ("visitor", "patient", "job"):
            allow(name, table, "SELECT", PORTAL)
        allow("specialist", table, "SELECT, INSERT, UPDATE, DELETE", SPECIALIST)
        allow("operator", table, "SELECT, INSERT, UPDATE, DELETE", PORTALS)
        allow("network", table, "SELECT, INSERT, UPDATE, DELETE")
    allow("specialist", "portal_setting", "SELECT", MY_PORTALS)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP POLICY portal_setting_specialist ON portal_setting")
    op.drop_table("published_profile")
    op.drop_table("listing_service")
    op.drop_table("specialist_profile")
    op.drop_table("service")
    op.drop_table("listing")
    op.drop_table("vocabulary")
    op.drop_table("team")
