"""Every feature's tables, loaded for migrations, tests of the catalogue, and nothing else."""

import importlib

FEATURES = (
    "tenancy",
    "audit",
    "identity",
    "directory",
    "calendar",
    "allocation",
    "consents",
    "payments",
    "booking",
    "pages",
    "enquiries",
    "notifications",
)
#: Tables beside a feature's models.py: a module each, with the few functions that write and read it.
OTHERS = (
    "payments.references",
    "payments.ledger_models",
    "payments.account_models",
    "payments.inbox_models",
    "payments.receipt_models",
)


def load_models() -> None:
    """Import every module with tables, so that ``Base.metadata`` is complete."""
    for module in ("clock", "outbox", "due", "idempotency"):
        importlib.import_module(f"polyclinic.kernel.{module}")
    for feature in FEATURES:
        importlib.import_module(f"polyclinic.{feature}.models")
    for module in OTHERS:
        importlib.import_module(f"polyclinic.{module}")
