"""Hook implementations of the library `stripe`: the doors through which Stripe speaks to the product (E7)."""

from flask import Flask

from polyclinic.hooks.specs import hookimpl
from polyclinic_stripe import webhooks


@hookimpl
def register_pages(app: Flask) -> None:
    """Open the webhook endpoints on the host of inbound webhooks."""
    app.register_blueprint(webhooks.blueprint)
