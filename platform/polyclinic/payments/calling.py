"""Calling a payment provider: outside every transaction, never longer than a page can wait (E7).

The call runs in a thread of its own with the application's context; under eventlet and gevent that is a green one, so
that nothing else of the process waits. A call that outlives its time is left to end by itself: its outcome is unknown,
and asking again with the same key is safe.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, current_app

from polyclinic.hooks.providers import ProviderRefused, ProviderUnavailable

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

SECONDS = 25.0


def ask(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a provider answers; raises ProviderUnavailable or ProviderRefused, and nothing else.

    What a plugin raises beside these is logged and counts as no answer: paying goes on when it is repaired (X2).
    """
    app = cast(Any, current_app)._get_current_object()
    answer: dict[str, Any] = {}

    def run() -> None:
        try:
            with cast(Flask, app).app_context():
                answer["value"] = function(*args, **kwargs)
        except Exception as error:  # handed to the caller below
            answer["error"] = error

    thread = threading.Thread(target=run, name="payment provider", daemon=True)
    thread.start()
    thread.join(SECONDS)
    if "value" in answer:
        return cast(R, answer["value"])
    error = answer.get("error")
    if isinstance(error, ProviderUnavailable | ProviderRefused):
        raise error
    if error is None:
        raise ProviderUnavailable(f"no answer within {SECONDS:.0f} s")
    log.error("a payment provider failed at %s", getattr(function, "__name__", "a call"), exc_info=error)
    raise ProviderUnavailable(type(error).__name__) from error
