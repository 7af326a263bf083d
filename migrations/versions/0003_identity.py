"""Identity: patients, specialists, operators, and how they sign in.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import PATIENT, PORTAL, PORTALS, SPECIALIST, allow, grant, protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, then say who may do what to which rows."""
    op.create_table(
        "idempotency_key",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_table(
        "operator",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default=sa.text("'admin'"), nullable=False),
        sa.Column("portals", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint(
            "role IN ('owner', 'admin', 'allocation', 'finance', 'support', 'auditor')", name=op.f("ck_operator_role")
        ),
        sa.CheckConstraint("state IN ('active', 'blocked')", name=op.f("ck_operator_state")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_operator_email")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator")),
        sa.UniqueConstraint("email", name=op.f("uq_operator_email")),
    )
    op.create_table(
        "specialist",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'changes_requested', 'approved', 'rejected', 'suspended')",
            name=op.f("ck_specialist_state"),
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_specialist_email")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_specialist")),
        sa.UniqueConstraint("email", name=op.f("uq_specialist_email")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("(subject_kind = 'patient') = (portal_id IS NOT NULL)", name=op.f("ck_api_token_portal")),
        sa.CheckConstraint("subject_kind IN ('patient', 'specialist', 'operator')", name=op.f("ck_api_token_subject")),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_api_token_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index("ix_api_token_subject", "api_token", ["subject_kind", "subject_id"], unique=False)
    op.create_table(
        "credential",
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column(
            "changed_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("(subject_kind = 'patient') = (portal_id IS NOT NULL)", name=op.f("ck_credential_portal")),
        sa.CheckConstraint("subject_kind IN ('patient', 'specialist', 'operator')", name=op.f("ck_credential_subject")),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_credential_portal_id")),
        sa.PrimaryKeyConstraint("subject_kind", "subject_id", name=op.f("pk_credential")),
    )
    op.create_table(
        "mail_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("completed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("pending", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("(subject_kind = 'patient') = (portal_id IS NOT NULL)", name=op.f("ck_mail_code_portal")),
        sa.CheckConstraint("subject_kind IN ('patient', 'specialist', 'operator')", name=op.f("ck_mail_code_subject")),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_mail_code_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_code")),
    )
    op.create_index("ix_mail_code_email", "mail_code", ["subject_kind", "portal_id", "email"], unique=False)
    op.create_table(
        "patient",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("verified_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint("state IN ('active', 'blocked')", name=op.f("ck_patient_state")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_patient_email")),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_patient_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("portal_id", "email", name=op.f("uq_patient_portal_id_email")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_patient_portal_id_id")),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "seen_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.CheckConstraint("(subject_kind = 'patient') = (portal_id IS NOT NULL)", name=op.f("ck_sign_in_portal")),
        sa.CheckConstraint("subject_kind IN ('patient', 'specialist', 'operator')", name=op.f("ck_sign_in_subject")),
        sa.ForeignKeyConstraint(["portal_id"], ["portal.id"], name=op.f("fk_sign_in_portal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
    )
    op.create_index("ix_sign_in_subject", "sign_in", ["subject_kind", "subject_id"], unique=False)
    grant_access()


def grant_access() -> None:
    """One predicate per role and table."""
    protect("patient")
    allow("door", "patient", "SELECT, INSERT, UPDATE", PORTAL)
    own_columns = "SELECT, UPDATE (name, phone, locale, zone)"
    allow("patient", "patient", own_columns, f"{PORTAL} AND {PATIENT.replace('patient_id', 'id')}")
    allow("job", "patient", "SELECT", PORTAL)
    allow("operator", "patient", "SELECT", PORTALS)
    allow("network", "patient", "SELECT")
    protect("specialist")
    for name in ("door", "job", "operator"):
        allow(name, "specialist", "SELECT")
    allow(
        "specialist",
        "specialist",
        "SELECT, UPDATE (name, phone, locale, zone)",
        SPECIALIST.replace("specialist_id", "id"),
    )
    allow("network", "specialist", "SELECT, INSERT, UPDATE")
    protect("operator")
    for name in ("door", "job"):
        allow(name, "operator", "SELECT")
    own = "id = nullif(current_setting('app.operator', true), '')::uuid"
    allow("operator", "operator", "SELECT, UPDATE (name, locale, zone)", own)
    allow("network", "operator", "SELECT, INSERT, UPDATE")
    for table in ("credential", "sign_in", "mail_code", "api_token", "idempotency_key"):
        grant("door", table, "SELECT, INSERT, UPDATE, DELETE")
    # A first password may be given along with an account; nobody but the door ever reads or changes one.
    grant("network", "credential", "INSERT")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("sign_in")
    op.drop_table("patient")
    op.drop_table("mail_code")
    op.drop_table("credential")
    op.drop_table("api_token")
    op.drop_table("specialist")
    op.drop_table("operator")
    op.drop_table("idempotency_key")
