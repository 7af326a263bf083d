"""Pages of one's own account: profile, password and sign-ins, API tokens."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from polyclinic.identity import services
from polyclinic.identity.browser import door, go_out, keep_sign_in, this_client, this_entrance
from polyclinic.identity.forms import ChangePasswordForm, ProfileForm, TokenForm
from polyclinic.identity.limits import TOKENS_PER_PERSON, limit_passwords
from polyclinic.identity.models import ApiToken, SignIn
from polyclinic.identity.rules import SHORTEST_PASSWORD
from polyclinic.identity.tokens import LIFETIMES, scopes_of
from polyclinic.identity.views import Answer, methods
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import real_now
from polyclinic.kernel.errors import Invalid
from polyclinic.kernel.zones import zone_names
from polyclinic.web.auth import current_session, forget_actor, require_kind
from polyclinic.web.forms import show_refusal
from polyclinic.web.i18n import format_day, offered_codes, offered_languages
from polyclinic.web.limits import current_limits


@dataclass(frozen=True, slots=True)
class SignInRow:
    """A sign-in as the page shows it."""

    id: uuid.UUID
    browser: str
    ip: str | None
    created_at: dt.datetime
    seen_at: dt.datetime
    current: bool


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as the page shows it; never its secret."""

    id: uuid.UUID
    name: str
    about: str
    expired: bool


def signed_in() -> Actor:
    """Return the person whose place this is; raises Unauthenticated, which pages turn into the sign-in."""
    return require_kind(this_entrance().kind)


def account() -> Answer:
    """Show and change name, telephone, language and zone."""
    actor = signed_in()
    person = services.read_profile(current_session(), actor)
    form = ProfileForm(obj=person)
    form.locale.choices = [(language.code, language.name) for language in offered_languages()]
    form.zone.choices = [(name, name.replace("_", " ")) for name in sorted(zone_names())]
    if not hasattr(person, "phone"):
        del form.phone
    if form.validate_on_submit():
        changes = {field.name: field.data for field in form if field.name != "csrf_token"}
        try:
            services.update_profile(current_session(), actor, changes, offered_codes())
        except Invalid as refusal:
            show_refusal(form, refusal)
        else:
            forget_actor()
            flash(_("Your changes are saved."), "success")
            return redirect(url_for(".account"), 303)
    return _page("account", form, email=actor.email)


def security() -> Answer:
    """Change the password, and see where one is signed in."""
    actor, entrance = signed_in(), this_entrance()
    form = ChangePasswordForm()
    if "password" in methods() and form.validate_on_submit():
        limit_passwords(entrance, actor.email, this_client(), str(actor.sign_in_id))
        try:
            with door() as session:
                opened = services.change_password(
                    session, entrance, actor, form.current.data or "", form.new.data or ""
                )
        except Invalid as refusal:
            show_refusal(form, refusal)
        else:
            flash(_("Your password is changed. All other devices are signed out."), "success")
            response = make_response(redirect(url_for(".security"), 303))
            keep_sign_in(response, opened.token, (opened.expires_at - real_now()).total_seconds())
            return response
    with door() as session:
        known = services.has_password(session, entrance, actor.email)
    with door() as session:
        rows = [_sign_in_row(row, actor) for row in services.list_sign_ins(session, entrance, _id(actor))]
    return _page(
        "security",
        form,
        sign_ins=sorted(rows, key=lambda row: not row.current),
        has_password=known,
        ways=methods(),
        shortest=SHORTEST_PASSWORD[entrance.kind],
    )


def revoke(sign_in_id: uuid.UUID) -> Answer:
    """End one of one's own sign-ins."""
    actor = signed_in()
    if sign_in_id == actor.sign_in_id:
        return go_out()
    with door() as session:
        services.revoke_sign_in(session, this_entrance(), actor, sign_in_id)
    flash(_("That device is signed out."), "success")
    return redirect(url_for(".security"), 303)


def revoke_all() -> Answer:
    """End all of one's own sign-ins but this one."""
    actor = signed_in()
    with door() as session:
        number = services.revoke_others(session, this_entrance(), actor)
    flash(ngettext("One device was signed out.", "%(num)s devices were signed out.", number), "success")
    return redirect(url_for(".security"), 303)


def tokens() -> Answer:
    """Show one's API tokens, and make one, whose secret this answer alone contains."""
    actor, entrance = signed_in(), this_entrance()
    form = TokenForm(days="90")
    form.scopes.choices = list(scopes_of(entrance.place).items())
    form.days.choices = [(str(days or 0), _lifetime(days)) for days in LIFETIMES]
    secret = None
    if form.validate_on_submit():
        current_limits().hit(TOKENS_PER_PERSON, entrance.key, str(actor.id))
        days = int(form.days.data)
        ends = real_now() + dt.timedelta(days=days) if days else None
        try:
            with door() as session:
                made = services.create_token(
                    session, entrance, actor, form.name.data or "", form.scopes.data or [], ends
                )
        except Invalid as refusal:
            show_refusal(form, refusal)
        else:
            secret, form.name.data, form.scopes.data = made.secret, "", []
    with door() as session:
        rows = [_token_row(row) for row in services.list_tokens(session, entrance, _id(actor))]
    return _page("tokens", form, tokens=rows, secret=secret)


def revoke_token(token_id: uuid.UUID) -> Answer:
    """End one of one's own API tokens."""
    actor = signed_in()
    with door() as session:
        services.revoke_token(session, this_entrance(), actor, token_id)
    flash(_("The token is revoked."), "success")
    return redirect(url_for(".tokens"), 303)


def _id(actor: Actor) -> uuid.UUID:
    assert actor.id is not None  # noqa: S101  # signed_in() checked
    return actor.id


def _sign_in_row(row: SignIn, actor: Actor) -> SignInRow:
    current = row.id == actor.sign_in_id
    return SignInRow(row.id, browser_name(row.agent or ""), row.ip, row.created_at, row.seen_at, current)


def browser_name(agent: str) -> str:
    """Say in words which browser on which system a User-Agent header names."""
    browsers = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
    systems = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS"}
    systems |= {"CrOS": "ChromeOS", "Linux": "Linux"}
    browser = next((name for mark, name in browsers.items() if re.search(rf"\b{mark}\w*/", agent)), None)
    system = next((name for mark, name in systems.items() if mark in agent), None)
    if browser and system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system or _("Unknown browser")


def _token_row(row: ApiToken) -> TokenRow:
    known = scopes_of(this_entrance().place)
    parts = [", ".join(str(known.get(scope, scope)) for scope in row.scopes)]
    parts.append(_("used %(day)s", day=format_day(row.used_at, length="medium")) if row.used_at else _("never used"))
    if row.expires_at is not None:
        parts.append(_("valid until %(day)s", day=format_day(row.expires_at, length="medium")))
    return TokenRow(row.id, row.name, " · ".join(parts), row.expires_at is not None and row.expires_at <= real_now())


def _lifetime(days: int | None) -> str:
    return _("Until I revoke it") if days is None else ngettext("%(num)s day", "%(num)s days", days)


def _page(page: str, form: Any, **values: Any) -> Answer:
    text = render_template(f"identity/{page}.html", form=form, page=page, **values)
    return (text, 422) if form.errors else text


def add_pages(blueprint: Blueprint) -> None:
    """Add the pages of one's account."""
    both, post = ["GET", "POST"], ["POST"]
    rules: list[tuple[str, str, Callable[..., Answer | Response], list[str]]] = [
        ("/account", "account", account, both),
        ("/account/security", "security", security, both),
        ("/account/sign-ins/<uuid:sign_in_id>/revoke", "revoke", revoke, post),
        ("/account/sign-ins/revoke-others", "revoke_all", revoke_all, post),
        ("/account/tokens", "tokens", tokens, both),
        ("/account/tokens/<uuid:token_id>/revoke", "revoke_token", revoke_token, post),
    ]
    for path, endpoint, view, verbs in rules:
        blueprint.add_url_rule(path, endpoint, view, methods=verbs)
