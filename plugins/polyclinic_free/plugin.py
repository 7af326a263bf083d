"""Hook implementations of the payment model `free`."""

from flask_babel import lazy_gettext as _l

from polyclinic.hooks.specs import hookimpl
from polyclinic.hooks.types import PaymentModel


@hookimpl
def register_payment_model() -> PaymentModel:
    """Offer visits that cost nothing."""
    return PaymentModel(
        slug="free",
        name=_l("Free of charge"),
        explanation=_l("This visit costs you nothing."),
        charges_online=False,
        free_only=True,
    )
