"""Pure decisions about paying: which payment model serves a price."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l

from polyclinic.hooks.types import PaymentModel
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.money import Money

FREE = "free"


def model_for(price: Money, chosen: str, models: Mapping[str, PaymentModel]) -> PaymentModel:
    """Return the payment model that serves a price on a portal which chose ``chosen``.

    What costs nothing is served by ``free``, whatever was chosen. Raises Conflict for a model that no plugin offers
    and for a price that ``chosen`` cannot take.
    """
    slug = chosen if price else FREE
    model = models.get(slug)
    if model is None or model.charges_online:
        raise Conflict(
            "payment-model-unavailable",
            _l("Booking is not possible here at the moment: this way of paying is not available."),
            extra={"payment_model": slug},
        )
    if model.free_only and price:
        raise Conflict("price-not-free", _l("Booking is not possible here at the moment: visits here cost nothing."))
    return model
