"""Refusals at the edge: problem+json below /api/, a themed page elsewhere; nothing else turns errors into answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

from flask import Flask, Response, current_app, g, jsonify, make_response, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from polyclinic.kernel.errors import Refusal, Unauthenticated

log = logging.getLogger(__name__)

PageRenderer = Callable[[int, str, str], str]
_KEY = "polyclinic.error_page"


def set_error_page(app: Flask, render: PageRenderer) -> None:
    """Install what draws an error page from status, title and sentence; theming does."""
    app.extensions[_KEY] = render


def title_of(status: int) -> str:
    """Return the heading of an answer that is no success."""
    titles = {
        400: _("That request could not be understood"),
        401: _("Please sign in"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("Not possible here"),
        409: _("Something has changed in the meantime"),
        410: _("This has ended"),
        413: _("Too large"),
        415: _("Wrong kind of content"),
        422: _("Please check what you entered"),
        429: _("Too many tries"),
        503: _("Busy at the moment"),
    }
    return str(titles.get(status) or _("Something went wrong on our side"))


def sentence_of(status: int) -> str:
    """Return what a person is told where nobody said anything more precise."""
    sentences = {
        400: _("Part of the request is missing or damaged. Please go back, reload the page and try again."),
        404: _("There is nothing at this address. It may have moved, or the link may be incomplete."),
        405: _("This address does not accept that action."),
        413: _("What you sent is larger than this page accepts."),
        429: _("Please wait a moment and try again."),
        503: _("We could not do this right now. Please try again in a few seconds; nothing was lost."),
    }
    return str(sentences.get(status) or _("We have been told about it. Please try again; nothing was changed."))


def problem(status: int, code: str, detail: str, fields: dict[str, Any] | None = None, **extra: Any) -> Response:
    """Return an answer of type application/problem+json (RFC 9457)."""
    body: dict[str, Any] = {"type": f"urn:polyclinic:{code}", "title": title_of(status), "status": status, "code": code}
    body["detail"] = detail
    if fields:
        body["errors"] = fields
    body.update(extra)
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def _wants_json() -> bool:
    return request.path.startswith("/api/")


def _page(status: int, detail: str) -> Response:
    render = cast(PageRenderer, current_app.extensions[_KEY])
    return make_response(render(status, title_of(status), detail), status)


def answer(error: Refusal) -> AnyResponse:
    """Return the answer to a refusal."""
    detail = str(error.message)
    if _wants_json():
        fields = {name: _texts(message) for name, message in error.fields.items()}
        response: AnyResponse = problem(error.status, error.code, detail, fields, **error.extra)
    elif isinstance(error, Unauthenticated) and request.method == "GET" and "sign_in" in _sign_in_endpoint():
        return redirect(url_for(_sign_in_endpoint(), next=request.full_path.rstrip("?")), 303)
    else:
        response = _page(error.status, detail)
    if "retry_after" in error.extra:
        response.headers["Retry-After"] = str(error.extra["retry_after"])
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _texts(message: Any) -> Any:
    if isinstance(message, dict):
        return {key: _texts(value) for key, value in message.items()}
    return [str(item) for item in message] if isinstance(message, list | tuple) else [str(message)]


def _sign_in_endpoint() -> str:
    place = request.environ.get("polyclinic.place")
    endpoint = f"{place.name}_identity.sign_in" if place else ""
    return endpoint if endpoint in current_app.view_functions else ""


def init_app(app: Flask) -> None:
    """Install the one error handler of the application."""

    @app.errorhandler(Refusal)
    def _refused(error: Refusal) -> AnyResponse:
        return _told(lambda: answer(error))

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> AnyResponse:
        return _told(lambda: _answered(error))

    def _answered(error: HTTPException) -> AnyResponse:
        status = error.code or 500
        if error.response is not None or 300 <= status < 400:
            return error.get_response()
        data = getattr(error, "data", None) or {}
        messages = data.get("messages") if isinstance(data, dict) else None
        if _wants_json():
            detail = sentence_of(status) if status != 422 else _("Some fields are missing or wrong.")
            response: AnyResponse = problem(status, _code_of(error), detail, messages)
        else:
            response = _page(status, sentence_of(status))
        for name, value in error.get_headers():
            if name.lower() in ("allow", "retry-after"):
                response.headers[name] = value
        return response

    def _told(tell: Callable[[], AnyResponse]) -> AnyResponse:
        try:
            return tell()
        except (OperationalError, PoolTimeout) as away:  # the page of the refusal asks who is reading it
            return _database(away)

    @app.errorhandler(PoolTimeout)
    @app.errorhandler(OperationalError)
    def _database(error: Exception) -> AnyResponse:
        g.anonymous = True  # the answer must not ask the database who is reading
        log.error("the database did not answer: %s", error)
        response = problem(503, "busy", sentence_of(503)) if _wants_json() else _page(503, sentence_of(503))
        response.headers["Retry-After"] = "5"
        return response

    @app.errorhandler(Exception)
    def _defect(error: Exception) -> AnyResponse:
        log.exception("unexpected error on %s %s", request.method, request.path)
        if app.testing:
            raise error
        g.anonymous = True
        return problem(500, "internal", sentence_of(500)) if _wants_json() else _page(500, sentence_of(500))


def _code_of(error: HTTPException) -> str:
    return error.name.lower().replace(" ", "-")
