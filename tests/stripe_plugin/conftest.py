"""An application that has keys of Stripe, payments to be told about, and what its worker would do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from polyclinic.app import create_app
from polyclinic.config import Settings
from polyclinic.web.db import db
from polyclinic.web.places import PlaceFlask
from support.cast import Cast
from support.stripe_doors import Worker, add_payment, keys_for
from support.stripe_simulator import StripeServer


@pytest.fixture(scope="session")
def app(settings: Settings, stripe_server: StripeServer) -> Iterator[PlaceFlask]:
    """The application with keys of the simulator."""
    app = create_app(replace(settings, stripe=keys_for(stripe_server.url)))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def worker(app: PlaceFlask, owner: Engine, clean: None) -> Worker:
    """Somebody who does the jobs when the test says so."""
    return Worker(app, owner)


@pytest.fixture
def payment(cast: Cast, owner: Engine) -> uuid.UUID:
    """A payment on Alpha that the platform's account charges."""
    return add_payment(owner, cast.alpha, cast.ada, "")


@pytest.fixture
def connected_payment(cast: Cast, owner: Engine) -> uuid.UUID:
    """A payment on Alpha that Ada's account charges."""
    return add_payment(owner, cast.alpha, cast.ada, "acct_ada")
