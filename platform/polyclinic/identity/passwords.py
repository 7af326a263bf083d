"""Passwords as Argon2id hashes (U1), computed off the event loop."""

from __future__ import annotations

from functools import cached_property
from typing import cast

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, current_app

from polyclinic.config import Mode
from polyclinic.kernel.ids import new_token
from polyclinic.web.offload import offload

_KEY = "polyclinic.passwords"
#: OWASP's least for Argon2id: 19 MiB, two passes, one lane. Stored hashes name their own cost, so this may rise.
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1


class Passwords:
    """Hashes and checks passwords at one cost."""

    def __init__(self, mode: Mode) -> None:
        """Take the real cost, or in test mode the least that Argon2 accepts."""
        memory, passes = (8, 1) if mode == "test" else (MEMORY_KIB, PASSES)
        self._hasher = PasswordHasher(passes, memory, LANES, type=Type.ID)

    def hash(self, password: str) -> str:
        """Return what is stored of a password."""
        return offload(self._hasher.hash, password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether a password is right; without a stored hash it is wrong, after the same work (U1)."""
        return offload(self._verify, stored or self._nobodys, password) and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether a hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(new_token())

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def current_passwords() -> Passwords:
    """Return the application's."""
    return cast(Passwords, current_app.extensions[_KEY])


def set_passwords(app: Flask, passwords: Passwords) -> None:
    """Install what hashes and checks."""
    app.extensions[_KEY] = passwords
