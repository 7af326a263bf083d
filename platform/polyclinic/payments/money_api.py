"""Charges, refunds and transactions in the APIs of all three places, and billing details (W1, E11)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from polyclinic.kernel.actor import Actor
from polyclinic.kernel.zones import zone
from polyclinic.payments import money_schemas as schemas
from polyclinic.payments.billing import read_billing, save_billing
from polyclinic.payments.receipt_documents import receipts_of
from polyclinic.payments.transactions import Filters, Kind, list_transactions, month_bounds
from polyclinic.web.api import PageArgs, api_blueprint
from polyclinic.web.auth import current_session, require_kind, require_scope

portal = api_blueprint("portal_payments_api", "portal", "What a patient owed, paid and got back.")
specialists = api_blueprint("specialists_transactions_api", "specialists", "Money over all portals.")
admin = api_blueprint("admin_payments_api", "admin", "Charges and refunds of the portals in the operator's scope.")

READ, BILLING = "payments:read", "billing:write"


@portal.route("/charges")
@portal.arguments(PageArgs, location="query")
@portal.response(200, schemas.TransactionPageSchema)
def charges(args: dict[str, Any]) -> dict[str, Any]:
    """List one's own charges and refunds, newest first, with links to their receipts."""
    actor = _reader("patient")
    return _page(actor, Filters(), args, "portal_payments.document")


@specialists.route("/transactions")
@specialists.arguments(schemas.TransactionQuery, location="query")
@specialists.response(200, schemas.OwnTransactionPageSchema)
def transactions(args: dict[str, Any]) -> dict[str, Any]:
    """List charges and refunds over all portals, newest first; a month is one of the specialist's zone."""
    actor = _reader("specialist")
    return _page(actor, _filters(actor, args), args, "specialists_transactions.document")


@specialists.route("/billing-details")
@specialists.response(200, schemas.BillingSchema)
def billing() -> Any:
    """Return what one's own receipts say about who issues them."""
    actor = _reader("specialist")
    return read_billing(current_session(), actor)


@specialists.route("/billing-details", methods=["PUT"])
@specialists.arguments(schemas.BillingSchema)
@specialists.response(200, schemas.BillingSchema)
def change_billing(data: dict[str, str]) -> Any:
    """Replace it; receipts that were issued stay as they are."""
    actor = require_kind("specialist")
    require_scope(actor, BILLING)
    return save_billing(current_session(), actor, data)


@admin.route("/charges")
@admin.arguments(schemas.TransactionQuery, location="query")
@admin.response(200, schemas.OperatorTransactionPageSchema)
def all_charges(args: dict[str, Any]) -> dict[str, Any]:
    """List charges of the portals in scope, newest first; a month is one in UTC."""
    actor = _reader("operator")
    return _page(actor, _filters(actor, args, "charge"), args, "")


@admin.route("/refunds")
@admin.arguments(schemas.TransactionQuery, location="query")
@admin.response(200, schemas.OperatorTransactionPageSchema)
def all_refunds(args: dict[str, Any]) -> dict[str, Any]:
    """List refunds of the portals in scope, newest first; a month is one in UTC."""
    actor = _reader("operator")
    return _page(actor, _filters(actor, args, "refund"), args, "")


def _reader(kind: Any) -> Actor:
    actor = require_kind(kind)
    require_scope(actor, READ)
    return actor


def _filters(actor: Actor, args: dict[str, Any], kind: Kind | None = None) -> Filters:
    filters = Filters(args["portal"], args["status"], args["currency"], args["patient"], kind=kind)
    home = zone("UTC" if actor.kind == "operator" else actor.zone or "UTC")
    bounds = month_bounds(args["month"], home) if args["month"] else None
    return replace(filters, since=bounds[0], until=bounds[1]) if bounds else filters


def _page(actor: Actor, filters: Filters, args: dict[str, Any], endpoint: str) -> dict[str, Any]:
    session = current_session()
    rows, following = list_transactions(session, actor, filters, limit=args["limit"], cursor=args["cursor"])
    documents = receipts_of(session, {row.charge_id for row in rows})
    items = [schemas.dump_row(row, documents[row.charge_id], endpoint) for row in rows]
    return {"items": items, "next_cursor": following}
