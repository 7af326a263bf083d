"""One flask-smorest API per place: OpenAPI document, problem+json errors, cursor paging, idempotency keys (W1)."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec

from flask import Flask, Response, current_app, make_response, request
from flask_babel import lazy_gettext as _l
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, fields, validate
from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from polyclinic.kernel.errors import Invalid
from polyclinic.kernel.idempotency import Answer, release, remember, reserve
from polyclinic.kernel.scope import Scope
from polyclinic.kernel.texts import storable
from polyclinic.tenancy.places import PLACES, PlaceName
from polyclinic.web.auth import current_actor
from polyclinic.web.db import engine, open_session
from polyclinic.web.place_api import PREFIX, PlaceApi
from polyclinic.web.places import current_place

P = ParamSpec("P")

PAGE_SIZE, MOST = 20, 100
KEY_LENGTH = 255
#: Sort keys are small numbers: days of the week, counts.
_LARGEST = 2**15 - 1


class ApiSchema(Schema):
    """The parent of every schema of the API: a field that is not declared is an error, never ignored."""

    class Meta:
        """Refuse unknown fields (V15.3.3)."""

        unknown = RAISE


class ProblemSchema(ApiSchema):
    """RFC 9457 problem details, as every error of the API is given."""

    type = fields.String(required=True, metadata={"description": "urn:polyclinic:<code>"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"description": "stable, for programs"})
    detail = fields.String(metadata={"description": "a sentence for people, in the request's language"})
    errors = fields.Dict(keys=fields.String(), metadata={"description": "messages per field"})


class PageArgs(ApiSchema):
    """Query arguments of every list."""

    limit = fields.Integer(load_default=PAGE_SIZE, validate=validate.Range(1, MOST))
    cursor = fields.String(load_default=None, allow_none=True)


def make_apis(app: Flask, version: str) -> dict[PlaceName, PlaceApi]:
    """Create the API of each place that people or programs use."""
    apis: dict[PlaceName, PlaceApi] = {}
    for place in PLACES:
        if place in ("hooks", "dev"):
            continue
        prefix = place.upper()
        app.config[f"{prefix}_API_TITLE"] = f"Polyclinic: {place}"
        app.config[f"{prefix}_API_VERSION"] = version
        app.config[f"{prefix}_OPENAPI_VERSION"] = "3.1.0"
        api = PlaceApi(app, ProblemSchema, config_prefix=prefix)
        api.serve(app, place)
        apis[place] = api
    return apis


def api_blueprint(name: str, place: PlaceName, description: str) -> Blueprint:
    """Return a blueprint for resources below /api/v1 of a place; ``name`` is ``<place>_<feature>_api``."""
    return Blueprint(name, name, url_prefix=PREFIX, subdomain=place, description=description)


def encode_cursor(*key: Any) -> str:
    """Return an opaque cursor for the sort key of the last item of a page."""
    return base64.urlsafe_b64encode(json.dumps(key, default=str).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[Any]:
    """Read a cursor; raises Invalid for anything that this API did not give out."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        key = None
    if not isinstance(key, list) or len(key) != length:
        raise _wrong_cursor()
    return key


def _wrong_cursor() -> Invalid:
    message = _l("This cursor is not one that this list gave out. Leave it away to start from the beginning.")
    return Invalid("cursor-invalid", message, fields={"cursor": message})


def fetch_page(
    session: Session,
    query: Select[Any],
    keys: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]],
    *,
    limit: int,
    cursor: str | None,
    descending: bool = False,
) -> tuple[list[Any], str | None]:
    """Return one page of ``query`` ordered by ``keys`` (unique together, never null), and the cursor of the next.

    Items are ORM entities, or tuples where the query selects several columns.
    """
    if cursor:
        values = decode_cursor(cursor, len(keys))
        typed = [_typed(key, value) for key, value in zip(keys, values, strict=True)]
        here = tuple_(*keys)
        query = query.where(here < tuple_(*typed) if descending else here > tuple_(*typed))
    order = [key.desc() if descending else key.asc() for key in keys]
    rows = session.execute(query.add_columns(*keys).order_by(*order).limit(limit + 1)).all()
    more = len(rows) > limit
    rows = rows[:limit]
    following = encode_cursor(*rows[-1][-len(keys) :]) if more else None
    width = len(rows[0]) - len(keys) if rows else 0
    return [row[0] if width == 1 else tuple(row[:width]) for row in rows], following


def _typed(key: ColumnElement[Any] | InstrumentedAttribute[Any], value: Any) -> Any:
    """Return a part of a cursor as the column has it; raises Invalid for what no row of this program can hold."""
    python_type: Any = key.type.python_type
    try:
        typed = python_type.fromisoformat(value) if hasattr(python_type, "fromisoformat") else python_type(value)
    except (TypeError, ValueError, OverflowError):
        raise _wrong_cursor() from None
    if isinstance(typed, str) and not storable(typed):
        raise _wrong_cursor()
    if isinstance(typed, int) and not -_LARGEST <= typed <= _LARGEST:
        raise _wrong_cursor()
    return typed


def _owner() -> str:
    place, actor = current_place(), current_actor()
    return f"{place.name}:{place.portal_id or ''}:{actor.kind}:{actor.id or actor.guest or actor.address or ''}"


def idempotent(view: Callable[P, Any]) -> Callable[P, Any]:
    """Honour ``Idempotency-Key`` on a view that writes (W1): outermost decorator, below the route.

    Without the header the view just runs. Answers below 500 are kept for 24 hours and given again with
    ``Idempotency-Replayed: true``; 409 while the first request runs, 422 for the same key with another request.
    """

    @functools.wraps(view)
    def run(*args: P.args, **kwargs: P.kwargs) -> Any:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(*args, **kwargs)
        if not 1 <= len(key) <= KEY_LENGTH or not key.isprintable():
            raise Invalid(
                "idempotency-key-invalid",
                _l("An Idempotency-Key has 1 to 255 printable characters."),
                fields={"Idempotency-Key": _l("Expected 1 to 255 printable characters.")},
            )
        return _once(key, lambda: view(*args, **kwargs))

    return run


def _once(key: str, run: Callable[[], Any]) -> Response:
    owner = _owner()
    material = b"\n".join([request.method.encode(), request.full_path.encode(), request.get_data()])
    with open_session(engine(), Scope("door")) as session:
        known = reserve(session, owner, key, hashlib.sha256(material).digest())
    if known is not None:
        replay = make_response(known.body, known.status)
        replay.mimetype = "application/json" if known.status < 400 else "application/problem+json"
        replay.headers["Idempotency-Replayed"] = "true"
        return replay
    try:
        response = make_response(run())
    except Exception as error:
        response = make_response(current_app.handle_user_exception(error))
    with open_session(engine(), Scope("door")) as session:
        if response.status_code >= 500 or response.status_code in (409, 429):
            release(session, owner, key)  # it changed nothing: the same request may succeed later
        else:
            remember(session, owner, key, Answer(response.status_code, response.get_data(as_text=True)))
    return response
