"""The page on which specialists connect their accounts at payment providers (E3, E4)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from polyclinic.directory.models import Listing
from polyclinic.directory.notices import Notice
from polyclinic.hooks.providers import ProviderRefused, ProviderUnavailable
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Conflict, Refusal, Unavailable
from polyclinic.payments.account_words import (
    COUNTRIES,
    country_choices,
    kind_words,
    likely_country,
    requirement_words,
)
from polyclinic.payments.accounts import NeededAccount, connect_account, get_needed, needed_accounts, refresh_account
from polyclinic.tenancy.places import PortalView
from polyclinic.web.auth import current_session, require, require_kind
from polyclinic.web.limits import Limit, current_limits
from polyclinic.web.places import current_place, link_to
from polyclinic.web.plugins import current_hooks
from polyclinic.web.portal_badges import PortalBadge, badge_of
from polyclinic.web.specialist_portals import my_portals

blueprint = Blueprint("specialists_accounts", __name__, subdomain="specialists", template_folder="templates")

#: Each of these asks the provider something.
ASKING = Limit("payment-account", "30 per 10 minutes", "specialist")


@dataclass(frozen=True, slots=True)
class Shown:
    """An account in words."""

    needed: NeededAccount
    title: str
    state: str
    tone: str
    text: str
    missing: list[str]
    badges: list[PortalBadge]


@blueprint.get("/getting-paid")
@require("specialist")
def index() -> str:
    """Show which accounts the specialist's websites need, how they stand, and what is missing."""
    return _page()


@blueprint.post("/getting-paid/<provider>/<kind>/connect")
@require("specialist")
def connect(provider: str, kind: str) -> ResponseReturnValue:
    """Make the account if need be and send the specialist to the provider's own pages."""
    try:
        return redirect(_onboarding(provider, kind, request.form.get("country", "")), 303)
    except (Conflict, Unavailable) as refusal:
        return _page(refusal), refusal.status
    except Refusal as refusal:
        if not refusal.fields:
            raise
        return _page(refusal), refusal.status


@blueprint.get("/getting-paid/<provider>/<kind>/again")
@require("specialist")
def again(provider: str, kind: str) -> ResponseReturnValue:
    """Make a fresh link where the last one was used or too old: the provider sends the specialist here."""
    needed = _needed(provider, kind)
    if needed.account is None or needed.account.external_id is None:
        return redirect(url_for(".index"), 303)
    try:
        return redirect(_onboarding(provider, kind, needed.account.country), 303)
    except (Conflict, Unavailable) as refusal:
        return _page(refusal), refusal.status


@blueprint.get("/getting-paid/<provider>/<kind>/back")
@require("specialist")
def back(provider: str, kind: str) -> ResponseReturnValue:
    """Read the account after the provider's pages; coming back says nothing about success."""
    actor, needed = require_kind("specialist"), _needed(provider, kind)
    if needed.account is not None:
        _count(actor)
        try:
            refresh_account(current_session(), actor, needed.provider, needed.account.id)
        except (ProviderUnavailable, ProviderRefused):
            flash(_("Stripe did not answer. We ask again by ourselves; this page shows it then."), "caution")
            return redirect(url_for(".index"), 303)
        ready = _needed(provider, kind).ready
        waiting = _("Thank you. Some details are still missing or being checked.")
        said = _("Your account is ready.") if ready else waiting
        flash(said, "positive" if ready else "caution")
    return redirect(url_for(".index"), 303)


def _onboarding(provider: str, kind: str, country: str) -> str:
    actor, session = require_kind("specialist"), current_session()
    needed = _needed(provider, kind)
    _count(actor)
    host = current_place().host
    links = {
        name: link_to(current_app, "specialists", host, f"specialists_accounts.{name}", provider=provider, kind=kind)
        for name in ("again", "back")
    }
    try:
        return connect_account(session, actor, needed, country, refresh_url=links["again"], return_url=links["back"])
    except ProviderUnavailable as away:
        sentence = _l("Stripe does not answer at the moment. Nothing was lost; please try again in a minute.")
        raise Unavailable("provider-away", sentence, retry_after=60) from away
    except ProviderRefused as refused:
        sentence = _l("Stripe did not accept this: %(reason)s", reason=refused.sentence)
        raise Conflict("provider-refused", sentence) from refused


def _needed(provider: str, kind: str) -> NeededAccount:
    actor, session = require_kind("specialist"), current_session()
    return get_needed(session, actor, current_hooks(), my_portals(session, actor), provider, kind)


def _count(actor: Actor) -> None:
    current_limits().hit(ASKING, str(actor.id))


def _page(refusal: Refusal | None = None) -> str:
    actor, session = require_kind("specialist"), current_session()
    needed = needed_accounts(session, actor, current_hooks(), my_portals(session, actor))
    typed = request.form.get("country", "")
    return render_template(
        "payments/accounts.html",
        accounts=[_shown(one) for one in needed],
        countries=country_choices(),
        country=typed if typed in COUNTRIES else likely_country(actor.zone),
        refusal=refusal,
        country_error=str(refusal.fields["country"]) if refusal and "country" in refusal.fields else "",
    )


def _shown(needed: NeededAccount) -> Shown:
    account = needed.account
    if account is None or account.external_id is None:
        state, tone = _("Not connected"), "critical" if needed.blocks else "caution"
    elif not account.ready:
        state, tone = _("Not ready yet"), "caution"
    else:
        state, tone = _("Ready"), "positive"
    return Shown(
        needed=needed,
        title=kind_words()[needed.kind],
        state=state,
        tone=tone,
        text=_explained(needed),
        missing=requirement_words(account.requirements if account else ()),
        badges=[badge_of(portal) for portal in needed.portals],
    )


def _explained(needed: NeededAccount) -> str:
    if needed.ready:
        return (
            _("Patients pay into your own Stripe account, and these websites take their commission of it.")
            if needed.kind == "merchant"
            else _("Patients pay the website, and your share is paid out to your Stripe account.")
        )
    if needed.kind == "merchant":
        return _("On these websites patients pay into your own Stripe account. Until it is ready, no times are shown.")
    return _("On these websites patients pay the website. You can be booked already; your share waits.")


def website_notice(session: Session, actor: Actor, portal: PortalView, listing: Listing) -> Notice | None:
    """Say on "Websites" why no times are shown, where a payment account is what is missing (E3)."""
    needed = needed_accounts(session, actor, current_hooks(), [portal])
    if not needed or needed[0].ready or not needed[0].blocks or listing.state != "listed":
        return None
    return Notice(
        _("No times are shown here yet"),
        _("Patients pay into your own Stripe account, and it is not ready. As soon as it is, they can book."),
        url_for("specialists_accounts.index"),
        _("Connect Stripe"),
    )
