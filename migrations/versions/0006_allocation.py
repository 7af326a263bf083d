"""Allocation: who belongs to whom, and what follows for a specialist's sight.

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import MY_PATIENTS, PATIENT, PORTAL, PORTALS, SPECIALIST, allow, protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, then say who may do what to which rows."""
    op.create_table(
        "allocation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("standing_permission", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint(
            "source IN ('browse', 'request', 'automated', 'assisted', 'referral', 'programme', 'transfer')",
            name=op.f("ck_allocation_source"),
        ),
        sa.CheckConstraint("state IN ('active', 'ended')", name=op.f("ck_allocation_state")),
        sa.ForeignKeyConstraint(
            ["portal_id", "patient_id"],
            ["patient.portal_id", "patient.id"],
            name=op.f("fk_allocation_portal_id_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_allocation_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
        sa.UniqueConstraint(
            "portal_id", "patient_id", "specialist_id", name=op.f("uq_allocation_portal_id_patient_id_specialist_id")
        ),
    )
    op.create_index(
        "ix_allocation_specialist_id_patient_id", "allocation", ["specialist_id", "patient_id"], unique=False
    )
    grant_access()


def grant_access() -> None:
    """One predicate per role and table."""
    protect("allocation")
    allow("patient", "allocation", "SELECT, INSERT, UPDATE", f"{PORTAL} AND {PATIENT}")
    allow("specialist", "allocation", "SELECT, UPDATE", SPECIALIST)
    allow("job", "allocation", "SELECT", PORTAL)
    allow("operator", "allocation", "SELECT, INSERT, UPDATE", PORTALS)
    allow("network", "allocation", "SELECT, INSERT, UPDATE")
    allow("specialist", "patient", "SELECT", MY_PATIENTS.format(column="id"))


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP POLICY patient_specialist ON patient")
    op.drop_table("allocation")
