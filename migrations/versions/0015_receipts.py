"""Receipts and credit notes, and specialists' billing details.

Revision 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import PATIENT, PORTAL, PORTALS, SPECIALIST, allow, protect

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

#: The specialists of a job's portal, whose names stand on its documents.
LISTED = (
    "specialist_id = ANY (ARRAY(SELECT specialist_id FROM listing"
    " WHERE portal_id = nullif(current_setting('app.portal', true), '')::uuid))"
)


def upgrade() -> None:
    """Create the tables, keep documents as they are, then say who may do what to which rows."""
    create_receipts()
    op.create_table(
        "billing_details",
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("tax_id", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "changed_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["specialist_id"], ["specialist.id"], name=op.f("fk_billing_details_specialist_id")),
        sa.PrimaryKeyConstraint("specialist_id", name=op.f("pk_billing_details")),
        info={"tenancy": "own", "reason": ""},
    )
    keep_documents()
    grant_access()


def create_receipts() -> None:
    """Create the table of documents."""
    op.create_table(
        "receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("issuer_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("refers_to_id", sa.Uuid(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column(
            "issued_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.Column("file_key", sa.Text(), nullable=True),
        sa.Column("file_hash", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("kind IN ('receipt', 'credit_note')", name=op.f("ck_receipt_kind")),
        sa.CheckConstraint("issuer IN ('specialist', 'portal')", name=op.f("ck_receipt_issuer")),
        sa.CheckConstraint(
            "issuer_id = CASE issuer WHEN 'portal' THEN portal_id ELSE specialist_id END",
            name=op.f("ck_receipt_issuer_id"),
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_receipt_number")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_receipt_amount")),
        sa.CheckConstraint("(kind = 'credit_note') = (refund_id IS NOT NULL)", name=op.f("ck_receipt_refund")),
        sa.CheckConstraint("(file_key IS NULL) = (file_hash IS NULL)", name=op.f("ck_receipt_file")),
        *(
            sa.ForeignKeyConstraint(
                ["portal_id", column],
                [f"{table}.portal_id", f"{table}.{key}"],
                name=op.f(f"fk_receipt_portal_id_{column}"),
            )
            for column, table, key in (
                ("specialist_id", "listing", "specialist_id"),
                ("patient_id", "patient", "id"),
                ("charge_id", "charge", "id"),
                ("payment_id", "payment", "id"),
                ("refund_id", "refund", "id"),
                ("refers_to_id", "receipt", "id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_receipt_portal_id_id")),
        sa.UniqueConstraint("portal_id", "issuer_id", "number", name=op.f("uq_receipt_portal_id_issuer_id_number")),
        sa.UniqueConstraint("source_key", name=op.f("uq_receipt_source_key")),
        info={"tenancy": "shared", "reason": ""},
    )
    op.create_index("ix_receipt_charge_id", "receipt", ["charge_id"], unique=False)
    op.create_index("ix_receipt_patient", "receipt", ["portal_id", "patient_id", "issued_at"], unique=False)
    op.create_index("ix_receipt_specialist_id_issued_at", "receipt", ["specialist_id", "issued_at"], unique=False)


def keep_documents() -> None:
    """A document is never deleted, and changes once: when it learns where its bytes are (E10)."""
    op.execute(
        "CREATE FUNCTION receipt_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF TG_OP = 'DELETE' OR OLD.file_key IS NOT NULL OR"
        "  (to_jsonb(NEW) - 'file_key' - 'file_hash') <> (to_jsonb(OLD) - 'file_key' - 'file_hash')"
        " THEN RAISE EXCEPTION 'a receipt is never changed: issue a credit note'"
        " USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$"
    )
    op.execute("CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON receipt FOR EACH ROW EXECUTE FUNCTION receipt_kept()")


def grant_access() -> None:
    """One predicate per role and table; documents are rendered and kept by jobs."""
    protect("receipt")
    allow("patient", "receipt", "SELECT", f"{PORTAL} AND {PATIENT}")
    allow("specialist", "receipt", "SELECT, INSERT", SPECIALIST)
    allow("job", "receipt", "SELECT, INSERT, UPDATE (file_key, file_hash)", PORTAL)
    allow("operator", "receipt", "SELECT", PORTALS)
    allow("network", "receipt", "SELECT")
    protect("billing_details")
    allow("specialist", "billing_details", "SELECT, INSERT, UPDATE", SPECIALIST)
    allow("job", "billing_details", "SELECT", LISTED)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("billing_details")
    op.drop_table("receipt")
    op.execute("DROP FUNCTION receipt_kept()")
