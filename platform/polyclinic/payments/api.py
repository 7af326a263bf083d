"""One charge in a portal's API (W1); read only: paying and cancelling go by the appointment."""

from __future__ import annotations

import uuid
from typing import Any

from polyclinic.payments import schemas
from polyclinic.payments.money_api import READ
from polyclinic.payments.reading import get_charge, views_of
from polyclinic.web.api import api_blueprint
from polyclinic.web.auth import current_session, require_kind, require_scope

blueprint = api_blueprint("portal_charges_api", "portal", "What was charged, paid and returned.")


@blueprint.route("/charges/<uuid:charge_id>")
@blueprint.response(200, schemas.ChargeSchema)
def charge(charge_id: uuid.UUID) -> dict[str, Any]:
    """Return one of one's own charges."""
    actor = require_kind("patient")
    require_scope(actor, READ)
    session = current_session()
    return schemas.dump_charge(views_of(session, [get_charge(session, actor, charge_id)])[0])
