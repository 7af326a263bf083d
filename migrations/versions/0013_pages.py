"""Pages: what portals write in their own words, and what people write to their support desks.

Revision 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import PORTAL, PORTALS, allow, protect

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, then say who may do what to which rows."""
    op.create_table(
        "page",
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("placement", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=True),
        sa.Column("labels", postgresql.JSONB(), nullable=False),
        sa.Column("texts", postgresql.JSONB(), nullable=False),
        sa.Column(
            "changed_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint("placement IN ('header', 'footer', 'none')", name=op.f("ck_page_placement")),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_page_portal_id")),
        sa.PrimaryKeyConstraint("portal_id", "name", name=op.f("pk_page")),
    )
    op.create_table(
        "contact_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'new'"), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('new', 'answered')", name=op.f("ck_contact_message_state")),
        sa.CheckConstraint(
            "topic IN ('booking', 'payment', 'technology', 'data', 'other')", name=op.f("ck_contact_message_topic")
        ),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_contact_message_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_message")),
    )
    op.create_index(
        "ix_contact_message_portal_id_created_at", "contact_message", ["portal_id", "created_at"], unique=False
    )
    grant_access()


def grant_access() -> None:
    """One predicate per role and table."""
    protect("page")
    for name in ("visitor", "patient", "door", "job"):
        allow(name, "page", "SELECT", PORTAL)
    allow("operator", "page", "SELECT, INSERT, UPDATE, DELETE", PORTALS)
    allow("network", "page", "SELECT, INSERT, UPDATE, DELETE")
    protect("contact_message")
    for name in ("visitor", "patient"):  # who writes does not read
        allow(name, "contact_message", "INSERT", PORTAL)
    allow("operator", "contact_message", "SELECT, UPDATE (state, answered_at)", PORTALS)
    allow("network", "contact_message", "SELECT, UPDATE (state, answered_at)")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("contact_message")
    op.drop_table("page")
