"""The relay and the scheduler: from the outbox to the queue, from what falls due to the outbox.

Both are loops over PostgreSQL that may run any number of times side by side (SKIP LOCKED). Nothing depends on Valkey
keeping what it was given: a message whose job has not reported done is queued again.
"""

from __future__ import annotations

import datetime as dt
import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy import Engine, delete, or_, select, text, update
from sqlalchemy.exc import OperationalError

from polyclinic.kernel.clock import real_now
from polyclinic.kernel.due import Due
from polyclinic.kernel.outbox import OutboxMessage, announce
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.web import jobs
from polyclinic.web.db import db

if TYPE_CHECKING:
    from rq import Queue

log = logging.getLogger(__name__)

BATCH = 100
POLL = 0.25
SCHEDULER_POLL = 1.0
#: Done messages are kept this long, for operators who ask what happened.
KEPT = dt.timedelta(days=7)


def relay_once(engine: Engine, queue: Queue, kinds: frozenset[str]) -> int:
    """Queue what is waiting, at most BATCH messages; returns how many there were."""
    with open_session(engine, Scope("relay")) as session:
        now = real_now()
        waiting = session.execute(
            select(OutboxMessage.id, OutboxMessage.kind, OutboxMessage.portal_id)
            .where(
                OutboxMessage.done_at.is_(None),
                OutboxMessage.attempts < jobs.ATTEMPTS,
                or_(OutboxMessage.retry_at.is_(None), OutboxMessage.retry_at <= now),
            )
            .order_by(OutboxMessage.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        handled = [row for row in waiting if row.kind in kinds]
        if handled:
            queue.enqueue_many([jobs.job_for(row.id, row.portal_id) for row in handled])
            session.execute(
                update(OutboxMessage)
                .where(OutboxMessage.id.in_([row.id for row in handled]))
                .values(queued_at=now, retry_at=now + jobs.LEASE, attempts=OutboxMessage.attempts + 1)
            )
        unheard = [row.id for row in waiting if row.kind not in kinds]
        if unheard:  # nobody listens to this kind: there is nothing to be done after the commit
            session.execute(update(OutboxMessage).where(OutboxMessage.id.in_(unheard)).values(done_at=now))
        session.commit()
    return len(waiting)


def purge_once(engine: Engine) -> int:
    """Delete messages that have been done for a while; returns how many."""
    with open_session(engine, Scope("relay")) as session:
        old = select(OutboxMessage.id).where(OutboxMessage.done_at < real_now() - KEPT).limit(1000)
        gone = session.scalars(delete(OutboxMessage).where(OutboxMessage.id.in_(old)).returning(OutboxMessage.id)).all()
        session.commit()
    return len(gone)


def schedule_once(engine: Engine) -> int:
    """Announce what has become due by the application's clock, at most BATCH things; returns how many."""
    with open_session(engine, Scope("relay")) as session:
        ripe = (
            select(Due.id)
            .where(Due.at <= text("(SELECT app_now())"))
            .order_by(Due.at)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        ids = session.scalars(ripe).all()
        if not ids:
            return 0
        found = session.execute(
            delete(Due).where(Due.id.in_(ids)).returning(Due.kind, Due.subject_id, Due.portal_id)
        ).all()
        for row in found:
            announce(session, row.kind, {"id": str(row.subject_id)}, portal_id=row.portal_id)
        session.commit()
    return len(found)


def run_relay(app: Flask, stop: threading.Event) -> None:
    """Relay until told to stop."""
    queue, kinds = jobs.queue_of(app.config["POLYCLINIC"]), jobs.kinds_of(app)
    with app.app_context():
        engine = db.engine
    _loop(lambda: relay_once(engine, queue, kinds), lambda: purge_once(engine), POLL, stop)


def run_scheduler(app: Flask, stop: threading.Event) -> None:
    """Schedule until told to stop."""
    with app.app_context():
        engine = db.engine
    _loop(lambda: schedule_once(engine), lambda: 0, SCHEDULER_POLL, stop)


def _loop(step: Callable[[], int], hourly: Callable[[], int], poll: float, stop: threading.Event) -> None:
    """Repeat ``step``, at once while batches are full; survive a database or Valkey that is away for a while."""
    pause, cleaned = poll, real_now() - dt.timedelta(hours=1)
    while not stop.is_set():
        try:
            done = step()
            if real_now() - cleaned >= dt.timedelta(hours=1):
                hourly()
                cleaned = real_now()
            pause = poll
        except (OperationalError, RedisError) as away:
            pause = min(pause * 2, 10.0)
            log.warning("%s; trying again in %.1f s", type(away).__name__, pause)
            done = 0
        if done < BATCH:
            stop.wait(pause)


def stop_on_signals() -> threading.Event:
    """An event that is set when the process is asked to end."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return stop
