"""Hook implementations of the payment model `platform_charge` (E4)."""

from flask_babel import lazy_gettext as _l

from polyclinic.hooks.specs import hookimpl
from polyclinic.hooks.types import PaymentModel
from polyclinic_stripe.amounts import refuse_amount, step
from polyclinic_stripe.provider import StripeProvider


@hookimpl
def register_payment_model() -> PaymentModel:
    """Offer visits that the network's account charges when they are booked."""
    return PaymentModel(
        slug="platform_charge",
        name=_l("Paid online to the website"),
        explanation=_l("You pay online when you book. The visit is confirmed once it is paid."),
        charges_online=True,
        provider=StripeProvider(direct=False),
        earns="share",
        refuse_amount=refuse_amount,
        step=step,
    )
