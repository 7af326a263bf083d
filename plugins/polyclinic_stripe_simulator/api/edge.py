"""The edge of the API: who asks, in which version, for which account, and whether this was asked before."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from polyclinic_stripe_simulator.api.calls import HANDLERS, Call
from polyclinic_stripe_simulator.api.expanding import expanded
from polyclinic_stripe_simulator.api.faults import Fault, take
from polyclinic_stripe_simulator.document.checking import Mismatch, check_answer, checked_parameters
from polyclinic_stripe_simulator.document.forms import MalformedForm, decode
from polyclinic_stripe_simulator.document.stripe_document import Operation
from polyclinic_stripe_simulator.errors import Refused
from polyclinic_stripe_simulator.objects import (
    accounts,
    balance,
    charges,
    checkout,
    customers,
    disputes,
    events,
    fees,
    intents,
    payment_methods,
    refunds,
    transfers,
)
from polyclinic_stripe_simulator.simulation import Simulation
from polyclinic_stripe_simulator.store import PLATFORM, Object

LOADED = (
    accounts, balance, charges, checkout, customers, disputes, events, fees, intents, payment_methods, refunds,
    transfers,
)  # fmt: skip
"""Modules that registered their handlers."""
LONGEST_KEY = 255
VERSION = re.compile(r"20\d\d-\d\d-\d\d(\.[a-z]+)?")
NOT_REMEMBERED = frozenset({401, 403, 404, 409, 429, 502, 503})


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    body: Object
    request_id: str
    replayed: bool = False
    fault: Fault | None = None
    """Trouble that takes the place of the answer: a broken connection or silence."""


class Edge:
    """Answers requests below /v1 and /v2."""

    def __init__(self, simulation: Simulation) -> None:
        """Answer for one simulation."""
        self.simulation = simulation

    @staticmethod
    def handled() -> set[str]:
        """The operations that somebody answers."""
        return set(HANDLERS)

    def answer(self, request: Request) -> Answer:
        """Everything from the header to the object; never raises for what a caller did."""
        store = self.simulation.store
        request_id = store.new_id("req", 14)
        with store.transaction():
            fault = take(store, request.method, request.path)
        if fault and not fault.after_effect and not fault.status.isdecimal():
            return Answer(0, {}, request_id, fault=fault)
        broken = _broken(fault) if fault and not fault.after_effect else None
        status, body, request_id, replayed = self._guarded(request, request_id, broken)
        if fault and fault.after_effect:
            return self._after(request, fault, status, request_id)
        return Answer(status, body, request_id, replayed)

    def _after(self, request: Request, fault: Fault, status: int, request_id: str) -> Answer:
        if not fault.status.isdecimal():
            return Answer(0, {}, request_id, fault=fault)
        broken = _broken(fault)
        if status < 400 and broken.status == 500:
            self.simulation.store.rows(
                "UPDATE answer SET status = 500, body = ? WHERE request_id = ?",
                json.dumps({"error": broken.error}),
                request_id,
            )
        return Answer(broken.status, {"error": broken.error}, request_id)

    def _guarded(self, request: Request, request_id: str, broken: Refused | None) -> tuple[int, Object, str, bool]:
        try:
            return self._known_or_new(request, request_id, broken)
        except Refused as refused:
            body = {"error": {**refused.error, "request_log_url": f"{self.simulation.options.public_url}/control"}}
            return refused.status, body, request_id, False
        except Mismatch as mismatch:
            message = f"The simulator's answer is not what Stripe's document allows: {mismatch}"
            return 500, {"error": {"type": "api_error", "message": message}}, request_id, False

    def _known_or_new(self, request: Request, request_id: str, broken: Refused | None) -> tuple[int, Object, str, bool]:
        _check_key(request, self.simulation.options.key)
        found = self.simulation.document.find(request.method, request.path)
        if found is None:
            raise Refused(
                f"Unrecognized request URL ({request.method}: {request.path}). Please see https://stripe.com/docs or "
                "we can help at https://support.stripe.com/. (The simulator may not know it: docs/stripe-simulator.md)",
                status=404,
            )
        operation, ids = found
        self._check_version(request, operation)
        account = self._account(request)
        params = checked_parameters(self.simulation.document, operation, _parameters(request, operation))
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        call = Call(self.simulation, operation.name, ids, params, account, request_id, key)
        with self.simulation.store.transaction():
            return self._remembered(request, call, operation, broken)

    def _remembered(
        self, request: Request, call: Call, operation: Operation, broken: Refused | None
    ) -> tuple[int, Object, str, bool]:
        if call.idempotency_key is not None:
            known = _known(call, request)
            if known:
                return known
        try:
            with self.simulation.store.transaction():
                if broken:
                    raise broken
                status, body = 200, self._done(call, operation)
        except Refused as refused:
            if not refused.keeps_effects and refused.status != 500 and operation.version == 2:
                raise
            status, body = refused.status, {"error": refused.error}
        if call.idempotency_key is not None and status not in NOT_REMEMBERED:
            _remember(call, request, status, body)
        return status, body, str(call.request_id), False

    def _done(self, call: Call, operation: Operation) -> Object:
        handler = HANDLERS.get(operation.name)
        if handler is None:
            raise Refused(f"The simulator does not do {operation.name}.", status=404)
        answer = json.loads(json.dumps(handler(call)))
        answer = expanded(call, operation.response, answer, call.params.get("expand") or [])
        check_answer(self.simulation.document, operation.response, answer, nulls=operation.version == 2)
        return dict(answer)

    def _check_version(self, request: Request, operation: Operation) -> None:
        version, ours = request.headers.get("Stripe-Version"), self.simulation.document.api_version
        if version is None:
            if operation.version == 2:
                raise Refused(
                    "Stripe-Version header is required for v2 APIs.", param="Stripe-Version", code="missing_version"
                )
            return
        if not VERSION.fullmatch(version):
            raise Refused(f"Invalid Stripe API version: {version}", param="Stripe-Version")
        if version != ours:
            raise Refused(f"This simulator speaks {ours} only, not {version}.", param="Stripe-Version")

    def _account(self, request: Request) -> str:
        named = request.headers.get("Stripe-Account") or request.headers.get("Stripe-Context") or PLATFORM
        known = self.simulation.store.get(named, PLATFORM) if named else None
        if named and (known is None or known["object"] != accounts.KIND or known["closed"]):
            raise Refused(
                f"The provided key 'sk_test_sim***' does not have access to account '{named}' (or that account does "
                "not exist). Application access may have been revoked.",
                code="account_invalid",
                status=403,
            )
        return named


def _broken(fault: Fault) -> Refused:
    status = int(fault.status)
    kind = "rate_limit_error" if status == 429 else "api_error"
    words = "Too many requests." if status == 429 else "An unknown error occurred (asked for in the control page)."
    return Refused(words, status=status, kind=kind, keeps_effects=False)


def _check_key(request: Request, key: str) -> None:
    scheme, _blank, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            given = ""
    if not given:
        raise Refused(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    if given != key:
        raise Refused(f"Invalid API Key provided: {given[:8]}***", status=401)


def _parameters(request: Request, operation: Operation) -> dict[str, Any]:
    try:
        if request.method != "POST":
            return decode(request.query_string.decode())
        body = request.get_data()
        if operation.version == 1:
            if body and request.mimetype != "application/x-www-form-urlencoded":
                raise Refused("v1 requests are form-encoded: Content-Type application/x-www-form-urlencoded.")
            return decode(body.decode())
        return _json(request, body)
    except MalformedForm as malformed:
        raise Refused(f"Invalid parameter name: {malformed}", param=str(malformed)) from None
    except UnicodeDecodeError:
        raise Refused("The request is not valid UTF-8.") from None


def _json(request: Request, body: bytes) -> dict[str, Any]:
    if body and request.mimetype != "application/json":
        raise Refused("v2 requests are JSON: Content-Type application/json.", code="invalid_content_type")
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        raise Refused("The body is not valid JSON.", code="invalid_json") from None
    if not isinstance(found, dict):
        raise Refused("The body must be a JSON object.", code="invalid_json")
    return found


def _digest(call: Call) -> str:
    return hashlib.sha256(json.dumps(call.params, sort_keys=True).encode()).hexdigest()


def _known(call: Call, request: Request) -> tuple[int, Object, str, bool] | None:
    key = call.idempotency_key or ""
    if not 0 < len(key) <= LONGEST_KEY:
        raise Refused(f"Idempotency-Key must have 1 to {LONGEST_KEY} characters.", param="Idempotency-Key")
    rows = call.store.rows("SELECT * FROM answer WHERE account = ? AND key = ?", call.account, key)
    if not rows:
        return None
    row = rows[0]
    if row["request"] != f"{request.method} {request.path}":
        raise Refused(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{request.path}' vs '{row['request'].partition(' ')[2]}'). Try using a key other than '{key}' if you "
            "meant to execute a different request.",
            kind="idempotency_error",
        )
    if row["digest"] != _digest(call):
        raise Refused(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
            f"using a key other than '{key}' if you meant to execute a different request.",
            kind="idempotency_error",
        )
    return row["status"], json.loads(row["body"]), row["request_id"], True


def _remember(call: Call, request: Request, status: int, body: Object) -> None:
    call.store.rows(
        "INSERT INTO answer (account, key, request, digest, status, body, request_id, created) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        call.account,
        call.idempotency_key,
        f"{request.method} {request.path}",
        _digest(call),
        status,
        json.dumps(body),
        call.request_id,
        call.now,
    )


def as_response(answer: Answer) -> Response:
    """An answer as HTTP."""
    response = Response(json.dumps(answer.body, indent=2), answer.status, mimetype="application/json")
    response.headers["Request-Id"] = answer.request_id
    if answer.replayed:
        response.headers["Idempotent-Replayed"] = "true"
        response.headers["Stripe-Should-Retry"] = "false"
    return response
