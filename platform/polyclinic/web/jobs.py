"""Jobs: what a message of the outbox makes happen after commit, in a worker (T2).

A feature registers a handler per kind with ``on(app, kind, handler)``. Handlers are idempotent: a message may run twice
when a worker dies or Valkey is lost, and all handlers of a message run again when one of them failed. The outbox row
stays until all of them are done; failures are retried with growing pauses by the relay.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from flask import Flask
from redis import Redis
from sqlalchemy import Engine, select, update

from polyclinic.config import Settings
from polyclinic.kernel.clock import real_now
from polyclinic.kernel.errors import Defect
from polyclinic.kernel.later import Later
from polyclinic.kernel.outbox import OutboxMessage
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.web.db import db

if TYPE_CHECKING:
    import rq
    import rq.serializers
else:  # every process knows the kinds of messages, only relay and worker the queue
    rq = Later("rq")

log = logging.getLogger(__name__)

QUEUE = "polyclinic"
#: Seconds a job may take; the relay believes a queued message lost after LEASE (a worker died, Valkey was emptied).
TIMEOUT = 60
LEASE = dt.timedelta(seconds=TIMEOUT + 30)
#: Pauses after the first, second … failure; the last one repeats. About three days in all.
PAUSES = tuple(dt.timedelta(seconds=seconds) for seconds in (5, 20, 60, 300, 900, 3600, 4 * 3600))
ATTEMPTS = 24
_KEY, _NEEDED = "polyclinic.jobs", "polyclinic.jobs.modules"
_running: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the outbox as its handlers see it."""

    id: int
    kind: str
    payload: dict[str, Any]
    portal_id: uuid.UUID | None
    created_at: dt.datetime
    scope: Scope
    """The scope of the job: of the portal the message belongs to, or of none."""

    @property
    def cause(self) -> str:
        """What deliveries and other effects name as their cause, once and for all."""
        return f"{self.kind}:{self.id}"


Handler = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class Registered:
    """The handlers of one kind."""

    handlers: tuple[Handler, ...]
    forget: bool
    """Whether the payload holds a secret, to be wiped when done."""


def on(app: Flask, kind: str, handler: Handler, *, forget: bool = False) -> None:
    """Have ``handler`` called for every message of ``kind``, in a worker, inside an app context."""
    kinds: dict[str, Registered] = app.extensions.setdefault(_KEY, {})
    known = kinds.get(kind, Registered((), False))
    kinds[kind] = Registered((*known.handlers, handler), known.forget or forget)


def needs(app: Flask, *modules: str) -> None:
    """Have a worker import what its jobs need before the first of them, or each job's own process would do it again."""
    app.extensions.setdefault(_NEEDED, []).extend(modules)


def kinds_of(app: Flask) -> frozenset[str]:
    """The kinds of messages that somebody handles; others are done when they are written."""
    return frozenset(app.extensions.get(_KEY, {}))


def queue_of(settings: Settings) -> rq.Queue:
    """The queue of this installation."""
    connection, serializer = Redis.from_url(settings.redis_url), rq.serializers.JSONSerializer
    return rq.Queue(QUEUE, connection, serializer=serializer, default_timeout=TIMEOUT)


def job_for(message_id: int, portal_id: uuid.UUID | None) -> Any:
    """What the relay puts into the queue for a message: a fixed id, its scope, and tries for workers that die."""
    return rq.Queue.prepare_data(
        "polyclinic.web.jobs.perform",
        (message_id, Scope("job", portal=portal_id).as_json()),
        job_id=f"outbox-{message_id}",
        description=f"outbox message {message_id}",
        timeout=TIMEOUT,
        result_ttl=0,
        failure_ttl=24 * 3600,
        retry=rq.Retry(max=3),
    )


def perform(message_id: int, scope: dict[str, Any]) -> None:
    """Run a queued message; what RQ calls in the worker's child process."""
    app = cast("Flask | None", _running.get("app"))
    if app is None:
        raise Defect("jobs run in a worker: polyclinic worker")
    with app.app_context():
        if _running["pid"] != os.getpid():
            db.engine.dispose(close=False)  # the parent's connections are the parent's
            _running["pid"] = os.getpid()
        run_message(app, message_id, Scope.from_json(scope))


def run_message(app: Flask, message_id: int, scope: Scope) -> bool:
    """Call every handler of a message that is not done yet; returns whether it is done now."""
    engine = db.engine
    message = _load(engine, message_id, scope)
    if message is None:
        return True
    registered: Registered = app.extensions.get(_KEY, {}).get(message.kind, Registered((), False))
    errors = [error for handler in registered.handlers if (error := _attempt(handler, message)) is not None]
    _report(engine, message_id, errors, forget=registered.forget)
    return not errors


def _load(engine: Engine, message_id: int, scope: Scope) -> Message | None:
    with open_session(engine, Scope("job")) as session:
        row = session.get(OutboxMessage, message_id)
        if row is None or row.done_at is not None:
            return None
        return Message(row.id, row.kind, row.payload, row.portal_id, row.created_at, scope)


def _attempt(handler: Handler, message: Message) -> Exception | None:
    try:
        handler(message)
    except Exception as error:  # recorded with the message, logged, and tried again
        log.exception("%s failed", message.cause)
        return error
    return None


def _report(engine: Engine, message_id: int, errors: list[Exception], *, forget: bool) -> None:
    with open_session(engine, Scope("job")) as session:
        if not errors:
            values: dict[str, Any] = {"done_at": real_now(), "failed": None}
            if forget:
                values["payload"] = {}
        else:
            attempts = session.scalar(select(OutboxMessage.attempts).where(OutboxMessage.id == message_id)) or 1
            values = {"retry_at": real_now() + pause_after(attempts), "failed": ", ".join(_named(errors))}
        session.execute(update(OutboxMessage).where(OutboxMessage.id == message_id).values(values))
        session.commit()


def _named(errors: Iterable[Exception]) -> list[str]:
    """The kinds of errors, without their texts: those may hold addresses."""
    return [getattr(error, "code", None) or type(error).__name__ for error in errors]


def pause_after(attempts: int) -> dt.timedelta:
    """How long a message rests after it failed for the ``attempts``-th time."""
    return PAUSES[min(max(attempts, 1), len(PAUSES)) - 1]


def use_app(app: Flask) -> None:
    """Name the application that jobs of this process run in."""
    _running.update(app=app, pid=os.getpid())


def work(app: Flask, *, burst: bool = False) -> None:
    """Work through the queue until told to stop (or, with ``burst``, until it is empty).

    Each job runs in a child process that can be killed; a dead worker's jobs are taken over after a minute.
    """
    use_app(app)
    with app.app_context():
        db.engine.dispose()
    queue = queue_of(app.config["POLYCLINIC"])
    worker = _preparing_worker(app.extensions.get(_NEEDED, []))(
        [queue],
        connection=queue.connection,
        serializer=rq.serializers.JSONSerializer,
        worker_ttl=25,
        maintenance_interval=10,
        job_monitoring_interval=5,
        log_job_description=False,
    )
    worker.work(burst=burst, logging_level="WARNING")


def _preparing_worker(modules: Iterable[str]) -> type[rq.Worker]:
    class PreparingWorker(rq.Worker):
        """Imports what jobs need when the first one comes: a worker that rests stays small."""

        def fork_work_horse(self, job: Any, queue: Any) -> None:
            """See RQ: start the job's own process."""
            for module in modules:
                import_module(module)
            super().fork_work_horse(job, queue)

    return PreparingWorker
