"""A patient's payments on a portal: what was paid, what came back, and the documents for both (E10)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import Blueprint, Response, render_template, request, url_for

from polyclinic.kernel.actor import Actor
from polyclinic.payments.receipt_documents import heading_of, open_document, receipts_of
from polyclinic.payments.receipt_models import Receipt
from polyclinic.payments.transactions import Filters, Transaction, list_transactions
from polyclinic.payments.words import TONES, status_words
from polyclinic.web.auth import current_session, require, require_kind

blueprint = Blueprint("portal_payments", __name__, subdomain="portal", template_folder="templates")


@blueprint.get("/payments")
@require("patient")
def index() -> str:
    """List what the patient owed, paid and got back, newest first."""
    actor, session = require_kind("patient"), current_session()
    rows, following = list_transactions(session, actor, Filters(), limit=20, cursor=request.args.get("cursor"))
    documents = receipts_of(session, {row.charge_id for row in rows})
    return render_template(
        "payments/index.html",
        rows=rows,
        documents={row.id: document_of(row, documents[row.charge_id]) for row in rows},
        heading_of=heading_of,
        words=status_words(),
        tones=TONES,
        next_href=url_for(".index", cursor=following) if following else "",
    )


@blueprint.get("/payments/receipts/<uuid:receipt_id>.pdf")
@require("patient")
def document(receipt_id: uuid.UUID) -> Response:
    """Serve a receipt or credit note of the patient's own."""
    return serve_document(require_kind("patient"), receipt_id)


def serve_document(actor: Actor, receipt_id: uuid.UUID) -> Response:
    """Answer with the bytes of a document that the actor may see; raises NotFound for any other."""
    receipt, content = open_document(current_session(), actor, receipt_id)
    response = Response(content, mimetype="application/pdf")
    kind = "credit-note" if receipt.kind == "credit_note" else "receipt"
    response.headers["Content-Disposition"] = f'inline; filename="{kind}-{receipt.label}.pdf"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def document_of(row: Transaction, documents: Sequence[Receipt]) -> Receipt | None:
    """Return the document of a row: a charge's receipt, a refund's credit note."""
    if row.kind == "refund":
        return next((each for each in documents if each.refund_id == row.id), None)
    return next((each for each in documents if each.kind == "receipt"), None)
