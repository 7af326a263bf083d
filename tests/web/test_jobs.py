"""T2: what is written with its cause happens after commit, once, whatever dies in between."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from sqlalchemy import Engine, text

from polyclinic.app import create_app
from polyclinic.config import Settings
from polyclinic.kernel.clock import real_now
from polyclinic.kernel.due import fall_due
from polyclinic.kernel.outbox import announce
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.web import jobs, relay
from polyclinic.web.db import db
from polyclinic.web.jobs import Message
from polyclinic.web.places import PlaceFlask

KINDS = frozenset({"test.heard"})


class Listener:
    """A handler that remembers what it heard and fails as often as it is told to."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.failures = 0

    def __call__(self, message: Message) -> None:
        self.heard.append(message)
        if self.failures:
            self.failures -= 1
            raise ConnectionRefusedError("mail to somebody@example.org was refused")


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def working(settings: Settings, listener: Listener, clean: None) -> Iterator[PlaceFlask]:
    """An application of its own with one listener, and an empty queue."""
    app = create_app(settings)
    jobs.on(app, "test.heard", listener)
    jobs.queue_of(settings).empty()
    with app.app_context():
        yield app
        db.engine.dispose()


@pytest.fixture
def queue(settings: Settings) -> Queue:
    return jobs.queue_of(settings)


def say(engine: Engine, kind: str = "test.heard", **payload: object) -> None:
    with open_session(engine, Scope("network")) as session:
        announce(session, kind, dict(payload))
        session.commit()


def row(owner: Engine) -> dict[str, object]:
    with owner.connect() as connection:
        return dict(connection.execute(text("SELECT * FROM outbox ORDER BY id DESC LIMIT 1")).mappings().one())


def run_queue(app: PlaceFlask, queue: Queue) -> int:
    """Do what is queued in this process, by what the worker calls."""
    jobs.use_app(app)
    ids = queue.job_ids
    for job in queue.jobs:
        jobs.perform(*job.args)
    queue.empty()
    return len(ids)


def test_a_message_is_queued_once_and_done(
    working: PlaceFlask, engine: Engine, owner: Engine, queue: Queue, listener: Listener
) -> None:
    """T2: the row stays until the job reports done."""
    portal = uuid.uuid4()
    with open_session(engine, Scope("patient", portal=portal)) as session:
        announce(session, "test.heard", {"id": "7"}, portal_id=portal)
        session.commit()
    assert relay.relay_once(engine, queue, KINDS) == 1
    assert relay.relay_once(engine, queue, KINDS) == 0, "it is not queued again while it is being done"
    assert row(owner)["done_at"] is None
    assert run_queue(working, queue) == 1
    (message,) = listener.heard
    assert (message.payload, message.portal_id, message.scope.portal) == ({"id": "7"}, portal, portal)
    assert row(owner)["done_at"] is not None
    assert jobs.run_message(working, message.id, message.scope), "a second run finds nothing to do"
    assert len(listener.heard) == 1


def test_nothing_happens_after_a_rollback(engine: Engine, clean: None, queue: Queue) -> None:
    """T2: written in the transaction that causes it."""
    with open_session(engine, Scope("network")) as session:
        announce(session, "test.heard", {})
        session.rollback()
    assert relay.relay_once(engine, queue, KINDS) == 0


def test_a_kind_that_nobody_hears_is_done(engine: Engine, owner: Engine, clean: None, queue: Queue) -> None:
    say(engine, "test.unheard")
    relay.relay_once(engine, queue, KINDS)
    assert row(owner)["done_at"] is not None
    assert queue.is_empty()


def test_a_failure_is_retried_later_and_names_no_address(
    working: PlaceFlask, engine: Engine, owner: Engine, queue: Queue, listener: Listener
) -> None:
    """T2: retried with back-off."""
    listener.failures = 1
    say(engine)
    relay.relay_once(engine, queue, KINDS)
    run_queue(working, queue)
    found = row(owner)
    assert (found["done_at"], found["failed"]) == (None, "ConnectionRefusedError")
    assert isinstance(found["retry_at"], dt.datetime)
    assert dt.timedelta(0) < found["retry_at"] - real_now() <= jobs.PAUSES[0]
    assert relay.relay_once(engine, queue, KINDS) == 0, "not before its time"
    wake(owner)
    assert relay.relay_once(engine, queue, KINDS) == 1
    run_queue(working, queue)
    assert row(owner)["failed"] is None
    assert len(listener.heard) == 2


def wake(owner: Engine) -> None:
    """Let time pass for whatever waits to be retried."""
    with owner.begin() as connection:
        connection.execute(text("UPDATE outbox SET retry_at = retry_at - interval '1 day'"))


def test_pauses_grow_and_end() -> None:
    pauses = [jobs.pause_after(attempt) for attempt in range(1, jobs.ATTEMPTS)]
    assert pauses == sorted(pauses)
    assert dt.timedelta(days=2) < sum(pauses, dt.timedelta()) < dt.timedelta(days=5)


def test_a_message_is_given_up_after_many_failures(engine: Engine, owner: Engine, clean: None, queue: Queue) -> None:
    say(engine)
    with owner.begin() as connection:
        connection.execute(text("UPDATE outbox SET attempts = :most"), {"most": jobs.ATTEMPTS})
    assert relay.relay_once(engine, queue, KINDS) == 0


def test_losing_valkey_loses_nothing(
    working: PlaceFlask, engine: Engine, owner: Engine, queue: Queue, listener: Listener
) -> None:
    """T2: the outbox is the truth, the queue a copy."""
    say(engine)
    relay.relay_once(engine, queue, KINDS)
    queue.connection.flushdb()  # our own of the 64 databases: other tests run beside us
    assert run_queue(working, queue) == 0
    wake(owner)
    assert relay.relay_once(engine, queue, KINDS) == 1
    run_queue(working, queue)
    assert len(listener.heard) == 1


def test_two_relays_share_the_work(engine: Engine, clean: None, queue: Queue) -> None:
    """A relay passes over what another one holds."""
    for number in range(3):
        say(engine, number=number)
    with open_session(engine, Scope("relay")) as other:
        other.execute(text("SELECT id FROM outbox ORDER BY id LIMIT 2 FOR UPDATE"))
        assert relay.relay_once(engine, queue, KINDS) == 1
    queue.empty()


def test_a_secret_payload_is_forgotten(settings: Settings, engine: Engine, owner: Engine, clean: None) -> None:
    """U1: a code that was mailed is nowhere in clear."""
    app = create_app(settings)
    jobs.on(app, "test.secret", Listener(), forget=True)
    say(engine, "test.secret", code="123456")
    with app.app_context():
        number = row(owner)["id"]
        assert isinstance(number, int)
        jobs.run_message(app, number, Scope("job"))
        db.engine.dispose()
    assert row(owner)["payload"] == {}


def test_what_falls_due_is_announced_by_the_applications_clock(engine: Engine, owner: Engine, clean: None) -> None:
    """R3: moving the clock makes it due; nothing sleeps."""
    subject = uuid.uuid4()
    with open_session(engine, Scope("network")) as session:
        fall_due(session, "test.due", subject, real_now() + dt.timedelta(days=3))
        session.commit()
    assert relay.schedule_once(engine) == 0
    with owner.begin() as connection:
        connection.execute(text("UPDATE app_clock SET \"offset\" = interval '4 days'"))
    assert relay.schedule_once(engine) == 1
    assert (row(owner)["kind"], row(owner)["payload"]) == ("test.due", {"id": str(subject)})
    assert relay.schedule_once(engine) == 0


def test_done_messages_are_deleted_after_a_week(engine: Engine, owner: Engine, clean: None) -> None:
    for _ in range(2):
        say(engine)
    with owner.begin() as connection:
        connection.execute(text("UPDATE outbox SET done_at = clock_timestamp() - interval '8 days' WHERE id = 1"))
    assert relay.purge_once(engine) == 1
    assert row(owner)["id"] == 2


@pytest.fixture
def environ(settings: Settings, tmp_path: Path) -> dict[str, str]:
    """What a process of its own needs to run against the same servers."""
    return {
        **os.environ,
        "MODE": "test",
        "POLYCLINIC_HOME": str(tmp_path),
        "DATABASE_URL": settings.database_url.replace("postgresql+psycopg", "postgresql"),
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "ASYNC_MODE": "threading",
    }


WORKER = """
import pathlib, sys, time
from polyclinic.app import create_app
from polyclinic.web import jobs
app = create_app()
def slow(message):
    seen = pathlib.Path(sys.argv[1])
    first = not seen.exists()
    seen.open("a").write("began\\n")
    if first:
        time.sleep(300)
    seen.open("a").write("ended\\n")
jobs.on(app, "test.heard", slow)
jobs.work(app, burst=len(sys.argv) > 2)
"""


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_loses_nothing(
    engine: Engine, owner: Engine, clean: None, queue: Queue, environ: dict[str, str], tmp_path: Path
) -> None:
    """T2: killed with -9 while a job runs; the message is queued again and ends once."""
    seen = tmp_path / "seen"
    queue.empty()
    say(engine)
    relay.relay_once(engine, queue, KINDS)
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WORKER, str(seen)], env=environ, start_new_session=True
    )
    try:
        wait_for(lambda: seen.exists())
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        subprocess.run(["pkill", "-9", "-s", str(worker.pid)], check=False)  # the child has a group of its own
        worker.wait()
    assert row(owner)["done_at"] is None
    wake(owner)
    assert relay.relay_once(engine, queue, KINDS) == 1
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WORKER, str(seen), "burst"], env=environ, check=True, timeout=120
    )
    assert row(owner)["done_at"] is not None
    assert seen.read_text().splitlines() == ["began", "began", "ended"]


def wait_for(condition: object, seconds: float = 90.0) -> None:
    """Wait until ``condition()`` holds."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]  # a callable
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["relay", "scheduler", "worker"])
def test_a_process_works_and_stops_when_asked(
    command: str, engine: Engine, owner: Engine, clean: None, queue: Queue, environ: dict[str, str]
) -> None:
    """R2: graceful shutdown."""
    at_work = {
        "relay": lambda: row(owner)["done_at"] is not None,
        "scheduler": lambda: row(owner)["kind"] == "test.due",
        "worker": lambda: any(w.get_state() == "idle" for w in Worker.all(queue.connection)),
    }
    say(engine, "test.unheard")
    with open_session(engine, Scope("network")) as session:
        fall_due(session, "test.due", uuid.uuid4(), real_now())
        session.commit()
    process = subprocess.Popen([sys.executable, "-m", "polyclinic", command], env=environ)
    try:
        wait_for(at_work[command])
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def test_relay_survives_a_valkey_that_is_away(
    engine: Engine, owner: Engine, clean: None, settings: Settings, tmp_path: Path
) -> None:
    """T2: what cannot be queued now stays as it was."""
    away = Queue(jobs.QUEUE, Redis.from_url(replace(settings, redis_url=f"unix://{tmp_path}/none.sock").redis_url))
    say(engine)
    with pytest.raises(RedisError):
        relay.relay_once(engine, away, KINDS)
    assert (row(owner)["queued_at"], row(owner)["attempts"]) == (None, 0)
