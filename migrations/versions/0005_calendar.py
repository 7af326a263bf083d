"""Calendar: availability, time off, claims, next free.

Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import CALENDAR, PORTAL, PORTALS, SPECIALIST, allow, allow_select, protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, then say who may do what to which rows."""
    op.create_table(
        "availability_exception",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=True),
        sa.Column("ends", sa.Time(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("portals", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("services", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint("kind = 'closed' OR starts IS NOT NULL", name=op.f("ck_availability_exception_extra_times")),
        sa.CheckConstraint("kind IN ('extra', 'closed')", name=op.f("ck_availability_exception_kind")),
        sa.CheckConstraint("(starts IS NULL) = (ends IS NULL)", name=op.f("ck_availability_exception_times")),
        sa.ForeignKeyConstraint(
            ["specialist_id"], ["specialist.id"], name=op.f("fk_availability_exception_specialist_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability_exception")),
    )
    op.create_index(
        "ix_availability_exception_specialist_id_date",
        "availability_exception",
        ["specialist_id", "date"],
        unique=False,
    )
    op.create_table(
        "availability_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("portals", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("services", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_availability_rule_validity")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_availability_rule_weekday")),
        sa.ForeignKeyConstraint(["specialist_id"], ["specialist.id"], name=op.f("fk_availability_rule_specialist_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability_rule")),
    )
    op.create_index("ix_availability_rule_specialist_id", "availability_rule", ["specialist_id"], unique=False)
    op.create_table(
        "claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("core", postgresql.TSTZRANGE(), nullable=False),
        sa.Column(
            "ends_at",
            postgresql.TIMESTAMP(timezone=True),
            sa.Computed("upper(during)", persisted=True),
            nullable=False,
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("specialist_id"), "="),
            (sa.column("claim_id"), "<>"),
            (sa.column("during"), "&&"),
            using="gist",
            name="ex_claim_during",
        ),
        sa.CheckConstraint(
            "NOT isempty(during) AND NOT isempty(core) AND lower_inc(during) AND NOT upper_inc(during)"
            " AND lower(during) IS NOT NULL AND upper(during) IS NOT NULL AND core <@ during"
            " AND isfinite(lower(during)) AND isfinite(upper(during))",
            name=op.f("ck_claim_ranges"),
        ),
        sa.ForeignKeyConstraint(["specialist_id"], ["specialist.id"], name=op.f("fk_claim_specialist_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
    )
    op.create_index("ix_claim_claim_id", "claim", ["claim_id"], unique=False)
    op.create_index("ix_claim_specialist_id_ends_at", "claim", ["specialist_id", "ends_at"], unique=False)
    op.create_index(
        "ix_claim_specialist_id_expires_at",
        "claim",
        ["specialist_id", "expires_at"],
        unique=False,
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_table(
        "time_off",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_time_off_order")),
        sa.ForeignKeyConstraint(["specialist_id"], ["specialist.id"], name=op.f("fk_time_off_specialist_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_off")),
    )
    op.create_index("ix_time_off_specialist_id_ends_at", "time_off", ["specialist_id", "ends_at"], unique=False)
    op.create_table(
        "next_free",
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("next_free_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("stale_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("earliest", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id", "service_id"],
            ["service.portal_id", "service.id"],
            name=op.f("fk_next_free_portal_id_service_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_next_free_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("portal_id", "specialist_id", "service_id", name=op.f("pk_next_free")),
    )
    op.create_index(
        "ix_next_free_earliest",
        "next_free",
        ["portal_id", "next_free_at", "specialist_id"],
        unique=False,
        postgresql_where=sa.text("earliest"),
    )
    op.create_index(
        "ix_next_free_portal_id_service_id_next_free_at",
        "next_free",
        ["portal_id", "service_id", "next_free_at"],
        unique=False,
    )
    op.create_index("ix_next_free_specialist_id", "next_free", ["specialist_id"], unique=False)
    grant_access()


def grant_access() -> None:
    """One predicate per role and table."""
    for table in ("availability_rule", "availability_exception", "time_off"):
        protect(table)
        allow("specialist", table, "SELECT, INSERT, UPDATE, DELETE", SPECIALIST)
        for name in ("visitor", "patient", "operator", "network", "job"):
            allow(name, table, "SELECT", CALENDAR)
    protect("claim")
    for name in ("visitor", "patient", "specialist", "operator", "network", "job"):
        allow(name, "claim", "SELECT, INSERT, UPDATE, DELETE", CALENDAR)
    protect("next_free")
    for name in ("visitor", "patient", "specialist", "operator", "network", "job"):
        allow(name, "next_free", "SELECT, INSERT, UPDATE, DELETE", CALENDAR)
    for name in ("visitor", "patient", "job"):
        allow_select(name, "next_free", PORTAL)
    allow_select("specialist", "next_free", SPECIALIST)
    allow_select("operator", "next_free", PORTALS)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("next_free")
    op.drop_table("time_off")
    op.drop_table("claim")
    op.drop_table("availability_rule")
    op.drop_table("availability_exception")
