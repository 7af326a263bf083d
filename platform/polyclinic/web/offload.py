"""CPU work beside the green hub: what takes over 5 ms runs in a real thread, so that no socket waits for it.

One of the three modules that know the mode (docs/adr/0004). It asks what was patched, not what was configured: workers,
commands and tests are unpatched whatever ``ASYNC_MODE`` says, and there the function just runs.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def offload(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run ``function`` without stopping other requests of this process, and return what it returns or raises.

    It must not touch the request, the database session or anything else that belongs to the green thread.
    """
    if _patched("eventlet.patcher", "is_monkey_patched", "socket"):
        tpool: Any = importlib.import_module("eventlet.tpool")
        return cast(R, tpool.execute(function, *args, **kwargs))
    if _patched("gevent.monkey", "is_module_patched", "socket"):
        gevent: Any = importlib.import_module("gevent")
        return cast(R, gevent.get_hub().threadpool.apply(function, args, kwargs))
    return function(*args, **kwargs)


def is_green() -> bool:
    """Whether this process was patched for eventlet or gevent."""
    return _patched("eventlet.patcher", "is_monkey_patched", "socket") or _patched(
        "gevent.monkey", "is_module_patched", "socket"
    )


def _patched(module: str, question: str, name: str) -> bool:
    found: Any = sys.modules.get(module)
    return found is not None and bool(getattr(found, question)(name))
