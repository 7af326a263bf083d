"""Pure decisions about paying: which model serves a price, and how a payment may go on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from polyclinic.hooks.types import PaymentModel
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.money import Money

FREE = "free"
#: States in which money may still come; the others are ends.
LIVE = ("intended", "open", "processing")
_RANK = {"intended": 0, "open": 1, "processing": 2, "failed": 3, "expired": 3, "paid": 4}

#: What an idempotency key is followed by once its provider remembers a fault for it.
AGAIN = ":again:"
#: Pauses between tries while a provider does not answer; the last one repeats, so that everything is settled within a
#: minute of its coming back.
_PAUSES = tuple(dt.timedelta(seconds=seconds) for seconds in (5, 10, 20, 30))


def model_for(price: Money, chosen: str, models: Mapping[str, PaymentModel]) -> PaymentModel:
    """Return the payment model that serves a price on a portal which chose ``chosen``.

    What costs nothing is served by ``free``, whatever was chosen. Raises Conflict for a model that no plugin offers or
    whose provider has no keys, and for a price that ``chosen`` cannot take.
    """
    slug = chosen if price else FREE
    model = models.get(slug)
    if model is None or (model.charges_online and (model.provider is None or not model.provider.available())):
        raise Conflict(
            "payment-model-unavailable",
            _l("Booking is not possible here at the moment: this way of paying is not available."),
            extra={"payment_model": slug},
        )
    if model.free_only and price:
        raise Conflict("price-not-free", _l("Booking is not possible here at the moment: visits here cost nothing."))
    if price and (sentence := refuse_amount(model, price)) is not None:
        raise Conflict("price-refused", sentence)
    return model


def refuse_amount(model: PaymentModel, price: Money) -> Any | None:
    """Return the sentence why a model cannot charge a price, such as one too small to be paid online, or None."""
    return None if model.refuse_amount is None else model.refuse_amount(price)


def moves_forward(state: str, to: str) -> bool:
    """Tell whether a payment in ``state`` may become ``to``: only forward, and money that came always counts."""
    return _RANK[to] > _RANK[state]


def renewed_key(key: str, tries: int) -> str:
    """Return the idempotency key that asks again where a provider remembers its own fault for ``key`` (E7)."""
    return f"{key.partition(AGAIN)[0]}{AGAIN}{tries}"


def pause_after(tries: int) -> dt.timedelta:
    """Return how long a payment or refund rests after the provider did not answer for the ``tries``-th time."""
    return _PAUSES[min(max(tries, 1), len(_PAUSES)) - 1]
