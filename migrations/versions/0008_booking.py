"""Booking: holds and appointments.

Revision 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import ADDRESS, GUEST, PATIENT, PORTAL, PORTALS, SPECIALIST, allow, protect

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, then say who may do what to which rows."""
    op.create_table(
        "appointment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("service_name", postgresql.JSONB(), nullable=False),
        sa.Column("specialist_name", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payment_model", sa.Text(), nullable=False),
        sa.Column("policy", postgresql.JSONB(), nullable=False),
        sa.Column("sequence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cancelled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("cancelled_late", sa.Boolean(), nullable=True),
        sa.Column("completed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name=op.f("ck_appointment_cancelled")),
        sa.CheckConstraint(
            "cancelled_by IN ('patient', 'specialist', 'operator', 'system')", name=op.f("ck_appointment_cancelled_by")
        ),
        sa.CheckConstraint(
            "state IN ('pending_payment', 'confirmed', 'in_progress', 'completed', "
            "'missed_by_patient', 'missed_by_specialist', 'cancelled')",
            name=op.f("ck_appointment_state"),
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_appointment_order")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_appointment_price")),
        sa.ForeignKeyConstraint(
            ["portal_id", "patient_id"],
            ["patient.portal_id", "patient.id"],
            name=op.f("fk_appointment_portal_id_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "service_id"],
            ["service.portal_id", "service.id"],
            name=op.f("fk_appointment_portal_id_service_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_appointment_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        sa.UniqueConstraint("hold_id", name=op.f("uq_appointment_hold_id")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_appointment_portal_id_id")),
    )
    op.create_index("ix_appointment_patient", "appointment", ["portal_id", "patient_id", "starts_at"], unique=False)
    op.create_index("ix_appointment_portal_id_starts_at", "appointment", ["portal_id", "starts_at"], unique=False)
    op.create_index(
        "ix_appointment_specialist_id_starts_at", "appointment", ["specialist_id", "starts_at"], unique=False
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("guest", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint("state IN ('open', 'booked', 'released', 'expired')", name=op.f("ck_hold_state")),
        sa.CheckConstraint("patient_id IS NOT NULL OR guest IS NOT NULL", name=op.f("ck_hold_holder")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_hold_price")),
        sa.ForeignKeyConstraint(
            ["portal_id", "patient_id"], ["patient.portal_id", "patient.id"], name=op.f("fk_hold_portal_id_patient_id")
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "service_id"], ["service.portal_id", "service.id"], name=op.f("fk_hold_portal_id_service_id")
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_hold_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_hold_portal_id_id")),
    )
    op.create_index("ix_hold_portal_id_address", "hold", ["portal_id", "address"], unique=False)
    op.create_index("ix_hold_portal_id_guest", "hold", ["portal_id", "guest"], unique=False)
    op.create_index("ix_hold_portal_id_patient_id", "hold", ["portal_id", "patient_id"], unique=False)
    op.create_table(
        "hold_details",
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column(
            "written_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "hold_id"], ["hold.portal_id", "hold.id"], name=op.f("fk_hold_details_portal_id_hold_id")
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "patient_id"],
            ["patient.portal_id", "patient.id"],
            name=op.f("fk_hold_details_portal_id_patient_id"),
        ),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_hold_details")),
    )
    op.create_index(
        "ix_hold_details_portal_id_patient_id", "hold_details", ["portal_id", "patient_id", "written_at"], unique=False
    )
    op.create_table(
        "appointment_message",
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "written_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint("kind IN ('booking', 'cancellation')", name=op.f("ck_appointment_message_kind")),
        sa.ForeignKeyConstraint(
            ["portal_id", "appointment_id"],
            ["appointment.portal_id", "appointment.id"],
            name=op.f("fk_appointment_message_portal_id_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "patient_id"],
            ["patient.portal_id", "patient.id"],
            name=op.f("fk_appointment_message_portal_id_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_appointment_message_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("appointment_id", "kind", name=op.f("pk_appointment_message")),
    )
    grant_access()


def grant_access() -> None:
    """One predicate per role and table."""
    protect("hold")
    allow("visitor", "hold", "SELECT, INSERT, UPDATE", f"{PORTAL} AND ({GUEST} OR {ADDRESS})", f"{PORTAL} AND {GUEST}")
    mine = f"{PORTAL} AND ({PATIENT} OR (patient_id IS NULL AND {GUEST}))"
    allow("patient", "hold", "SELECT, INSERT, UPDATE", mine, f"{PORTAL} AND {PATIENT}")
    allow("job", "hold", "SELECT, UPDATE")
    allow("operator", "hold", "SELECT", PORTALS)
    allow("network", "hold", "SELECT")
    protect("appointment")
    allow("patient", "appointment", "SELECT, INSERT, UPDATE", f"{PORTAL} AND {PATIENT}")
    allow("specialist", "appointment", "SELECT, UPDATE", SPECIALIST)
    allow("job", "appointment", "SELECT, UPDATE", PORTAL)
    allow("operator", "appointment", "SELECT, UPDATE", PORTALS)
    allow("network", "appointment", "SELECT, UPDATE")
    protect("hold_details")
    allow("patient", "hold_details", "SELECT, INSERT, UPDATE, DELETE", f"{PORTAL} AND {PATIENT}")
    protect("appointment_message")
    allow("patient", "appointment_message", "SELECT, INSERT", f"{PORTAL} AND {PATIENT}")
    allow("specialist", "appointment_message", "SELECT, INSERT", SPECIALIST)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("appointment_message")
    op.drop_table("hold_details")
    op.drop_table("hold")
    op.drop_table("appointment")
