"""An application that speaks to the Stripe simulator, and a till at which the cast pays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from polyclinic.app import create_app
from polyclinic.config import Settings, StripeKeys
from polyclinic.web.db import db
from polyclinic.web.places import PlaceFlask
from support.bookings import Desk
from support.stripe_doors import Worker
from support.stripe_simulator import KEY, SECRETS, StripeServer, StripeSimulator
from support.till import Till


@pytest.fixture(scope="session")
def app(settings: Settings, stripe_server: StripeServer) -> Iterator[PlaceFlask]:
    """The application with keys of the simulator."""
    secrets = {f"{name}_secrets": (SECRETS[name],) for name in ("account", "connect", "thin")}
    keys = StripeKeys(secret_key=KEY, api_base=stripe_server.url, **secrets)
    app = create_app(replace(settings, stripe=keys))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def till(desk: Desk, app: PlaceFlask, owner: Engine, stripe_sim: StripeSimulator) -> Till:
    """Alpha charges by the platform's account; Beta's specialists by their own."""
    till = Till(desk, Worker(app, owner), stripe_sim)
    desk.setting(desk.cast.alpha, "payment.model", "platform_charge")
    desk.setting(desk.cast.beta, "payment.model", "connect_direct")
    for specialist in (desk.cast.ben, desk.cast.sam):
        till.connect(specialist)
    return till
