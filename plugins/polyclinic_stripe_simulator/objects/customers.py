"""Customers of an account."""

from __future__ import annotations

from polyclinic_stripe_simulator.api.calls import Call, handles
from polyclinic_stripe_simulator.document.skeletons import build
from polyclinic_stripe_simulator.objects.listing import listed
from polyclinic_stripe_simulator.objects.metadata import changed_metadata, clean_metadata
from polyclinic_stripe_simulator.store import Object

KIND = "customer"
PLAIN = ("address", "business_name", "description", "email", "individual_name", "name", "phone", "shipping")


@handles("POST /v1/customers")
def create_customer(call: Call) -> Object:
    """A new customer of this account."""
    found = build(
        KIND,
        id=call.store.new_id("cus", 14),
        created=call.now,
        livemode=False,
        balance=0,
        delinquent=False,
        invoice_prefix=call.store.new_id("x", 8)[2:].upper(),
        metadata=clean_metadata(call.params.get("metadata")),
        tax_exempt="none",
        preferred_locales=call.params.get("preferred_locales", []),
        **{name: call.params[name] or None for name in PLAIN if name in call.params},
    )
    call.store.insert(found, call.account)
    call.emit("customer.created", found)
    return found


@handles("GET /v1/customers")
def list_customers(call: Call) -> Object:
    """Customers of this account."""
    return listed(call, call.store.all(KIND, call.account), "/v1/customers")


@handles("GET /v1/customers/{customer}")
def get_customer(call: Call) -> Object:
    """One customer."""
    return call.find(KIND, call.ids[0])


@handles("POST /v1/customers/{customer}")
def update_customer(call: Call) -> Object:
    """Change a customer."""
    found = call.find(KIND, call.ids[0])
    found |= {name: call.params[name] or None for name in PLAIN if name in call.params}
    found["metadata"] = changed_metadata(found["metadata"], call.params.get("metadata"))
    call.store.save(found)
    call.emit("customer.updated", found)
    return found


@handles("DELETE /v1/customers/{customer}")
def delete_customer(call: Call) -> Object:
    """Forget a customer."""
    found = call.find(KIND, call.ids[0])
    call.store.delete(found["id"])
    call.emit("customer.deleted", found)
    return {"id": found["id"], "object": KIND, "deleted": True}
