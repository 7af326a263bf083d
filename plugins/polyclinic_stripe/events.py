"""Events as Stripe posts them: whose they are and which objects they name; everything else is dropped (E7, T3)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Literal

from flask_babel import lazy_gettext as _l

from polyclinic.kernel.errors import Refusal
from polyclinic.payments.inbox import Received
from polyclinic_stripe.provider import NAME

Endpoint = Literal["account", "connect", "thin"]

_WORD = re.compile(r"[A-Za-z0-9_.\[\]]{1,200}")
_OURS = ("payment", "portal", "refund")
#: Events from which something follows; of all others it is only noted that they came.
PAYMENT_KINDS = ("checkout.session.", "payment_intent.", "charge.", "refund.", "application_fee.")
ACCOUNT_KINDS = ("account.", "capability.", "v2.core.account", "v2.core.account_link.")


class EventRefused(Refusal):
    """What was posted is no event of Stripe's."""

    status = 400


def read_event(raw: bytes, endpoint: Endpoint, *, live: bool) -> Received:
    """Return what is kept of a body whose signature was checked; raises EventRefused for what is no event."""
    event = _parsed(raw)
    event_id, kind = event.get("id"), event.get("type")
    if not _is_word(event_id) or not _is_word(kind):
        raise EventRefused("event-invalid", _l("Expected an event with “id” and “type”."))
    ignored = _ignored(event, str(kind), live=live)
    if endpoint == "thin":
        related = _dict(event.get("related_object"))
        return Received(NAME, str(event_id), endpoint, str(kind), "", _words([related.get("id")]), {}, ignored)
    found = _dict(_dict(event.get("data")).get("object"))
    connected = event.get("account") if _is_word(event.get("account")) else ""
    if str(kind).startswith(ACCOUNT_KINDS):
        owner = found.get("id") if found.get("object") == "account" else found.get("account")
        ids, account = _words([owner, connected]), ""
    else:
        ids, account = _words(_names(found)), str(connected)
    if found.get("object") == "application_fee":  # the platform's object, about a charge of a specialist's account
        account = str(found["account"]) if _is_word(found.get("account")) else account
    metadata = _dict(found.get("metadata"))
    named = {name: metadata[name] for name in _OURS if _is_id(metadata.get(name))}
    return Received(NAME, str(event_id), endpoint, str(kind), account, ids, named, ignored)


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise EventRefused("event-invalid", _l("Expected an event of Stripe's as JSON."))
    return event


def _ignored(event: dict[str, Any], kind: str, *, live: bool) -> str:
    if event.get("livemode") is not live:
        return "test-mode" if live else "live-mode"
    if not kind.startswith((*PAYMENT_KINDS, *ACCOUNT_KINDS)):
        return "no-interest"
    return ""


def _names(found: dict[str, Any]) -> Iterable[Any]:
    """Return the ids of an object and of what it belongs to: the payment's own first, which are known longest."""
    for name in ("payment_intent", "charge", "originating_transaction", "latest_charge"):
        value = found.get(name)
        yield value.get("id") if isinstance(value, dict) else value
    yield found.get("id")


def _words(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if _is_word(value)))


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and bool(_WORD.fullmatch(value))


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[0-9a-f-]{36}", value))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
