"""Payments: charges, payments, refunds and the ledger.

Revision 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from polyclinic.kernel.ddl import PATIENT, PORTAL, PORTALS, SPECIALIST, allow, protect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, then say who may do what to which rows."""
    op.create_table(
        "charge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("cause_kind", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("tax_bps", sa.Integer(), nullable=False),
        sa.Column("payment_model", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("earns", sa.Text(), nullable=False),
        sa.Column("commission_bps", sa.Integer(), nullable=False),
        sa.Column("commission_minimum", sa.BigInteger(), nullable=False),
        sa.Column("commission_maximum", sa.BigInteger(), nullable=True),
        sa.Column("commission_minor", sa.BigInteger(), nullable=False),
        sa.Column("return_commission", sa.Boolean(), nullable=False),
        sa.Column("payout_delay", postgresql.INTERVAL(), nullable=False),
        sa.Column("paid_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("paid_by", sa.Text(), nullable=True),
        sa.Column("voided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.CheckConstraint("earns IN ('commission', 'share', 'nothing')", name=op.f("ck_charge_earns")),
        sa.CheckConstraint("(paid_at IS NULL) = (paid_by IS NULL)", name=op.f("ck_charge_paid_by")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_charge_amount")),
        sa.CheckConstraint("commission_minor BETWEEN 0 AND amount_minor", name=op.f("ck_charge_commission")),
        sa.CheckConstraint("paid_at IS NULL OR voided_at IS NULL", name=op.f("ck_charge_end")),
        sa.ForeignKeyConstraint(
            ["portal_id", "patient_id"],
            ["patient.portal_id", "patient.id"],
            name=op.f("fk_charge_portal_id_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_charge_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charge")),
        sa.UniqueConstraint("cause_kind", "cause_id", name=op.f("uq_charge_cause_kind_cause_id")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_charge_portal_id_id")),
        info={"tenancy": "shared", "reason": ""},
    )
    op.create_index("ix_charge_patient", "charge", ["portal_id", "patient_id", "created_at"], unique=False)
    op.create_index("ix_charge_portal_id_created_at", "charge", ["portal_id", "created_at"], unique=False)
    op.create_index("ix_charge_specialist_id_created_at", "charge", ["specialist_id", "created_at"], unique=False)
    op.create_table(
        "ledger_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_ledger_account_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint(
            "portal_id",
            "specialist_id",
            "currency",
            "id",
            name=op.f("uq_ledger_account_portal_id_specialist_id_currency_id"),
        ),
        sa.UniqueConstraint(
            "portal_id",
            "specialist_id",
            "kind",
            "currency",
            name=op.f("uq_ledger_account_portal_id_specialist_id_kind_currency"),
        ),
        info={"tenancy": "shared", "reason": ""},
    )
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("cause_kind", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("payment_model", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("commission_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'intended'"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("success_url", sa.Text(), nullable=False),
        sa.Column("cancel_url", sa.Text(), nullable=False),
        sa.Column("checkout_id", sa.Text(), nullable=True),
        sa.Column("intent_id", sa.Text(), nullable=True),
        sa.Column("capture_id", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("deadline", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("quarantine", sa.Text(), nullable=True),
        sa.Column("disputed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.Column("read_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("paid_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", name=op.f("ck_payment_paid")),
        sa.CheckConstraint(
            "state IN ('intended', 'open', 'processing', 'paid', 'failed', 'expired')", name=op.f("ck_payment_state")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_amount")),
        sa.ForeignKeyConstraint(
            ["portal_id", "patient_id"],
            ["patient.portal_id", "patient.id"],
            name=op.f("fk_payment_portal_id_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_payment_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_payment_idempotency_key")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_payment_portal_id_id")),
        info={"tenancy": "shared", "reason": ""},
    )
    op.create_index("ix_payment_patient", "payment", ["portal_id", "patient_id", "created_at"], unique=False)
    op.create_index("ix_payment_portal_id_created_at", "payment", ["portal_id", "created_at"], unique=False)
    op.create_index("ix_payment_specialist_id_created_at", "payment", ["specialist_id", "created_at"], unique=False)
    op.create_index(
        "uq_payment_cause_live",
        "payment",
        ["cause_kind", "cause_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('intended', 'open', 'processing', 'paid')"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("cause_kind", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("reverses_id", sa.BigInteger(), nullable=True),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "written_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "charge_id"],
            ["charge.portal_id", "charge.id"],
            name=op.f("fk_ledger_entry_portal_id_charge_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_ledger_entry_portal_id_specialist_id"),
        ),
        sa.ForeignKeyConstraint(["reverses_id"], ["ledger_entry.id"], name=op.f("fk_ledger_entry_reverses_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint(
            "portal_id", "specialist_id", "id", name=op.f("uq_ledger_entry_portal_id_specialist_id_id")
        ),
        sa.UniqueConstraint("source_key", name=op.f("uq_ledger_entry_source_key")),
        info={"tenancy": "shared", "reason": ""},
    )
    op.create_index("ix_ledger_entry_charge_id", "ledger_entry", ["charge_id"], unique=False)
    op.create_index("ix_ledger_entry_portal_id_occurred_at", "ledger_entry", ["portal_id", "occurred_at"], unique=False)
    op.create_index(
        "ix_ledger_entry_specialist_id_occurred_at", "ledger_entry", ["specialist_id", "occurred_at"], unique=False
    )
    op.create_table(
        "payment_charge",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id", "charge_id"],
            ["charge.portal_id", "charge.id"],
            name=op.f("fk_payment_charge_portal_id_charge_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "patient_id"],
            ["patient.portal_id", "patient.id"],
            name=op.f("fk_payment_charge_portal_id_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "payment_id"],
            ["payment.portal_id", "payment.id"],
            name=op.f("fk_payment_charge_portal_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_payment_charge_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("payment_id", "charge_id", name=op.f("pk_payment_charge")),
        info={"tenancy": "shared", "reason": ""},
    )
    op.create_index("ix_payment_charge_charge_id", "payment_charge", ["charge_id"], unique=False)
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("commission_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_by_id", sa.Uuid(), nullable=True),
        sa.Column("cause_key", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'requested'"), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("app_now()"), nullable=False
        ),
        sa.Column("settled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "requested_by IN ('patient', 'specialist', 'operator', 'system')", name=op.f("ck_refund_requested_by")
        ),
        sa.CheckConstraint("state IN ('requested', 'pending', 'succeeded', 'failed')", name=op.f("ck_refund_state")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refund_amount")),
        sa.CheckConstraint("commission_minor BETWEEN 0 AND amount_minor", name=op.f("ck_refund_commission")),
        sa.ForeignKeyConstraint(
            ["portal_id", "charge_id"], ["charge.portal_id", "charge.id"], name=op.f("fk_refund_portal_id_charge_id")
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "patient_id"],
            ["patient.portal_id", "patient.id"],
            name=op.f("fk_refund_portal_id_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "payment_id"],
            ["payment.portal_id", "payment.id"],
            name=op.f("fk_refund_portal_id_payment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_refund_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("cause_key", name=op.f("uq_refund_cause_key")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_refund_idempotency_key")),
        sa.UniqueConstraint("portal_id", "id", name=op.f("uq_refund_portal_id_id")),
        info={"tenancy": "shared", "reason": ""},
    )
    op.create_index("ix_refund_charge_id", "refund", ["charge_id"], unique=False)
    op.create_index("ix_refund_portal_id_created_at", "refund", ["portal_id", "created_at"], unique=False)
    op.create_index("ix_refund_specialist_id_created_at", "refund", ["specialist_id", "created_at"], unique=False)
    op.create_table(
        "ledger_posting",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("portal_id", sa.Uuid(), nullable=False),
        sa.Column("specialist_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_posting_amount")),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id", "currency", "account_id"],
            [
                "ledger_account.portal_id",
                "ledger_account.specialist_id",
                "ledger_account.currency",
                "ledger_account.id",
            ],
            name=op.f("fk_ledger_posting_portal_id_specialist_id_currency_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id", "entry_id"],
            ["ledger_entry.portal_id", "ledger_entry.specialist_id", "ledger_entry.id"],
            name=op.f("fk_ledger_posting_portal_id_specialist_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["portal_id", "specialist_id"],
            ["listing.portal_id", "listing.specialist_id"],
            name=op.f("fk_ledger_posting_portal_id_specialist_id"),
        ),
        sa.PrimaryKeyConstraint("entry_id", "account_id", name=op.f("pk_ledger_posting")),
        info={"tenancy": "shared", "reason": ""},
    )
    op.create_index("ix_ledger_posting_account_id", "ledger_posting", ["account_id"], unique=False)
    keep_the_ledger()
    keep_refunds_within()
    grant_access()


def keep_the_ledger() -> None:
    """Append-only, and balanced per currency when a transaction ends (E6)."""
    op.execute(
        "CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'the ledger is append-only: write an entry that reverses this one'"
        " USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in ("ledger_account", "ledger_entry", "ledger_posting"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION ledger_append_only()"
        )
    op.execute(
        "CREATE FUNCTION ledger_balanced() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE entry bigint; BEGIN"
        " IF TG_TABLE_NAME = 'ledger_entry' THEN entry := NEW.id; ELSE entry := NEW.entry_id; END IF;"
        " IF (SELECT count(*) FROM ledger_posting p WHERE p.entry_id = entry) < 2 OR EXISTS ("
        "  SELECT 1 FROM ledger_posting p WHERE p.entry_id = entry GROUP BY p.currency HAVING sum(p.amount) <> 0)"
        " THEN RAISE EXCEPTION 'ledger entry % does not balance', entry USING ERRCODE = 'check_violation'; END IF;"
        " RETURN NULL; END $$"
    )
    for table in ("ledger_entry", "ledger_posting"):
        op.execute(
            f"CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION ledger_balanced()"
        )


def keep_refunds_within() -> None:
    """Never more goes back than was charged, of the whole and of the commission (E8)."""
    op.execute(
        "CREATE FUNCTION refund_within_charge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF EXISTS (SELECT 1 FROM charge c WHERE c.id = NEW.charge_id AND (c.currency <> NEW.currency OR ("
        "  SELECT sum(r.amount_minor) > c.amount_minor OR sum(r.commission_minor) > c.commission_minor"
        "  FROM refund r WHERE r.charge_id = c.id AND r.state <> 'failed')))"
        " THEN RAISE EXCEPTION 'refunds of charge % exceed it', NEW.charge_id USING ERRCODE = 'check_violation';"
        " END IF; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER within_charge AFTER INSERT OR UPDATE ON refund DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refund_within_charge()"
    )


def grant_access() -> None:
    """One predicate per role and table. What the provider says is written by jobs alone."""
    mine = f"{PORTAL} AND {PATIENT}"
    rights = {
        "charge": {
            "patient": "SELECT, INSERT, UPDATE (voided_at)",
            "specialist": "SELECT, UPDATE (paid_at, paid_by, voided_at)",
            "job": "SELECT, INSERT, UPDATE",
            "operator": "SELECT, UPDATE (voided_at)",
            "network": "SELECT, UPDATE (voided_at)",
        },
        "payment": {"patient": "SELECT, INSERT", "job": "SELECT, INSERT, UPDATE"},
        "payment_charge": {"patient": "SELECT, INSERT", "job": "SELECT, INSERT"},
        "refund": {
            "patient": "SELECT, INSERT",
            "specialist": "SELECT, INSERT",
            "job": "SELECT, INSERT, UPDATE",
            "operator": "SELECT, INSERT",
            "network": "SELECT, INSERT",
        },
    }
    for table in ("ledger_account", "ledger_entry", "ledger_posting"):
        rights[table] = {"specialist": "SELECT, INSERT", "job": "SELECT, INSERT"}
    for table, roles in rights.items():
        protect(table)
        if "patient" in roles:
            allow("patient", table, roles["patient"], mine)
        allow("specialist", table, roles.get("specialist", "SELECT"), SPECIALIST)
        allow("job", table, roles["job"], PORTAL)
        allow("operator", table, roles.get("operator", "SELECT"), PORTALS)
        allow("network", table, roles.get("network", "SELECT"))


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("ledger_posting")
    op.drop_table("ledger_entry")
    op.drop_table("refund")
    op.drop_table("payment_charge")
    op.drop_table("payment")
    op.drop_table("ledger_account")
    op.drop_table("charge")
    op.execute("DROP FUNCTION refund_within_charge()")
    op.execute("DROP FUNCTION ledger_balanced()")
    op.execute("DROP FUNCTION ledger_append_only()")
