"""The patients resource of the Specialist Portal's API (W1)."""

from __future__ import annotations

import uuid
from typing import Any

from polyclinic.patients.schemas import PatientPageSchema, PatientQuery, PatientSchema
from polyclinic.patients.services import list_patients, read_patient
from polyclinic.web.api import api_blueprint
from polyclinic.web.auth import current_session, require_kind, require_scope

blueprint = api_blueprint("specialists_patients_api", "specialists", "The specialist's own patients over all portals.")


@blueprint.route("/patients")
@blueprint.arguments(PatientQuery, location="query")
@blueprint.response(200, PatientPageSchema)
def patients(args: dict[str, Any]) -> dict[str, Any]:
    """List patients by name."""
    actor = require_kind("specialist")
    require_scope(actor, "patients:read")
    items, following = list_patients(
        current_session(),
        actor,
        portal_id=args["portal"],
        status=args["status"],
        search=args["search"],
        limit=args["limit"],
        cursor=args["cursor"],
    )
    return {"items": items, "next_cursor": following}


@blueprint.route("/patients/<uuid:patient_id>")
@blueprint.response(200, PatientSchema)
def patient(patient_id: uuid.UUID) -> Any:
    """Return one patient; the read is audited."""
    actor = require_kind("specialist")
    require_scope(actor, "patients:read")
    return read_patient(current_session(), actor, patient_id).row
