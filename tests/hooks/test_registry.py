"""X1: plugins are found, checked at start and called by the specifications' names."""

import datetime as dt
import uuid
from typing import Any

import pluggy
import pytest

from polyclinic.app import create_app
from polyclinic.config import Settings
from polyclinic.hooks.registry import build
from polyclinic.hooks.specs import hookimpl
from polyclinic.hooks.types import AppointmentChange, PaymentModel
from polyclinic.kernel.errors import Defect
from polyclinic.web.db import db


class Vouchers:
    """A plugin that implements every hook there is."""

    def __init__(self, slug: str = "vouchers") -> None:
        self.slug = slug
        self.apps: list[Any] = []
        self.changes: list[AppointmentChange] = []

    @hookimpl
    def register_payment_model(self) -> PaymentModel:
        """Offer vouchers."""
        return PaymentModel(self.slug, "Vouchers", "You pay with a voucher.", charges_online=False)

    @hookimpl
    def register_pages(self, app: Any) -> None:
        """Remember the application."""
        self.apps.append(app)

    @hookimpl
    def appointment_changed(self, change: AppointmentChange) -> None:
        """Remember the change."""
        self.changes.append(change)


def test_built_in_payment_models_are_plugins() -> None:
    """X1: they come through the same hooks, found by their entry points."""
    models = build().payment_models
    assert {"free", "external_invoice"} <= set(models)
    assert models["free"].free_only


def test_a_plugin_adds_pages_to_the_application(settings: Settings) -> None:
    """X3: once, after the product's own."""
    plugin = Vouchers()
    app = create_app(settings, plugin)
    assert plugin.apps == [app]
    with app.app_context():
        db.engine.dispose()


def test_a_plugin_offers_a_payment_model_and_hears_of_appointments() -> None:
    plugin = Vouchers()
    hooks = build(plugin)
    assert hooks.payment_models["vouchers"].explanation == "You pay with a voucher."
    change = AppointmentChange(
        "confirmed",
        uuid.uuid4(),
        uuid.uuid4(),
        uuid.uuid4(),
        uuid.uuid4(),
        dt.datetime(2026, 12, 1, tzinfo=dt.UTC),
        "patient",
    )
    hooks.call.appointment_changed(change=change)
    assert plugin.changes == [change]


def test_two_plugins_cannot_offer_one_payment_model() -> None:
    with pytest.raises(Defect, match="vouchers"):
        build(Vouchers(), Vouchers())


def test_a_misspelt_hook_fails_at_start() -> None:
    """X1: check_pending."""

    class Misspelt:
        @hookimpl
        def appointment_changes(self, change: AppointmentChange) -> None:
            """No such hook."""

    with pytest.raises(pluggy.PluginValidationError):
        build(Misspelt())
