"""Pages of coming in: sign-in, code, name, registration, forgotten password, sign-out.

The same on a portal, in the Specialist Portal and in the console, as far as the place has them. Between two pages the
browser carries in its signed session which request of a code it is answering, so that a code sent to one browser is
of no use in another.
"""

from __future__ import annotations

import uuid
from typing import Any, TypedDict, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as page_session
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from polyclinic.identity import services
from polyclinic.identity.browser import come_in, door, go_out, this_client, this_device, this_entrance
from polyclinic.identity.forms import (
    CodeForm,
    EmailForm,
    NameForm,
    PasswordForm,
    RegisterForm,
    RegisterWithPasswordForm,
    ResetForm,
    answers_of,
    with_questions,
)
from polyclinic.identity.limits import limit_codes, limit_entries, limit_passwords
from polyclinic.identity.policy import SIGN_IN_METHODS
from polyclinic.identity.rules import SHORTEST_PASSWORD
from polyclinic.kernel.errors import NotFound, Refusal, TooMany
from polyclinic.tenancy.places import PlaceName
from polyclinic.web.auth import current_actor
from polyclinic.web.forms import show_refusal
from polyclinic.web.i18n import current_language, current_zone, local_target
from polyclinic.web.places import current_place, current_portal

Answer = Response | str | tuple[str, int]
ENTRY = "entry"


class Entry(TypedDict):
    """A code that this browser is waiting for."""

    id: str
    email: str
    purpose: str
    next: str
    proven: bool


def methods() -> frozenset[str]:
    """Return the ways to sign in of this place; the network's own places know passwords."""
    portal = current_place().portal
    return portal.settings.get(SIGN_IN_METHODS) if portal else frozenset({"password"})


def sign_in() -> Answer:
    """Ask for address and password, or for the address alone and send a code."""
    target = local_target(request.values.get("next"))
    if current_actor().signed_in:
        return redirect(target, 303)
    ways = methods()
    by_code = "code" in ways and (request.form.get("how") == "code" or "password" not in ways)
    form = EmailForm() if by_code else PasswordForm()
    if form.validate_on_submit():
        answer = _send(form.address, "sign-in", target) if by_code else _by_password(form, target)
        if answer is not None:
            return answer
    return _page("sign_in", form, next=target, ways=ways)


def _by_password(form: Any, target: str) -> Response | None:
    if not form.password.data:
        form.password.errors = [_("Enter your password.")]
        return None
    entrance, client = this_entrance(), this_client()
    limit_passwords(entrance, form.address, client, this_device(entrance, form.address))
    refusal = _("E-mail address and password do not match. Check both and try again.")
    try:
        with door() as session:
            opened = services.sign_in_with_password(
                session, entrance, form.address, form.password.data, client, refusal=refusal
            )
    except services.SignInRefused as refused:
        form.form_errors.append(refused.message)
        return None
    return come_in(opened, target)


def begin() -> Answer:
    """Ask for the address and send a code: the first step of a booking, for old and new patients alike (B2)."""
    current_portal()
    target = local_target(request.values.get("next"))
    if current_actor().signed_in:
        return redirect(target, 303)
    form = EmailForm()
    if form.validate_on_submit():
        return _send(form.address, "sign-in", target)
    return _page("email", form, next=target)


def _send(email: str, purpose: str, target: str, **form: Any) -> Response:
    entrance, client, locale = this_entrance(), this_client(), current_language().code
    limit_codes(entrance, email, client, this_device(entrance, email))
    with door() as session:
        if purpose == "register":
            code_id = services.begin_registration(session, entrance, email, client, locale=locale, **form)
        else:
            start = services.begin_reset if purpose == "reset" else services.begin_email
            code_id = start(session, entrance, email, client, locale=locale)
    page_session[ENTRY] = Entry(id=str(code_id), email=email, purpose=purpose, next=target, proven=False)
    return redirect(url_for(f".{'reset' if purpose == 'reset' else 'code'}"), 303)


def _entry(*purposes: str) -> Entry | None:
    found = cast("Entry | None", page_session.get(ENTRY))
    return found if found is not None and found["purpose"] in purposes else None


def _start_again() -> Response:
    return redirect(url_for(".sign_in"), 303)


def code() -> Answer:
    """Ask for the code, then sign in, make the account, or go on to the name."""
    entry = _entry("sign-in", "register")
    if entry is None:
        return _start_again()
    form = CodeForm()
    if form.validate_on_submit():
        limit_entries(this_entrance(), this_client())
        try:
            with door() as session:
                result = services.continue_with_code(
                    session,
                    this_entrance(),
                    uuid.UUID(entry["id"]),
                    form.code.data or "",
                    this_client(),
                    locale=current_language().code,
                    zone=current_zone().key,
                )
        except services.WrongCode as refusal:
            show_refusal(form, refusal)
        else:
            if isinstance(result, services.Opened):
                return come_in(result, entry["next"])
            page_session[ENTRY] = {**entry, "proven": True}
            return redirect(url_for(".name"), 303)
    return _page("code", form, entry=entry)


def send_again() -> Answer:
    """Send a new code to the same address, for the same purpose."""
    entry = _entry("sign-in", "register", "reset")
    if entry is None:
        return _start_again()
    entrance, client, email = this_entrance(), this_client(), entry["email"]
    limit_codes(entrance, email, client, this_device(entrance, email))
    with door() as session:
        code_id = services.send_again(session, entrance, uuid.UUID(entry["id"]), client, locale=current_language().code)
    page_session[ENTRY] = {**entry, "id": str(code_id)}
    flash(_("A new code is on its way. Codes sent before stay valid for their ten minutes."), "success")
    return redirect(url_for(".reset" if entry["purpose"] == "reset" else ".code"), 303)


def name() -> Answer:
    """Ask who it is whose address is new, and what a registration asks; then make the account."""
    entry = _entry("sign-in", "register")
    if entry is None or not entry["proven"]:
        return _start_again()
    locale = current_language().code
    with door() as session:
        questions = services.read_questions(session, this_entrance(), locale)
    form: Any = with_questions(NameForm, questions)()
    if form.validate_on_submit():
        try:
            with door() as session:
                opened = services.complete_registration(
                    session,
                    this_entrance(),
                    uuid.UUID(entry["id"]),
                    this_client(),
                    name=form.name.data,
                    phone=form.phone.data or None,
                    answers=answers_of(form, questions),
                    locale=locale,
                    zone=current_zone().key,
                )
            return come_in(opened, entry["next"])
        except Refusal as refusal:
            if refusal.status != 422:
                page_session.pop(ENTRY, None)
                raise
            show_refusal(form, refusal)
    return _page("name", form, entry=entry, questions=questions)


def register() -> Answer:
    """Ask a new patient everything at once; the code that follows proves the address."""
    current_portal()
    target = local_target(request.values.get("next"))
    if current_actor().signed_in:
        return redirect(target, 303)
    ways, locale = methods(), current_language().code
    with door() as session:
        questions = services.read_questions(session, this_entrance(), locale)
    kind = RegisterWithPasswordForm if "password" in ways else RegisterForm
    form: Any = with_questions(kind, questions)()
    if form.validate_on_submit():
        password = form.password.data if "password" in ways else None
        if "code" not in ways and not password:
            form.password.errors = [_("Enter a password.")]
        else:
            try:
                return _send(
                    form.address,
                    "register",
                    target,
                    name=form.name.data,
                    phone=form.phone.data or None,
                    password=password,
                    answers=answers_of(form, questions),
                )
            except Refusal as refusal:
                if isinstance(refusal, TooMany):
                    raise
                show_refusal(form, refusal)
    shortest = SHORTEST_PASSWORD["patient"]
    return _page("register", form, next=target, ways=ways, questions=questions, shortest=shortest)


def forgot() -> Answer:
    """Ask for the address and send a code for a new password."""
    _passwords_only()
    form = EmailForm()
    if form.validate_on_submit():
        return _send(form.address, "reset", "/")
    return _page("forgot", form)


def reset() -> Answer:
    """Ask for the code and a new password."""
    _passwords_only()
    entry = _entry("reset")
    if entry is None:
        return redirect(url_for(".forgot"), 303)
    form = ResetForm()
    if form.validate_on_submit():
        limit_entries(this_entrance(), this_client())
        try:
            with door() as session:
                opened = services.reset_password(
                    session,
                    this_entrance(),
                    uuid.UUID(entry["id"]),
                    entry["email"],
                    form.code.data or "",
                    form.password.data or "",
                    this_client(),
                )
            return come_in(opened, entry["next"])
        except Refusal as refusal:
            if refusal.status != 422:
                page_session.pop(ENTRY, None)
                raise
            show_refusal(form, refusal)
    return _page("reset", form, entry=entry, shortest=SHORTEST_PASSWORD[this_entrance().kind])


def _passwords_only() -> None:
    if "password" not in methods():
        raise NotFound


def sign_out() -> Answer:
    """End this browser's sign-in."""
    return go_out()


def _page(template: str, form: Any, **values: Any) -> Answer:
    refused = bool(form.errors)
    text = render_template(f"identity/{template}.html", form=form, place=current_place().name, **values)
    return (text, 422) if refused else text


def add_pages(blueprint: Blueprint, place: PlaceName) -> None:
    """Add the pages of coming in that a place has."""
    both = ["GET", "POST"]
    blueprint.add_url_rule("/sign-in", "sign_in", sign_in, methods=both)
    blueprint.add_url_rule("/sign-out", "sign_out", sign_out, methods=["POST"])
    blueprint.add_url_rule("/forgot", "forgot", forgot, methods=both)
    blueprint.add_url_rule("/forgot/code", "reset", reset, methods=both)
    blueprint.add_url_rule("/sign-in/again", "send_again", send_again, methods=["POST"])
    if place == "portal":
        blueprint.add_url_rule("/sign-in/email", "begin", begin, methods=both)
        blueprint.add_url_rule("/sign-in/code", "code", code, methods=both)
        blueprint.add_url_rule("/sign-in/name", "name", name, methods=both)
        blueprint.add_url_rule("/register", "register", register, methods=both)
