"""Agreements and consents in a portal's API (W1)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from polyclinic.consents import schemas
from polyclinic.consents.services import agreement_texts, consent_states, give_consents, withdraw_consent
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Invalid, NotFound
from polyclinic.web.api import api_blueprint, idempotent
from polyclinic.web.auth import current_session, require_kind, require_scope
from polyclinic.web.i18n import current_language
from polyclinic.web.places import current_portal

blueprint = api_blueprint("portal_consents_api", "portal", "What patients agree to, and what they have answered.")


@blueprint.route("/agreements")
@blueprint.arguments(schemas.AgreementQuery, location="query")
@blueprint.response(200, schemas.AgreementListSchema)
def agreements(args: dict[str, Any]) -> dict[str, Any]:
    """List the agreements of this portal with their exact texts; everybody may read them."""
    locale = args["locale"] or current_language().code
    return {"items": agreement_texts(current_session(), current_portal(), locale)}


@blueprint.route("/consents")
@blueprint.response(200, schemas.ConsentListSchema)
def consents() -> dict[str, Any]:
    """List where the signed-in patient stands with each agreement."""
    actor = require_kind("patient")
    require_scope(actor, "consents:read")
    return _states(actor)


@blueprint.route("/consents", methods=["POST"])
@idempotent
@blueprint.arguments(schemas.AnswerSchema)
@blueprint.response(201, schemas.ConsentListSchema)
def answer(data: dict[str, Any]) -> dict[str, Any]:
    """Agree to exact versions, or withdraw from an agreement; answers are appended, never changed."""
    actor = require_kind("patient")
    require_scope(actor, "consents:write")
    session, portal = current_session(), current_portal()
    if data["answer"] == "given":
        if not data["versions"]:
            raise _missing("versions", _l("Expected the ids of the versions that are agreed to."))
        give_consents(session, actor, portal, data["versions"], how="api")
    else:
        if data["agreement_id"] is None:
            raise _missing("agreement_id", _l("Expected the id of the agreement to withdraw from."))
        withdraw_consent(session, actor, portal, data["agreement_id"], how="api")
    return _states(actor)


def _states(actor: Actor) -> dict[str, Any]:
    if actor.id is None:
        raise NotFound()
    return {"items": consent_states(current_session(), current_portal(), actor.id, current_language().code)}


def _missing(field: str, message: Any) -> Invalid:
    return Invalid("answer", message, fields={field: message})
