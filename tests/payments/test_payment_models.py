"""Which payment model serves a price (E2, E5)."""

import pytest

from polyclinic.hooks.registry import build
from polyclinic.hooks.specs import hookimpl
from polyclinic.hooks.types import PaymentModel
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.money import Money
from polyclinic.payments.rules import model_for
from polyclinic.payments.services import payment_terms
from polyclinic.tenancy.places import PortalView
from polyclinic.web.places import PlaceFlask
from support.cast import Cast

PRICE, NOTHING = Money(8000, "EUR"), Money(0, "EUR")


class Cards:
    """A payment model that charges online, which is not built yet."""

    @hookimpl
    def register_payment_model(self) -> PaymentModel:
        """Offer it."""
        return PaymentModel("cards", "Cards", "You pay now.", charges_online=True)


def test_built_in_models_come_by_hook() -> None:
    """E3–E5: `external_invoice`, `free` and the two that charge online, from plugins like any other."""
    models = build().payment_models
    assert set(models) == {"external_invoice", "free", "connect_direct", "platform_charge"}
    assert model_for(PRICE, "external_invoice", models).slug == "external_invoice"


@pytest.mark.parametrize("chosen", ["external_invoice", "free"])
def test_what_costs_nothing_is_free_whatever_was_chosen(chosen: str) -> None:
    """E5: `free` serves services at price 0."""
    assert model_for(NOTHING, chosen, build().payment_models).slug == "free"


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        ("free", "price-not-free"),
        ("nobody-offers-this", "payment-model-unavailable"),
        ("cards", "payment-model-unavailable"),
    ],
)
def test_models_that_cannot_serve_a_price_are_refused(chosen: str, code: str) -> None:
    """E2: nothing is booked that could not be paid as promised."""
    with pytest.raises(Conflict) as refusal:
        model_for(PRICE, chosen, build(Cards()).payment_models)
    assert refusal.value.code == code


def test_patients_read_the_portals_own_terms_or_the_models(cast: Cast, app: PlaceFlask) -> None:
    """E5: the sentence before the button."""
    portal = app.places.portal(cast.alpha.id)
    assert isinstance(portal, PortalView)
    with app.test_request_context(base_url="http://alpha.localhost:8000", headers={"Accept-Language": "en"}):
        hooks = app.extensions["polyclinic.hooks"]
        assert "invoice" in payment_terms(hooks, portal, PRICE).sentence
        assert "nothing" in payment_terms(hooks, portal, NOTHING).sentence
