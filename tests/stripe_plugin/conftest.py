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
from support.stripe_doors import KEYS, Worker, add_payment


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[PlaceFlask]:
    """The application with keys."""
    app = create_app(replace(settings, stripe=KEYS))
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
