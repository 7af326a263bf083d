"""Marking a visit as paid, in the API of the Specialist Portal (E5, W1)."""

from __future__ import annotations

import uuid
from typing import Any

from polyclinic.payments import schemas
from polyclinic.payments.invoices import mark_paid
from polyclinic.payments.reading import views_of
from polyclinic.web.api import api_blueprint, idempotent
from polyclinic.web.auth import current_session, require_kind, require_scope

blueprint = api_blueprint("specialists_charges_api", "specialists", "What patients owe the specialist.")

WRITE = "charges:write"


@blueprint.route("/charges/<uuid:charge_id>/mark-paid", methods=["POST"])
@idempotent
@blueprint.response(200, schemas.OwnChargeSchema)
def mark(charge_id: uuid.UUID) -> dict[str, Any]:
    """Note that the patient paid the invoice; the same again changes nothing."""
    actor = require_kind("specialist")
    require_scope(actor, WRITE)
    session = current_session()
    return schemas.dump_own_charge(views_of(session, [mark_paid(session, actor, charge_id)])[0])
