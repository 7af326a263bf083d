"""Events that can still be read when a delivery got lost, v1 and v2; and what else is only listed."""

from __future__ import annotations

from polyclinic_stripe_simulator.api.calls import Call, handles
from polyclinic_stripe_simulator.errors import missing
from polyclinic_stripe_simulator.objects.listing import listed, listed_v2
from polyclinic_stripe_simulator.store import PLATFORM, Object


@handles("GET /v1/events")
def list_events(call: Call) -> Object:
    """Events of this account, by type or by whether their delivery succeeded."""
    found = [_counted(call, one) for one in call.store.all("event", call.account)]
    types = call.params.get("types")
    if types:
        found = [one for one in found if one["type"] in types]
    wanted = call.params.get("delivery_success")
    if wanted is not None:
        found = [one for one in found if (one["pending_webhooks"] == 0) == wanted]
    return listed(call, found, "/v1/events", "types", "delivery_success")


@handles("GET /v1/events/{id}")
def get_event(call: Call) -> Object:
    """One event."""
    return _counted(call, call.find("event", call.ids[0]))


def _counted(call: Call, event: Object) -> Object:
    rows = call.store.rows(
        "SELECT count(*) AS open FROM delivery WHERE event = ? AND state <> 'delivered'", event["id"]
    )
    return {**event, "pending_webhooks": int(rows[0]["open"])}


@handles("GET /v2/core/events")
def list_thin_events(call: Call) -> Object:
    """v2 events, of one object where that is named."""
    found = call.store.all("v2.core.event", PLATFORM)
    wanted = call.params.get("object_id")
    if wanted:
        found = [one for one in found if one["related_object"]["id"] == wanted]
    return listed_v2(call, found, "/v2/core/events")


@handles("GET /v2/core/events/{id}")
def get_thin_event(call: Call) -> Object:
    """One v2 event."""
    found = call.store.get(call.ids[0], PLATFORM)
    if found is None or found["object"] != "v2.core.event":
        raise missing("event", call.ids[0])
    return found


@handles("GET /v1/payouts")
def list_payouts(call: Call) -> Object:
    """None: nothing is paid out here."""
    return listed(call, call.store.all("payout", call.account), "/v1/payouts")


@handles("GET /v1/payouts/{payout}")
def get_payout(call: Call) -> Object:
    """No payout exists."""
    return call.find("payout", call.ids[0])


@handles("GET /v1/setup_intents")
def list_setups(call: Call) -> Object:
    """Setup intents of this account."""
    return listed(call, call.store.all("setup_intent", call.account), "/v1/setup_intents")


@handles("GET /v1/setup_intents/{intent}")
def get_setup(call: Call) -> Object:
    """One setup intent."""
    return call.find("setup_intent", call.ids[0])
