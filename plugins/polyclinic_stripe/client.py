"""The SDK's client: version pinned, telemetry off, time limits, and Stripe's errors as the product's (E7).

Loaded when a call is made: importing Stripe takes 0.15 s and 24 MB.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import stripe
from flask import current_app

from polyclinic.config import StripeKeys
from polyclinic.hooks.providers import ProviderRefused, ProviderUnavailable

log = logging.getLogger(__name__)

VERSION = "2026-10-28.endive"
TIMEOUT = 20
RETRIES = 2
#: Stripe's sign-in, a clash with a request that still runs, too many requests: the same call may succeed later.
_LATER = frozenset({401, 409, 429})
_KEY = "polyclinic.stripe"
#: A fresh key after a remembered failure, at most so often.
_BUCKET = 600
#: Stripe answers a key for a day with what it answered first, its own fault included.
_REMEMBERED = 500

stripe.enable_telemetry = False  # else the SDK writes a file into the home folder and sends its content


def current_client() -> stripe.StripeClient:
    """Return the application's client; raises ProviderUnavailable where there is no key."""
    keys: StripeKeys = current_app.config["POLYCLINIC"].stripe
    known = current_app.extensions.get(_KEY)
    if known is None or known[0] != keys:
        known = current_app.extensions[_KEY] = (keys, make_client(keys))
    return cast("stripe.StripeClient", known[1])


def make_client(keys: StripeKeys) -> stripe.StripeClient:
    """Return a client for ``keys``; raises ProviderUnavailable without a secret key."""
    if keys.secret_key is None:
        raise ProviderUnavailable("STRIPE_SECRET_KEY is not set")
    base = keys.api_base
    return stripe.StripeClient(
        keys.secret_key,
        stripe_version=VERSION,
        max_network_retries=RETRIES,
        base_addresses={"api": base, "connect": base, "files": base, "meter_events": base},
        http_client=stripe.RequestsClient(timeout=TIMEOUT),
    )


@contextmanager
def speaking() -> Iterator[None]:
    """Turn what Stripe raises into what payments understands: ask again later, or never."""
    try:
        yield
    except stripe.StripeError as error:
        status = error.http_status or 0
        if status == 401:
            log.error("Stripe does not know the key in STRIPE_SECRET_KEY")
        if 400 <= status < 500 and status not in _LATER:
            raise ProviderRefused(error.code or type(error).__name__, error.user_message or str(error)) from error
        log.warning("Stripe did not do it: %s, status %s, request %s", type(error).__name__, status, error.request_id)
        remembered = status == _REMEMBERED
        raise ProviderUnavailable(f"{type(error).__name__} ({status})", answered=remembered) from error


def call(method: Callable[..., Any], *args: Any) -> dict[str, Any]:
    """Make one call and return the answer as plain dictionaries."""
    with speaking():
        return cast("dict[str, Any]", method(*args).to_dict())


def make_or_remake(method: Callable[..., Any], params: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Make an object of which an unknown second one does no harm, also after a failure that Stripe remembers.

    Stripe gives a 500 again for its key, for a day. The other key is the same one for ten minutes. Payments and refunds
    are never made like this: their caller reads first what became of them.
    """
    try:
        return call(method, params, options)
    except ProviderUnavailable as away:
        if not away.answered:
            raise
        key = f"{options['idempotency_key']}:{int(time.time()) // _BUCKET}"
        return call(method, params, options | {"idempotency_key": key})


def every(method: Callable[..., Any], *args: Any) -> list[dict[str, Any]]:
    """Return every object of a list, over all its pages."""
    with speaking():
        return [item.to_dict() for item in method(*args).auto_paging_iter()]


def is_signed(body: str, header: str, secret: str, tolerance: int) -> bool:
    """Whether ``secret`` signed a body at most ``tolerance`` seconds ago, by the real clock."""
    try:
        return bool(stripe.WebhookSignature.verify_header(body, header, secret, tolerance))
    except stripe.SignatureVerificationError:
        return False
