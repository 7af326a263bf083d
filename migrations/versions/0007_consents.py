"""Consents: agreements, versions, answers.

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import MY_PATIENTS, MY_PORTALS, PATIENT, PORTAL, PORTALS, allow, protect

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, then say who may do what to which rows."""
    op.create_table(
        "agreement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("gate", sa.Text(), nullable=False),
        sa.Column("required", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("valid_days", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("gate IN ('registration', 'booking', 'joining')", name=op.f("ck_agreement_gate")),
        sa.CheckConstraint("valid_days > 0", name=op.f("ck_agreement_valid_days")),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_agreement_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_agreement_portal_id_id")),
        sa.UniqueConstraint("portal_id", "slug", name=op.f("uq_agreement_portal_id_slug")),
    )
    op.create_table(
        "agreement_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "published_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_agreement_version_version")),
        sa.ForeignKeyConstraint(
            ["portal_id", "agreement_id"],
            ["agreement.portal_id", "agreement.id"],
            name=op.f("fk_agreement_version_portal_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_version")),
        sa.UniqueConstraint(
            "agreement_id", "version", "locale", name=op.f("uq_agreement_version_agreement_id_version_locale")
        ),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_agreement_version_portal_id_id")),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.CheckConstraint("answer IN ('given', 'withdrawn')", name=op.f("ck_consent_answer")),
        sa.ForeignKeyConstraint(
            ["portal_id", "patient_id"],
            ["patient.portal_id", "patient.id"],
            name=op.f("fk_consent_portal_id_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "version_id"],
            ["agreement_version.portal_id", "agreement_version.id"],
            name=op.f("fk_consent_portal_id_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_patient", "consent", ["portal_id", "patient_id", "agreement_id", "at"], unique=False)
    grant_access()


def grant_access() -> None:
    """One predicate per role and table."""
    for table in ("agreement", "agreement_version"):
        protect(table)
        for name in ("visitor", "patient", "door", "job"):
            allow(name, table, "SELECT", PORTAL)
        allow("specialist", table, "SELECT", MY_PORTALS)
        allow("operator", table, "SELECT, INSERT, UPDATE", PORTALS)
        allow("network", table, "SELECT, INSERT, UPDATE")
    protect("consent")
    allow("door", "consent", "INSERT", PORTAL)
    allow("patient", "consent", "SELECT, INSERT", f"{PORTAL} AND {PATIENT}")
    allow("specialist", "consent", "SELECT", MY_PATIENTS.format(column="patient_id"))
    allow("job", "consent", "SELECT", PORTAL)
    allow("operator", "consent", "SELECT", PORTALS)
    allow("network", "consent", "SELECT")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("consent")
    op.drop_table("agreement_version")
    op.drop_table("agreement")
