"""Transactions of services: one commit at the end, everything undone on error, races retried as a whole."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from polyclinic.kernel.errors import Unavailable

P = ParamSpec("P")
R = TypeVar("R")

#: deadlock_detected, serialization_failure, lock_not_available
RETRIED = frozenset({"40P01", "40001", "55P03"})
ATTEMPTS = 3


def sqlstate(error: DBAPIError) -> str:
    """Return PostgreSQL's five-letter code of a database error, or an empty string."""
    return getattr(error.orig, "sqlstate", None) or ""


def transactional(function: Callable[Concatenate[Session, P], R]) -> Callable[Concatenate[Session, P], R]:
    """Make a use case own the transaction of the session that is its first argument.

    Inside another use case it joins that one's transaction. Deadlocks, serialization failures and lock time-outs are
    retried three times from the beginning, then raise Unavailable (503 with Retry-After).
    """

    @functools.wraps(function)
    def run(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if session.info.get("use case"):
            return function(session, *args, **kwargs)
        return _retried(session, lambda: function(session, *args, **kwargs))

    return run


def _retried(session: Session, once: Callable[[], R]) -> R:
    for attempt in range(ATTEMPTS):
        if session.in_transaction():
            session.rollback()  # whatever was only read before must not decide what is written now
        session.info["use case"] = True
        try:
            result = once()
            session.commit()
        except DBAPIError as error:
            session.rollback()
            if sqlstate(error) not in RETRIED:
                raise
            time.sleep(random.uniform(0.01, 0.05) * (attempt + 1))  # noqa: S311  # jitter, not a secret
        except BaseException:
            session.rollback()
            raise
        else:
            return result
        finally:
            session.info["use case"] = False
    raise Unavailable("busy", "Many people are doing this at the same moment. Please try again in a few seconds.")
