"""How often something may be tried (U1): moving windows in Redis, by portal, account and address.

What guards a door stays closed when Redis is down: the same limits are then counted in this process's memory. What only
protects the machine from too many readers stays open. Every limit is written down in docs/limits.md.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from dataclasses import dataclass
from typing import Literal, cast

from flask import Flask, current_app
from flask_babel import ngettext
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from polyclinic.config import Settings
from polyclinic.kernel.errors import TooMany
from polyclinic.kernel.later import without

log = logging.getLogger(__name__)

_KEY = "polyclinic.limits"
#: After a failure Redis is asked again this much later, in seconds of real time.
ASK_AGAIN = 5.0


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries in so much time for one key; ``rate`` reads "10 per 15 minutes"."""

    name: str
    rate: str
    per: str
    """What the key is made of, in words: for docs/limits.md."""
    without_redis: Literal["memory", "open"] = "memory"

    @property
    def item(self) -> RateLimitItem:
        """The limit as the library counts it."""
        return parse(self.rate)


class Limits:
    """Counts tries in Redis, in memory while Redis is away."""

    def __init__(self, redis_url: str) -> None:
        """Connect to ``redis_url`` when first asked."""
        address = redis_url.replace("unix://", "redis+unix://", 1) if redis_url.startswith("unix://") else redis_url
        with without("valkey"):  # the library would import both clients
            self._storage = storage_from_string(address, wrap_exceptions=True, key_prefix="polyclinic:limit")
        self._shared = MovingWindowRateLimiter(self._storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._away_until = 0.0

    def hit(self, limit: Limit, *key: str) -> None:
        """Count a try; raises TooMany with the seconds to wait where there were too many."""
        item, digest = limit.item, hashlib.sha256("\n".join(key).encode()).hexdigest()
        if time.monotonic() >= self._away_until:
            try:
                self._count(self._shared, item, limit.name, digest)
                return
            except (StorageError, RedisError) as error:
                self._away_until = time.monotonic() + ASK_AGAIN
                log.warning("limits are counted in memory: Redis did not answer (%s)", error)
        if limit.without_redis == "memory":
            self._count(self._own, item, limit.name, digest)

    def forget(self) -> None:
        """Forget everything that was counted: tests begin with nothing."""
        self._storage.reset()
        self._own.storage.reset()

    def _count(self, counter: MovingWindowRateLimiter, item: RateLimitItem, *key: str) -> None:
        if counter.hit(item, *key):
            return
        raise too_many(max(1, math.ceil(counter.get_window_stats(item, *key).reset_time - time.time())))


def too_many(seconds: int) -> TooMany:
    """Return the refusal that says how long to wait."""
    minutes = math.ceil(seconds / 60)
    sentence = ngettext(
        "That was tried too often. Please wait a minute and try again.",
        "That was tried too often. Please wait %(num)s minutes and try again.",
        minutes,
    )
    return TooMany("too-many-tries", sentence, retry_after=seconds)


def current_limits() -> Limits:
    """Return the application's."""
    return cast(Limits, current_app.extensions[_KEY])


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its counters."""
    app.extensions[_KEY] = Limits(settings.redis_url)
