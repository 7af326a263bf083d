"""The ground every test stands on: real PostgreSQL and Valkey, the production roles, one database per process.

The servers start once, shared by the processes of pytest-xdist; each process has a database copied from a migrated
template. Rows of a test are removed after it (TRUNCATE as the owner), so tests need no order.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from polyclinic.app import create_app
from polyclinic.config import Settings
from polyclinic.kernel.models import Base
from polyclinic.kernel.scope import bind_roles
from polyclinic.models import load_models
from polyclinic.runtime.throwaway import throwaway_servers
from polyclinic.web.db import db, engine_options
from polyclinic.web.limits import current_limits
from polyclinic.web.places import PlaceFlask
from support.cast import Cast, make_cast
from support.client import Browser
from support.schema import migrate

HANDOVER = "POLYCLINIC_TEST_SERVERS"
EMPTYING_TRIES = 10
PREFIX = "polyclinic"
pytest_plugins = [
    "support.factories",
    "support.calendars",
    "support.bookings",
    "support.live",
    "support.visitors",
    "support.stripe_simulator",
    "support.money",
]


@dataclass(frozen=True)
class Ground:
    """Addresses of what runs for the tests."""

    home: Path
    superuser_url: str
    owner_url: str
    login_url: str
    redis_url: str

    def of(self, database: str) -> Ground:
        """The same servers, another database."""
        urls = (self.superuser_url, self.owner_url, self.login_url)
        return Ground(self.home, *(url.replace("@/template?", f"@/{database}?") for url in urls), self.redis_url)


def start_ground(stack: ExitStack) -> Ground:
    """Start both servers and migrate the template database."""
    servers = stack.enter_context(throwaway_servers())
    postgres = servers.postgres
    installation = postgres.prepare("template", PREFIX)
    ground = Ground(
        servers.home,
        postgres.url("template"),
        postgres.url("template", installation.owner.name),
        postgres.url("template", installation.login.name),
        servers.valkey.url,
    )
    migrate(ground.owner_url)
    return ground


def pytest_configure(config: pytest.Config) -> None:
    """With several processes, start the servers before them and hand the addresses over."""
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):
        return
    stack = ExitStack()
    config.add_cleanup(stack.close)
    os.environ[HANDOVER] = pickle.dumps(start_ground(stack)).hex()


@pytest.fixture(scope="session")
def servers() -> Iterator[Ground]:
    """The servers: inherited from the process that started the others, or our own."""
    handed = os.environ.get(HANDOVER)
    if handed:
        yield pickle.loads(bytes.fromhex(handed))
        return
    with ExitStack() as stack:
        yield start_ground(stack)


@pytest.fixture(scope="session")
def ground(servers: Ground, worker_id: str) -> Ground:
    """A database of this process's own, copied from the template."""
    name = f"test_{worker_id}"
    admin = create_engine(servers.of("postgres").superuser_url, isolation_level="AUTOCOMMIT")
    with (servers.home / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a template is copied by one at a time
        with admin.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template OWNER {PREFIX}_owner'))
    admin.dispose()
    return servers.of(name)


@pytest.fixture(scope="session")
def settings(ground: Ground, worker_id: str) -> Settings:
    """Settings of a process in test mode, as the login role; every process has a Valkey database of its own."""
    number = 0 if worker_id == "master" else int(worker_id.removeprefix("gw"))
    return Settings(
        mode="test",
        home=ground.home / worker_id,
        database_url=ground.login_url,
        owner_database_url=ground.owner_url,
        redis_url=f"{ground.redis_url}?db={number}",
        secret_key="tests only: not a secret, but long enough",
        async_mode="threading",
        pool_size=20,
    )


@pytest.fixture(scope="session")
def owner(ground: Ground) -> Iterator[Engine]:
    """The superuser: for set-up, moving the clock and looking at rows from outside every policy."""
    engine = create_engine(ground.superuser_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    """The login role's engine, with the roles' names: what production code uses."""
    engine = bind_roles(create_engine(settings.database_url, **engine_options(settings)), settings.role_prefix)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[PlaceFlask]:
    """The application, as production composes it."""
    settings.home.mkdir(parents=True, exist_ok=True)
    app = create_app(settings)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def clean(owner: Engine) -> Iterator[None]:
    """Leave no rows behind."""
    yield
    load_models()
    tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables if table.name != "app_clock")
    for attempt in range(EMPTYING_TRIES):  # a web process of the same test may still be reading: 40P01, 55P03
        try:
            with owner.begin() as connection:
                connection.execute(text("SET LOCAL lock_timeout = '5s'"))
                connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
                connection.execute(text("UPDATE app_clock SET \"offset\" = '0'"))
            return
        except OperationalError:
            if attempt == EMPTYING_TRIES - 1:
                raise
            time.sleep(0.2)


@pytest.fixture
def cast(clean: None, owner: Engine, app: PlaceFlask) -> Cast:
    """The cast of characters: two operators, three portals, the same patient e-mail on all, a shared specialist."""
    cast = make_cast(owner)
    app.places.forget()
    with app.app_context():
        current_limits().forget()
    return cast


@pytest.fixture
def browser(app: PlaceFlask) -> Browser:
    """A test client per host, as one person's browser: cookies stay with the host that set them."""
    return Browser(app)
