"""Paying for appointments: until when an unpaid one keeps its time, and what jobs may do to confirm one.

Revision 0016, after 0015.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import role

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; let the job that applies a payment open the allocation."""
    op.add_column("appointment", sa.Column("pay_until", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_appointment_pay_until"), "appointment", "state <> 'pending_payment' OR pay_until IS NOT NULL"
    )
    op.add_column(
        "payment",
        sa.Column(
            "page_until", postgresql.TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("app_now()")
        ),
    )
    op.alter_column("payment", "page_until", server_default=None)
    op.execute(f"GRANT INSERT, UPDATE ON allocation TO {role('job')}")
    op.execute(f"GRANT UPDATE (active_allocations) ON listing TO {role('job')}")


def downgrade() -> None:
    """Take both back."""
    op.execute(f"REVOKE UPDATE (active_allocations) ON listing FROM {role('job')}")
    op.execute(f"REVOKE INSERT, UPDATE ON allocation FROM {role('job')}")
    op.drop_column("payment", "page_until")
    op.drop_constraint(op.f("ck_appointment_pay_until"), "appointment")
    op.drop_column("appointment", "pay_until")
