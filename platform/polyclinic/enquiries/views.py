"""The public pages of the Specialist Portal: front page for visitors, enquiry form (S0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from polyclinic.directory.policy import ADMISSION, FIELD, PRICING, WANTED
from polyclinic.directory.showing import language_name
from polyclinic.directory.websites import pricing_words
from polyclinic.enquiries.forms import EnquiryForm
from polyclinic.enquiries.limits import ENQUIRIES_PER_ADDRESS, ENQUIRIES_PER_SENDER
from polyclinic.enquiries.rules import OTHER, Wanted, clean_enquiry, fitting
from polyclinic.enquiries.services import write_enquiry
from polyclinic.kernel.errors import Refusal, TooMany
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.policy import LOCALES
from polyclinic.web.auth import current_actor
from polyclinic.web.db import engine
from polyclinic.web.forms import show_refusal
from polyclinic.web.i18n import current_language, localized
from polyclinic.web.limits import current_limits
from polyclinic.web.places import PlaceFlask
from polyclinic.web.portal_badges import badge_of

blueprint = Blueprint("specialists_enquiries", __name__, subdomain="specialists", template_folder="templates")


@dataclass(frozen=True, slots=True)
class Offer:
    """A portal that looks for people, as the public site shows it."""

    id: str
    name: str
    hue: int
    field: str
    text: str
    languages: str
    pricing: str
    admission: str


def wanted_portals() -> list[Wanted[PortalView]]:
    """The portals that say in public whom they look for; all others are not named (P4)."""
    portals = [
        portal
        for portal in cast(PlaceFlask, current_app).places.portals()
        if portal.state == "active" and portal.settings.get(WANTED)
    ]
    return [
        Wanted(
            portal,
            localized(portal.settings.get(FIELD), fallback="en"),
            tuple(locale.partition("_")[0] for locale in portal.settings.get(LOCALES)),
        )
        for portal in portals
    ]


def offer_of(wanted: Wanted[PortalView]) -> Offer:
    """Return what the public site says of a portal."""
    portal = wanted.portal
    badge, settings = badge_of(portal), portal.settings
    admission = {
        "application": _("Apply once your profile is approved"),
        "invitation": _("By invitation, after a conversation"),
        "all": _("Open to all approved specialists"),
    }
    return Offer(
        str(portal.id),
        badge.name,
        badge.hue,
        wanted.field,
        localized(settings.get(WANTED), fallback="en"),
        ", ".join(language_name(code) for code in wanted.languages),
        pricing_words()[settings.get(PRICING)],
        admission[settings.get(ADMISSION)],
    )


def landing() -> str:
    """Draw the front page for whoever is not signed in."""
    offers = [offer_of(one) for one in wanted_portals()]
    return render_template("enquiries/home.html", offers=offers)


@blueprint.route("/enquire", methods=["GET", "POST"])
def enquire() -> Response:
    """Take an enquiry; afterwards propose the portals that fit."""
    portals = wanted_portals()
    if "sent" in request.args and request.method == "GET":
        return make_response(_thanks(portals))
    form = EnquiryForm()
    _fill(form, portals)
    status = 200
    headers: dict[str, str] = {}
    if request.method == "POST":
        refusal = _write(form, portals)
        if refusal is None:
            more: dict[str, Any] = {"sent": 1, "field": form.field.data, "language": form.languages.data}
            return redirect(url_for(".enquire", **more), 303)
        show_refusal(form, refusal)
        status = refusal.status
        headers = {"Retry-After": str(refusal.extra["retry_after"])} if isinstance(refusal, TooMany) else {}
    else:
        form.kind.data, form.portals.data = request.args.get("kind"), request.args.getlist("portal")
    descriptions = {offer.id: f"{offer.field} · {offer.languages}" for offer in map(offer_of, portals)}
    page = render_template("enquiries/enquire.html", form=form, descriptions=descriptions)
    return make_response(page, status, headers)


def _thanks(portals: Sequence[Wanted[PortalView]]) -> str:
    field, languages = request.args.get("field", "")[:80], request.args.getlist("language")
    found = fitting(portals, "" if field == OTHER else field, languages)
    return render_template("enquiries/thanks.html", fitting=[(offer_of(one), fit) for one, fit in found])


def _fill(form: EnquiryForm, portals: Sequence[Wanted[PortalView]]) -> None:
    fields = list(dict.fromkeys(one.field for one in portals if one.field))
    codes = list(dict.fromkeys(code for one in portals for code in one.languages)) or ["en", "de"]
    form.field.choices = [
        SelectChoice("", _("Please choose")),
        *(SelectChoice(field, field) for field in fields),
        SelectChoice(OTHER, _("Something else")),
    ]
    form.languages.choices = [SelectChoice(code, language_name(code)) for code in codes]
    form.portals.choices = [SelectChoice(str(one.portal.id), one.portal.name) for one in portals]


def _write(form: EnquiryForm, portals: Sequence[Wanted[PortalView]]) -> Refusal | None:
    """Keep the enquiry; returns why it was not, so that the page keeps every word."""
    given = {name: form[name].data for name in form.data if name != "csrf_token"}
    try:
        asking = clean_enquiry(given, [str(one.portal.id) for one in portals])
        current_limits().hit(ENQUIRIES_PER_ADDRESS, current_actor().ip or "")
        current_limits().hit(ENQUIRIES_PER_SENDER, asking.email)
        with open_session(engine(), Scope("door")) as session:  # nobody is anybody yet
            write_enquiry(session, asking, current_language().code)
    except Refusal as refusal:
        return refusal
    return None
