"""What every answer carries and every write must bring: security headers, a nonce per page, CSRF tokens."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, g, request
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf

from polyclinic.config import Settings
from polyclinic.kernel.errors import Defect, Refusal
from polyclinic.kernel.texts import all_storable, storable
from polyclinic.web.auth import bearer_token
from polyclinic.web.plugins import current_hooks

csrf = CSRFProtect()

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class TextRefused(Refusal):
    """A text holds what no name has and PostgreSQL cannot keep, or JSON is nested beyond reading."""

    status = 400


class CsrfRefused(Refusal):
    """The form or the script did not bring the token of its own page."""

    status = 400


@contextmanager
def for_everybody() -> Iterator[None]:
    """Make something that other readers will see too: whoever asks for a token or a nonce meanwhile raises Defect."""
    before, g.for_everybody = g.get("for_everybody", False), True
    try:
        yield
    finally:
        g.for_everybody = before


def _refuse_for_everybody(what: str) -> None:
    if g.get("for_everybody"):
        raise Defect(f"a part of a page that is kept for everybody asked for {what}")


def csrf_token() -> str:
    """Return the token that this reader's forms bring."""
    _refuse_for_everybody("a CSRF token")
    return str(generate_csrf())


def nonce() -> str:
    """Return the nonce of the current page, for the few inline elements that need one."""
    _refuse_for_everybody("a nonce")
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def policy() -> str:
    """Return the Content-Security-Policy of a page: everything from this host, nothing inline without the nonce."""
    own = f"'self' 'nonce-{nonce()}'"
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {own}",
            f"style-src {own}",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "media-src 'self'",
            "manifest-src 'self'",
            "frame-src 'self'",
            f"form-action {' '.join(_form_targets())}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "object-src 'none'",
        ]
    )


def _form_targets() -> list[str]:
    """Where a form may lead, redirects included: this host, and the pages on which people pay or open accounts."""
    place = request.environ.get("polyclinic.place")
    if place is None or place.name not in ("portal", "specialists"):
        return ["'self'"]
    providers = [model.provider for model in current_hooks().payment_models.values() if model.provider is not None]
    return ["'self'", *sorted({origin for one in providers if one.available() for origin in one.page_origins()})]


def _body_is_storable() -> bool:
    if request.method in SAFE:
        return True
    if request.is_json:
        try:
            return all_storable(request.get_json(silent=True))
        except RecursionError:
            raise TextRefused("too-deep", _l("The JSON of this request is nested too deeply.")) from None
    return all(storable(value) for _name, value in request.form.items(multi=True))


def init_app(app: Flask, settings: Settings) -> None:
    """Install headers, cookies of Flask's own session, and the CSRF check."""
    secure = settings.scheme == "https"
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="__Host-session" if secure else "session",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=512 * 1024,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    csrf.init_app(app)
    app.jinja_env.globals.update(csp_nonce=nonce, csrf_token=csrf_token)
    app.context_processor(lambda: {"csrf_token": csrf_token})  # Flask-WTF gives its own in both ways

    @app.before_request
    def _refuse_texts() -> None:
        place = request.environ.get("polyclinic.place")
        if place is not None and place.name == "hooks":
            return  # signed bodies are read raw, by whoever checks the signature
        query = [request.path, *(value for _name, value in request.args.items(multi=True))]
        if not all(map(storable, query)) or not _body_is_storable():
            raise TextRefused("nul", _l("The text contains a character that cannot be stored (U+0000)."))

    @app.before_request
    def _check_csrf() -> None:
        place = request.environ.get("polyclinic.place")
        if request.method in SAFE or place is None or place.name == "hooks" or bearer_token():
            return
        if request.routing_exception is not None:
            return
        try:
            csrf.protect()
        except CSRFError:
            raise CsrfRefused(
                "csrf",
                _l("This page was open for too long, or cookies are switched off. Reload it and try again."),
            ) from None

    @app.after_request
    def _headers(response: Any) -> Any:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy())
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(self), microphone=(self), geolocation=()")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cache-Control", "no-store")
        if secure:
            headers.setdefault("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
        return response
