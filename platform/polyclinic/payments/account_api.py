"""The payment accounts of a specialist in the API (W1): read only, because connecting happens on Stripe's pages."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from polyclinic.payments.accounts import NeededAccount, needed_accounts
from polyclinic.web.api import ApiSchema, api_blueprint
from polyclinic.web.auth import current_session, require_kind, require_scope
from polyclinic.web.plugins import current_hooks
from polyclinic.web.specialist_portals import my_portals

blueprint = api_blueprint("specialists_accounts_api", "specialists", "Accounts through which a specialist is paid.")


class PaymentAccountSchema(ApiSchema):
    """An account that some of the specialist's portals need."""

    provider = fields.String(metadata={"description": "“stripe”"})
    kind = fields.String(metadata={"description": "“merchant” charges patients, “recipient” is paid a share"})
    portal_ids = fields.List(fields.UUID())
    connected = fields.Boolean(metadata={"description": "whether there is an account"})
    ready = fields.Boolean(metadata={"description": "whether it can do what it is for"})
    blocks_booking = fields.Boolean(metadata={"description": "whether nothing can be booked before it is ready"})
    requirements = fields.List(fields.String(), metadata={"description": "what is missing, in the provider's names"})
    deadline = fields.AwareDateTime(allow_none=True, metadata={"description": "by when, UTC"})
    checked_at = fields.AwareDateTime(allow_none=True, metadata={"description": "when this was read, UTC"})


class PaymentAccountsSchema(ApiSchema):
    """All of them."""

    items = fields.List(fields.Nested(PaymentAccountSchema))


@blueprint.route("/payment-accounts")
@blueprint.response(200, PaymentAccountsSchema)
def accounts() -> dict[str, Any]:
    """List the payment accounts that the specialist's portals need, and how they stand."""
    actor, session = require_kind("specialist"), current_session()
    require_scope(actor, "accounts:read")
    needed = needed_accounts(session, actor, current_hooks(), my_portals(session, actor))
    return {"items": [_as_json(one) for one in needed]}


def _as_json(needed: NeededAccount) -> dict[str, Any]:
    account = needed.account
    return {
        "provider": needed.provider.name,
        "kind": needed.kind,
        "portal_ids": [portal.id for portal in needed.portals],
        "connected": bool(account and account.external_id),
        "ready": needed.ready,
        "blocks_booking": needed.blocks and not needed.ready,
        "requirements": account.requirements if account else [],
        "deadline": account.deadline if account else None,
        "checked_at": account.checked_at if account else None,
    }
