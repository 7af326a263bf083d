"""Connected accounts: Accounts v2, links to onboarding, and what an account may do."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from polyclinic_stripe_simulator.api.calls import Call, handles
from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.errors import Refused, missing, required
from polyclinic_stripe_simulator.objects.listing import listed_v2
from polyclinic_stripe_simulator.simulation import Simulation, timestamp
from polyclinic_stripe_simulator.store import PLATFORM, Object

KIND = "v2.core.account"
INCLUDED = (
    "configuration.customer",
    "configuration.merchant",
    "configuration.recipient",
    "defaults",
    "future_requirements",
    "identity",
    "requirements",
)
LINK_SECONDS = 300
ASKED = {
    "identity.individual.date_of_birth": "The date of birth of the person",
    "external_account": "A bank account for payouts",
}
"""What onboarding asks for, in the words of a requirement's description."""
BLOCKED = {("full", "application"), ("full", "application_custom"), ("express", "stripe")}
"""Dashboards that cannot go with a losses collector (Stripe's matrix)."""


@handles("POST /v2/core/accounts")
def create_account(call: Call) -> Object:
    """A new connected account, which can do nothing yet."""
    if call.account:
        raise Refused("Accounts are created by the platform: leave Stripe-Account away.", param="Stripe-Account")
    configuration = call.params.get("configuration") or {}
    _check(call.params, configuration)
    identity = call.store.new_id("acct", 16)
    found: Object = {
        "id": identity,
        "object": KIND,
        "applied_configurations": sorted(name for name, value in configuration.items() if value is not None),
        "closed": False,
        "configuration": _configured(configuration),
        "contact_email": call.params.get("contact_email"),
        "created": timestamp(call.now),
        "dashboard": call.params.get("dashboard", "full"),
        "defaults": _defaults(call.params.get("defaults") or {}),
        "display_name": call.params.get("display_name"),
        "future_requirements": {"entries": []},
        "identity": {key: value for key, value in (call.params.get("identity") or {}).items() if key != "individual"},
        "livemode": False,
        "metadata": call.params.get("metadata") or {},
    }
    found["requirements"] = _requirements(found, list(ASKED))
    call.store.insert(found, PLATFORM, {"due": list(ASKED)})
    return shown(found, call.params)


def _check(params: dict[str, Any], configuration: dict[str, Any]) -> None:
    if configuration and not (params.get("identity") or {}).get("country"):
        raise required("identity.country")
    if ("merchant" in configuration or "recipient" in configuration) and "dashboard" not in params:
        raise required("dashboard")
    responsibilities = (params.get("defaults") or {}).get("responsibilities") or {}
    if configuration and not responsibilities:
        raise required("defaults.responsibilities")
    if (params.get("dashboard"), responsibilities.get("losses_collector")) in BLOCKED:
        raise Refused(
            f"An account with the {params['dashboard']} dashboard cannot have losses_collector "
            f"{responsibilities['losses_collector']}.",
            param="defaults.responsibilities.losses_collector",
        )


def _defaults(given: dict[str, Any]) -> Object:
    responsibilities = {
        "fees_collector": "stripe",
        "losses_collector": "stripe",
        **(given.get("responsibilities") or {}),
        "requirements_collector": "stripe",
    }
    return {**given, "responsibilities": responsibilities}


def _configured(given: dict[str, Any]) -> Object:
    found: Object = {}
    for name, value in given.items():
        if value is not None:
            capabilities = _requested(value.get("capabilities") or {})
            kept = {key: inner for key, inner in value.items() if key != "capabilities"}
            found[name] = {**kept, "applied": True, **({"capabilities": capabilities} if capabilities else {})}
    return found


def _requested(given: dict[str, Any]) -> Object:
    found: Object = {}
    for name, value in given.items():
        if isinstance(value, dict) and "requested" in value:
            if value["requested"]:
                found[name] = capability("restricted")
        elif isinstance(value, dict):
            found[name] = _requested(value)
    return found


def capability(status: str) -> Object:
    """A capability with the reason for its status."""
    reasons = {"restricted": "requirements_past_due", "pending": "requirements_pending_verification"}
    code = reasons.get(status)
    resolution = "provide_info" if status == "restricted" else "no_resolution"
    return {"status": status, "status_details": [{"code": code, "resolution": resolution}] if code else []}


def _requirements(account: Object, due: list[str]) -> Object:
    impacts = [
        {"capability": name, "configuration": configuration, "deadline": {"status": "past_due"}}
        for configuration, name in capability_names(account)
    ]
    entries = [
        {
            "awaiting_action_from": "user",
            "description": name,
            "errors": [],
            "impact": {"restricts_capabilities": impacts},
            "minimum_deadline": {"status": "past_due"},
            "requested_reasons": [{"code": "routine_onboarding"}],
        }
        for name in due
    ]
    summary = {"minimum_deadline": {"status": "past_due"}} if entries else {}
    return {"entries": entries, **({"summary": summary} if summary else {})}


def capability_names(account: Object) -> list[tuple[str, str]]:
    """Configuration and dotted name of each capability an account has."""
    found = []
    for configuration, value in (account.get("configuration") or {}).items():
        for name, inner in (value.get("capabilities") or {}).items():
            if "status" in inner:
                found.append((configuration, name))
            else:
                found += [(configuration, f"{name}.{below}") for below in inner]
    return found


def shown(account: Object, params: dict[str, Any]) -> Object:
    """An account with what was asked for; everything that is not named in `include` is null."""
    wanted = params.get("include") or []
    for name in wanted:
        if name not in INCLUDED:
            raise Refused(f"Invalid include: must be one of {', '.join(INCLUDED)}", param="include")
    found = deepcopy(account)
    for name in ("defaults", "future_requirements", "identity", "requirements"):
        if name not in wanted:
            found[name] = None
    names = [name.partition(".")[2] for name in wanted if name.startswith("configuration.")]
    configuration = found["configuration"]
    found["configuration"] = {n: configuration.get(n) for n in ("customer", "merchant", "recipient")} if names else None
    for name in found["configuration"] or {}:
        if name not in names:
            found["configuration"][name] = None
    return found


def _account(call: Call, identity: str) -> Object:
    found = call.store.get(identity, PLATFORM)
    if found is None or found["object"] != KIND or (call.account and call.account != identity):
        raise missing("account", identity)
    return found


@handles("GET /v2/core/accounts/{id}")
def get_account(call: Call) -> Object:
    """An account of the platform."""
    return shown(_account(call, call.ids[0]), call.params)


@handles("GET /v2/core/accounts")
def list_accounts(call: Call) -> Object:
    """All accounts, newest first."""
    found = [shown(one, {}) for one in call.store.all(KIND)]
    return listed_v2(call, found, "/v2/core/accounts")


@handles("POST /v2/core/accounts/{id}")
def update_account(call: Call) -> Object:
    """Change details, or ask for more capabilities."""
    found = _account(call, call.ids[0])
    for name in ("contact_email", "display_name", "dashboard"):
        if name in call.params:
            found[name] = call.params[name]
    found["identity"] |= {k: v for k, v in (call.params.get("identity") or {}).items() if k != "individual"}
    found["metadata"] |= {k: v for k, v in (call.params.get("metadata") or {}).items() if v is not None}
    for name, value in _configured(call.params.get("configuration") or {}).items():
        known = found["configuration"].get(name, {})
        capabilities = {**value.get("capabilities", {}), **known.get("capabilities", {})}
        found["configuration"][name] = {**known, **value, "capabilities": capabilities}
    found["applied_configurations"] = sorted(found["configuration"])
    settle(call.simulation, found)
    return shown(found, call.params)


@handles("POST /v2/core/accounts/{id}/close")
def close_account(call: Call) -> Object:
    """End an account."""
    found = _account(call, call.ids[0])
    found["closed"] = True
    set_capabilities(found, "restricted")
    call.store.save(found)
    call.simulation.emit_thin("v2.core.account.closed", found["id"])
    return shown(found, call.params)


def settle(simulation: Simulation, account: Object, due: list[str] | None = None, status: str | None = None) -> None:
    """Give an account its requirements and, by them, the status of its capabilities; tell who listens."""
    store = simulation.store
    due = store.hidden(account["id"]).get("due", []) if due is None else due
    account["requirements"] = _requirements(account, due)
    before = statuses(account)
    set_capabilities(account, status or ("restricted" if due or account["closed"] else "active"))
    store.save(account, due=due)
    simulation.emit_thin("v2.core.account[requirements].updated", account["id"])
    for configuration in sorted({name[0] for name, now in statuses(account).items() if before.get(name) != now}):
        kind = f"v2.core.account[configuration.{configuration}].capability_status_updated"
        simulation.emit_thin(kind, account["id"])
    simulation.emit("account.updated", v1_account(simulation, account), account["id"])


def statuses(account: Object) -> dict[tuple[str, str], str]:
    """The status of each capability."""
    return {name: _capability(account, *name)["status"] for name in capability_names(account)}


def set_capabilities(account: Object, status: str) -> None:
    """Give all capabilities one status."""
    for name in capability_names(account):
        found = _capability(account, *name)
        found.update(capability(status))


def _capability(account: Object, configuration: str, name: str) -> Object:
    found: Object = account["configuration"][configuration]["capabilities"]
    for part in name.split("."):
        found = found[part]
    return found


def active(account: Object | None, configuration: str, name: str) -> bool:
    """Whether an account has an active capability: `merchant` and `card_payments`, say."""
    return account is not None and statuses(account).get((configuration, name)) == "active"


@handles("POST /v2/core/account_links")
def create_link(call: Call) -> Object:
    """An address for onboarding: for one visit, within minutes."""
    account = _account(call, call.params["account"])
    use = call.params["use_case"]
    if use["type"] not in use:
        raise required(f"use_case.{use['type']}")
    identity = call.store.new_id("link")
    link = {
        "object": "v2.core.account_link",
        "account": account["id"],
        "created": timestamp(call.now),
        "expires_at": timestamp(call.now + LINK_SECONDS),
        "livemode": False,
        "url": f"{call.simulation.options.public_url}/onboarding/{identity}",
        "use_case": use,
    }
    hidden = {"until": call.now + LINK_SECONDS, "used": False, "link": link}
    call.store.insert({"id": identity, "object": "link", "account": account["id"]}, PLATFORM, hidden)
    return link


@handles("GET /v1/account", "GET /v1/accounts/{account}")
def get_v1_account(call: Call) -> Object:
    """An account as v1 shows it; the platform's own has no v2 account here."""
    identity = call.ids[0] if call.ids else call.account
    if not identity:
        return build("account", id="acct_polyclinicPlatform", charges_enabled=True, payouts_enabled=True)
    return v1_account(call.simulation, _account(call, identity))


def v1_account(simulation: Simulation, account: Object) -> Object:
    """An account as v1 shows it."""
    due = simulation.store.hidden(account["id"]).get("due", [])
    return build(
        "account",
        id=account["id"],
        charges_enabled=active(account, "merchant", "card_payments"),
        payouts_enabled=not due,
        details_submitted=not due,
        email=account["contact_email"],
        country=str(account["identity"].get("country", "")).upper(),
        metadata=account["metadata"],
    )
