"""What happens after a receipt was issued: its document is rendered and kept (E10)."""

from __future__ import annotations

import uuid

from flask import Flask

from polyclinic.payments.receipt_documents import keep_document
from polyclinic.web import jobs
from polyclinic.web.db import engine, open_session


def init_app(app: Flask) -> None:
    """Listen to receipts."""
    jobs.on(app, "receipt.issued", on_receipt_issued)


def on_receipt_issued(message: jobs.Message) -> None:
    """Render the document in a worker; done twice it is done once."""
    with open_session(engine(), message.scope) as session:
        keep_document(session, uuid.UUID(message.payload["receipt_id"]))
