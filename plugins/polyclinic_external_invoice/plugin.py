"""Hook implementations of the payment model `external_invoice` (E5)."""

from flask_babel import lazy_gettext as _l

from polyclinic.hooks.specs import hookimpl
from polyclinic.hooks.types import PaymentModel


@hookimpl
def register_payment_model() -> PaymentModel:
    """Offer visits that are confirmed at once and invoiced by the specialist afterwards."""
    return PaymentModel(
        slug="external_invoice",
        name=_l("Invoice from the specialist"),
        explanation=_l("Nothing is charged now. You receive an invoice after the visit."),
        charges_online=False,
        earns="commission",
    )
