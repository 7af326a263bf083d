"""Agreements and one's own consents, as pages of a portal."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from polyclinic.consents.services import consent_states, get_agreement_text, give_consents, withdraw_consent
from polyclinic.consents.words import status_tones, status_words
from polyclinic.kernel.errors import NotFound
from polyclinic.web.auth import current_actor, current_session, require, require_kind
from polyclinic.web.i18n import current_language
from polyclinic.web.markup import render_markdown
from polyclinic.web.places import current_portal

blueprint = Blueprint("portal_consents", __name__, subdomain="portal", template_folder="templates")


@blueprint.get("/agreements/<slug>")
def agreement(slug: str) -> str:
    """Show the newest version of an agreement, and to patients where they stand with it."""
    session, portal, actor = current_session(), current_portal(), current_actor()
    text = get_agreement_text(session, portal, slug, current_language().code)
    state = None
    if actor.kind == "patient" and actor.id:
        states = consent_states(session, portal, actor.id, current_language().code)
        state = next((one for one in states if one.text.agreement_id == text.agreement_id), None)
    return render_template(
        "consents/agreement.html",
        text=text,
        body=render_markdown(text.body),
        state=state,
        words=status_words(),
        tones=status_tones(),
    )


@blueprint.get("/consents")
@require("patient")
def index() -> str:
    """List what the patient was asked and answered."""
    actor, session = require_kind("patient"), current_session()
    if actor.id is None:
        raise NotFound()
    states = consent_states(session, current_portal(), actor.id, current_language().code)
    return render_template("consents/index.html", states=states, words=status_words(), tones=status_tones())


@blueprint.post("/agreements/<slug>/give/<uuid:version_id>")
@require("patient")
def give(slug: str, version_id: uuid.UUID) -> Response:
    """Agree to the version that was shown."""
    actor, session, portal = require_kind("patient"), current_session(), current_portal()
    give_consents(session, actor, portal, [version_id], how="my consents")
    flash(_("Thank you. Your consent is recorded."), "success")
    return redirect(url_for(".agreement", slug=slug), 303)


@blueprint.post("/agreements/<slug>/withdraw")
@require("patient")
def withdraw(slug: str) -> Response:
    """Take a consent back."""
    actor, session, portal = require_kind("patient"), current_session(), current_portal()
    text = get_agreement_text(session, portal, slug, current_language().code)
    withdraw_consent(session, actor, portal, text.agreement_id, how="my consents")
    flash(_("Your consent is withdrawn. The record of both stays."), "success")
    return redirect(url_for(".agreement", slug=slug), 303)
