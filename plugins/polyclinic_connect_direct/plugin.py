"""Hook implementations of the payment model `connect_direct` (E3)."""

from flask_babel import lazy_gettext as _l

from polyclinic.hooks.specs import hookimpl
from polyclinic.hooks.types import PaymentModel
from polyclinic_stripe.amounts import refuse_amount, step
from polyclinic_stripe.provider import StripeProvider


@hookimpl
def register_payment_model() -> PaymentModel:
    """Offer visits that the specialist's own account charges when they are booked."""
    return PaymentModel(
        slug="connect_direct",
        name=_l("Paid online to the specialist"),
        explanation=_l("You pay online when you book. The visit is confirmed once it is paid."),
        charges_online=True,
        provider=StripeProvider(direct=True),
        earns="commission",
        refuse_amount=refuse_amount,
        step=step,
    )
