"""Enquiries: what people ask who would like to work here.

Revision 0014, after 0013.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import allow, protect

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, then say who may write and who may read it."""
    op.create_table(
        "enquiry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("practice", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("languages", postgresql.JSONB(), nullable=False),
        sa.Column("portals", postgresql.JSONB(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'new'"), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('new', 'answered')", name=op.f("ck_enquiry_state")),
        sa.CheckConstraint("kind IN ('independent', 'team', 'network')", name=op.f("ck_enquiry_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enquiry")),
    )
    op.create_index("ix_enquiry_created_at", "enquiry", ["created_at"], unique=False)
    grant_access()


def grant_access() -> None:
    """Who comes to the door writes blindly; operators of the whole network read, those of some portals do not."""
    protect("enquiry")
    allow("door", "enquiry", "INSERT")
    allow("network", "enquiry", "SELECT, UPDATE (state, answered_at)")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("enquiry")
