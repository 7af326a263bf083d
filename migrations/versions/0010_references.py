"""Payments: what objects at payment providers were made for.

Revision 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import MY_PORTALS, PORTAL, PORTALS, allow, protect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, then say who may do what to which rows."""
    op.create_table(
        "external_reference",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=True),
        sa.Column("cause_kind", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint(
            "cause_kind IN ('payment', 'refund', 'account')", name=op.f("ck_external_reference_cause_kind")
        ),
        sa.CheckConstraint("(portal_id IS NULL) = (cause_kind = 'account')", name=op.f("ck_external_reference_portal")),
        sa.PrimaryKeyConstraint("provider", "account", "external_id", name=op.f("pk_external_reference")),
    )
    grant_access()


def grant_access() -> None:
    """Whoever makes an object writes blindly, for portals of their own; the inbox's worker reads."""
    protect("external_reference")
    allow("patient", "external_reference", "INSERT", PORTAL)
    allow("specialist", "external_reference", "INSERT", f"portal_id IS NULL OR {MY_PORTALS}")
    allow("operator", "external_reference", "INSERT", PORTALS)
    allow("network", "external_reference", "INSERT")
    allow("job", "external_reference", "SELECT, INSERT")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("external_reference")
