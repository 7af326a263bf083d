"""What the simulator remembers: objects, events, deliveries, idempotency keys, settings; in SQLite, so that it survives
`kill -9`. One thread at a time is inside (`Store.transaction`); what it did is there as a whole or not at all.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import string
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from polyclinic_stripe_simulator.errors import Refused, missing

Object = dict[str, Any]

LETTERS = string.ascii_letters + string.digits
SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, account TEXT NOT NULL,
  created INTEGER NOT NULL, body TEXT NOT NULL, hidden TEXT NOT NULL DEFAULT '{}');
CREATE INDEX IF NOT EXISTS object_kind ON object (kind, account, seq);
CREATE TABLE IF NOT EXISTS answer (
  account TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, digest TEXT NOT NULL, status INTEGER NOT NULL,
  body TEXT NOT NULL, request_id TEXT NOT NULL, created INTEGER NOT NULL, PRIMARY KEY (account, key));
CREATE TABLE IF NOT EXISTS delivery (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, endpoint TEXT NOT NULL, state TEXT NOT NULL,
  due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, said TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS delivery_state ON delivery (state, due);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
KINDS = {
    "acct": "account", "cus": "customer", "pm": "payment method", "cs": "checkout.session", "pi": "payment_intent",
    "seti": "setup intent", "ch": "charge", "py": "charge", "re": "refund", "fee": "application fee",
    "fr": "fee refund",
    "tr": "transfer", "trr": "transfer reversal", "txn": "balance transaction", "evt": "event", "du": "dispute",
    "po": "payout",
}  # fmt: skip
PLATFORM = ""
"""The account of what belongs to the platform itself."""


class Store:
    """The objects of the platform and of every connected account."""

    def __init__(self, file: Path | None) -> None:
        """Open `file`, or keep everything in memory."""
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(str(file or ":memory:"), check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Be alone inside; keep everything that is done, or nothing when an exception leaves.

        Inside of another one, only what the inner one did is undone. A refusal that keeps its effects undoes nothing.
        """
        with self._lock:
            self._begin()
            try:
                yield
            except BaseException as error:
                self._end(keep=isinstance(error, Refused) and error.keeps_effects)
                raise
            self._end(keep=True)

    def _begin(self) -> None:
        self._db.execute("SAVEPOINT inner_one" if self._depth else "BEGIN IMMEDIATE")
        self._depth += 1

    def _end(self, *, keep: bool) -> None:
        self._depth -= 1
        if self._depth and not keep:
            self._db.execute("ROLLBACK TO inner_one")
        self._db.execute("RELEASE inner_one" if self._depth else "COMMIT" if keep else "ROLLBACK")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Run one statement."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def now(self) -> int:
        """Seconds since 1970: real time, plus what the control interface has added."""
        return int(time.time()) + int(self.setting("offset", 0))

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting of the control interface."""
        found = self.rows("SELECT value FROM setting WHERE name = ?", name)
        return json.loads(found[0]["value"]) if found else default

    def set(self, name: str, value: Any) -> None:
        """Keep a setting."""
        self.rows("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", name, json.dumps(value))

    def new_id(self, prefix: str, length: int = 24) -> str:
        """An id that nothing has yet."""
        return f"{prefix}_{''.join(secrets.choice(LETTERS) for _ in range(length))}"

    def insert(self, found: Object, account: str, hidden: Object | None = None) -> Object:
        """Keep a new object; `hidden` is what only the simulator knows of it."""
        self.rows(
            "INSERT INTO object (id, kind, account, created, body, hidden) VALUES (?, ?, ?, ?, ?, ?)",
            found["id"],
            found["object"],
            account,
            self.now(),
            json.dumps(found),
            json.dumps(hidden or {}),
        )
        return found

    def save(self, found: Object, **hidden: Any) -> Object:
        """Keep a changed object, and add to what is hidden."""
        known = {**self.hidden(found["id"]), **hidden}
        self.rows(
            "UPDATE object SET body = ?, hidden = ? WHERE id = ?", json.dumps(found), json.dumps(known), found["id"]
        )
        return found

    def delete(self, identity: str) -> None:
        """Forget an object."""
        self.rows("DELETE FROM object WHERE id = ?", identity)

    def get(self, identity: str, account: str | None = None) -> Object | None:
        """An object of any account, or of one."""
        found = self.rows("SELECT body, account FROM object WHERE id = ?", identity)
        if not found or (account is not None and found[0]["account"] != account):
            return None
        return dict(json.loads(found[0]["body"]))

    def find(self, kind: str, identity: str, account: str, param: str = "id") -> Object:
        """An object of an account; raises Refused (resource_missing)."""
        found = self.get(identity, account)
        if found is None or found["object"] != kind:
            words = KINDS.get(identity.partition("_")[0]) if found else None
            raise missing(words or kind.replace(".", " ").replace("_", " "), identity, param)
        return found

    def hidden(self, identity: str) -> Object:
        """What only the simulator knows of an object."""
        found = self.rows("SELECT hidden FROM object WHERE id = ?", identity)
        return dict(json.loads(found[0]["hidden"])) if found else {}

    def account_of(self, identity: str) -> str:
        """Whose object this is."""
        found = self.rows("SELECT account FROM object WHERE id = ?", identity)
        return str(found[0]["account"]) if found else PLATFORM

    def all(self, kind: str, account: str | None = None) -> list[Object]:
        """Objects of a kind, newest first, of every account or of one."""
        found = self.rows(
            "SELECT body FROM object WHERE kind = ? AND (? IS NULL OR account = ?) ORDER BY seq DESC",
            kind,
            account,
            account,
        )
        return [json.loads(row["body"]) for row in found]

    def forget_everything(self) -> None:
        """Empty every table but the settings of the targets."""
        with self.transaction():
            for statement in ("DELETE FROM object", "DELETE FROM answer", "DELETE FROM delivery"):
                self.rows(statement)
            self.rows("DELETE FROM setting WHERE name <> 'targets'")
