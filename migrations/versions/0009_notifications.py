"""Notifications: the delivery log.

Revision 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import PORTALS, allow, protect

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, then say who may do what to which rows."""
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=True),
        sa.Column("recipient_kind", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("tried_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('sending', 'sent', 'failed')", name=op.f("ck_delivery_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "cause",
            "recipient_kind",
            "recipient_id",
            "channel",
            name=op.f("uq_delivery_cause_recipient_kind_recipient_id_channel"),
        ),
    )
    op.create_index("ix_delivery_portal_id_created_at", "delivery", ["portal_id", "created_at"], unique=False)
    grant_access()


def grant_access() -> None:
    """One predicate per role and table."""
    protect("delivery")
    allow("job", "delivery", "SELECT, INSERT, UPDATE")
    allow("operator", "delivery", "SELECT", PORTALS)
    allow("network", "delivery", "SELECT")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("delivery")
