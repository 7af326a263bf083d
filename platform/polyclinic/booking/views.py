"""The way to a booking, as pages of a portal: time kept → e-mail → details → check and confirm (B2).

Every step has an address of its own and begins from what the database says, so that back button, reload, two tabs and
a double press end up in the right place. Expiry counts when a step is opened or sent (C5).
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from polyclinic.booking.forms import DetailsForm
from polyclinic.booking.guests import holder, keep_guest
from polyclinic.booking.holds import (
    adopt_holds,
    find_details,
    get_hold,
    hold_slot,
    offering_of,
    release_hold,
    save_details,
    status_of,
)
from polyclinic.booking.models import Hold
from polyclinic.booking.offers import Offering, get_offering, next_times, refuse_slots
from polyclinic.booking.policy import BOOKING_HOLD, FREE_CANCELLATION, LATE_FEE
from polyclinic.booking.rules import CancellationPolicy, cancellation_terms, clean_details
from polyclinic.booking.services import booked_appointment, confirm_booking
from polyclinic.consents.services import AgreementText, required_agreements
from polyclinic.directory.showing import portrait_version
from polyclinic.identity.models import Patient
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict, Gone, Invalid, NotFound, Refusal
from polyclinic.kernel.ids import parse_id
from polyclinic.kernel.instants import parse_instant
from polyclinic.kernel.money import Money
from polyclinic.payments.services import payment_terms
from polyclinic.web.auth import current_actor, current_session, require
from polyclinic.web.forms import show_refusal
from polyclinic.web.i18n import current_language, current_zone
from polyclinic.web.markup import render_markdown
from polyclinic.web.places import current_portal
from polyclinic.web.plugins import current_hooks

blueprint = Blueprint("portal_booking", __name__, subdomain="portal", template_folder="templates")
blueprint.after_request(keep_guest)

Answer = Response | str | tuple[str, int]


@blueprint.post("/book/hold")
def hold() -> Answer:
    """Keep the chosen time and go on to the first step that is open; say what is free where it is taken."""
    actor = holder()
    session, portal = current_session(), current_portal()
    listing_id, service_id = parse_id(request.form.get("listing")), parse_id(request.form.get("service"))
    if listing_id is None or service_id is None:
        raise NotFound()
    starts_at = parse_instant(request.form.get("starts", ""))
    if starts_at is None:
        flash(_("Choose a time first."), "warning")
        return redirect(url_for("portal_directory.profile", listing_id=listing_id, _anchor="times"), 303)
    try:
        kept = hold_slot(session, actor, portal, listing_id, service_id, starts_at, current_zone().key)
    except Conflict as refusal:
        offering = get_offering(session, portal, listing_id, service_id)
        return _instead(actor, offering, refusal.message, 409)
    return redirect(url_for(".book", hold_id=kept.id), 303)


@blueprint.route("/book/<uuid:hold_id>", methods=["GET", "POST"])
def book(hold_id: uuid.UUID) -> Answer:
    """Ask a guest for the e-mail address, a patient for the details."""
    actor, kept = _kept(hold_id)
    if kept.state == "booked":
        return _booked(kept)
    if actor.kind == "visitor":
        return _over(actor, kept) or _page("email", kept, step=1)
    form = DetailsForm()
    if form.validate_on_submit():
        try:
            details = clean_details(form.name.data or "", form.phone.data or "", form.message.data or "")
            save_details(current_session(), actor, current_portal(), hold_id, details)
        except Invalid as refusal:
            show_refusal(form, refusal)
        else:
            return _over(actor, kept) or redirect(url_for(".confirm", hold_id=hold_id), 303)
    elif request.method == "GET":
        _prefill(form, actor)
    return _over(actor, kept) or _page("details", kept, step=2, form=form, status=422 if form.errors else 200)


@blueprint.route("/book/<uuid:hold_id>/confirm", methods=["GET", "POST"])
@require("patient")
def confirm(hold_id: uuid.UUID) -> Answer:
    """Show what will be booked, what it costs and what is agreed to; book it on the button."""
    actor, kept = _kept(hold_id)
    session, portal = current_session(), current_portal()
    details = find_details(session, actor, portal)
    if kept.state == "booked":
        return _booked(kept)
    if details is None:
        return _over(actor, kept) or redirect(url_for(".book", hold_id=hold_id), 303)
    if request.method == "GET":
        return _over(actor, kept) or _summary(actor, kept)
    given = [one for text in request.form.getlist("consent") if (one := parse_id(text)) is not None]
    try:
        confirm_booking(session, actor, portal, hold_id, details, given)
    except Gone:
        return _over(actor, _kept(hold_id)[1]) or redirect(url_for(".book", hold_id=hold_id), 303)
    except (Invalid, Conflict) as refusal:
        return _over(actor, kept) or _summary(actor, kept, refusal, frozenset(given))
    return _booked(kept)


@blueprint.post("/book/<uuid:hold_id>/release")
def release(hold_id: uuid.UUID) -> Response:
    """Give the time back and return to the specialist's free times."""
    actor, kept = _kept(hold_id)
    if kept.state == "booked":
        return _booked(kept)
    session, portal = current_session(), current_portal()
    release_hold(session, actor, portal, hold_id)
    try:
        listing_id = offering_of(session, portal, kept).listing.id
    except (NotFound, Conflict):
        return redirect(url_for("portal_directory.specialists"), 303)
    return redirect(url_for("portal_directory.profile", listing_id=listing_id, _anchor="times"), 303)


def _kept(hold_id: uuid.UUID) -> tuple[Actor, Hold]:
    actor, session, portal = current_actor(), current_session(), current_portal()
    if actor.kind == "patient" and actor.guest is not None:
        adopt_holds(session, actor, portal)
    return actor, get_hold(session, actor, portal, hold_id)


def _booked(kept: Hold) -> Response:
    appointment = booked_appointment(current_session(), current_portal(), kept)
    if appointment.state == "pending_payment":  # going back from the provider's page must not lead there again
        go = 1 if request.method == "POST" else None
        return redirect(url_for("portal_paying.pay", appointment_id=appointment.id, go=go), 303)
    return redirect(url_for("portal_appointments.booked", appointment_id=appointment.id), 303)


def _over(actor: Actor, kept: Hold) -> tuple[str, int] | None:
    """Return the page that says why a hold keeps nothing any more and offers other times; None while it lives."""
    session, portal = current_session(), current_portal()
    status = status_of(kept, now(session))
    if status == "live":
        return None
    try:
        offering = offering_of(session, portal, kept)
    except (NotFound, Conflict):
        sentence = _("This can no longer be booked here. Nothing was booked; please choose somebody else.")
        return render_template("booking/over.html", sentence=sentence, times=[], offering=None), 410
    refusal = refuse_slots(session, actor, portal, offering)
    if refusal is not None:
        return _instead(actor, offering, refusal.message, 410)
    if status == "released":
        return _instead(actor, offering, _("You gave this time back or chose another one."), 410)
    sentence = _("We kept this time for you for a while; now it is free again. What you typed is not lost.")
    return _instead(actor, offering, sentence, 410)


def _instead(actor: Actor, offering: Offering, sentence: Any, status: int) -> tuple[str, int]:
    session, portal = current_session(), current_portal()
    times = next_times(session, actor, portal, offering)
    page = render_template(
        "booking/over.html",
        sentence=sentence,
        times=times,
        offering=offering,
        portrait=_portrait(offering),
        zone=current_zone().key,
    )
    return page, status


def _page(name: str, kept: Hold, status: int = 200, **values: Any) -> Answer:
    session, portal = current_session(), current_portal()
    try:
        offering = offering_of(session, portal, kept)
    except (NotFound, Conflict):
        sentence = _("This can no longer be booked here. Nothing was booked; please choose somebody else.")
        return render_template("booking/over.html", sentence=sentence, times=[], offering=None), 410
    left = (kept.expires_at - now(session)).total_seconds()
    page = render_template(
        f"booking/{name}.html",
        hold=kept,
        offering=offering,
        portrait=_portrait(offering),
        price=Money(kept.price_minor, kept.currency),
        zone=current_zone().key,
        left=max(0, int(left)),
        total=int(portal.settings.get(BOOKING_HOLD).total_seconds()),
        **values,
    )
    return page, status


def _summary(
    actor: Actor, kept: Hold, refusal: Refusal | None = None, given: frozenset[uuid.UUID] = frozenset()
) -> Answer:
    session, portal = current_session(), current_portal()
    price = Money(kept.price_minor, kept.currency)
    texts: list[AgreementText] = required_agreements(
        session, portal, "booking", actor.locale or current_language().code, actor.id
    )
    policy = CancellationPolicy(portal.settings.get(FREE_CANCELLATION), portal.settings.get(LATE_FEE))
    terms = payment_terms(current_hooks(), portal, price)
    return _page(
        "confirm",
        kept,
        step=3,
        details=find_details(session, actor, portal),
        email=actor.email,
        agreements=[(text, render_markdown(text.body)) for text in texts],
        given=given,
        errors={} if refusal is None else refusal.fields or {"confirm": refusal.message},
        payment=terms,
        terms=cancellation_terms(kept.starts_at, price, policy, now(session), "patient"),
        late_fee=policy.late_fee,
        online=current_hooks().payment_models[terms.model].charges_online,
        status=200 if refusal is None else refusal.status,
    )


def _prefill(form: DetailsForm, actor: Actor) -> None:
    """Fill in what was typed before, else what is on file."""
    session, portal = current_session(), current_portal()
    details = find_details(session, actor, portal)
    patient = session.get(Patient, actor.id)
    form.name.data = details.name if details else actor.name
    form.phone.data = details.phone if details else (patient.phone if patient else "")
    form.message.data = details.message if details else ""


def _portrait(offering: Offering) -> str:
    key, listing_id = offering.profile.image_key, offering.listing.id
    if key is None:
        return ""
    version = portrait_version(str(listing_id), key)
    return url_for("portal_directory.portrait", listing_id=listing_id, size="s", v=version)
