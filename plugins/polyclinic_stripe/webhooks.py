"""The doors through which Stripe speaks to the product: signature, store, 200; what follows is a job's (E7).

On the host of inbound webhooks: no cookies, no pages, no token of a form; the signature of the raw body is what counts.
"""

from __future__ import annotations

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from polyclinic.config import StripeKeys
from polyclinic.payments.inbox import store_event
from polyclinic.web.db import engine
from polyclinic_stripe.events import Endpoint, EventRefused, read_event
from polyclinic_stripe.provider import current_keys

blueprint = Blueprint("hooks_stripe", __name__, subdomain="hooks", url_prefix="/stripe")

#: Stripe's largest events are some tens of kilobytes.
LARGEST = 256 * 1024
#: Seconds by which a signature may be old: of real time, against bodies that somebody kept.
TOLERANCE = 300


@blueprint.post("/account")
def account() -> ResponseReturnValue:
    """Take an event of the platform's own account."""
    return _take("account")


@blueprint.post("/connect")
def connect() -> ResponseReturnValue:
    """Take an event of a specialist's account."""
    return _take("connect")


@blueprint.post("/thin")
def thin() -> ResponseReturnValue:
    """Take a notification about an account of the second generation."""
    return _take("thin")


def _take(endpoint: Endpoint) -> ResponseReturnValue:
    """Store an event and answer at once; the same event again is answered alike and stored once."""
    keys = current_keys()
    secrets = secrets_of(keys, endpoint)
    if not secrets:
        abort(404)  # nobody configured this door
    request.max_content_length = LARGEST
    raw = request.get_data(cache=False)
    check_signature(raw, request.headers.get("Stripe-Signature", ""), secrets)
    stored = store_event(engine(), read_event(raw, endpoint, live=keys.live))
    return jsonify(received=True, known=not stored)


def secrets_of(keys: StripeKeys, endpoint: Endpoint) -> tuple[str, ...]:
    """Return the signing secrets of a door."""
    return {"account": keys.account_secrets, "connect": keys.connect_secrets, "thin": keys.thin_secrets}[endpoint]


def check_signature(raw: bytes, header: str, secrets: tuple[str, ...]) -> None:
    """Raise EventRefused unless one of ``secrets`` signed the body, lately."""
    from polyclinic_stripe.client import is_signed  # noqa: PLC0415 – imports the SDK, for whoever is spoken to only

    try:
        body = raw.decode()
    except UnicodeDecodeError:
        raise EventRefused("event-invalid", _l("Expected an event of Stripe's as JSON.")) from None
    if not any(is_signed(body, header, secret, TOLERANCE) for secret in secrets):
        raise EventRefused(
            "signature-invalid",
            _("The signature is missing, wrong or older than %(minutes)s minutes.", minutes=TOLERANCE // 60),
        )
