"""Decisions about people and how they prove who they are: values in, values or sentences out."""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib.resources import files
from re import fullmatch
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from polyclinic.kernel.actor import Kind
from polyclinic.kernel.later import Later
from polyclinic.kernel.zones import is_zone

if TYPE_CHECKING:
    import email_validator
else:
    email_validator = Later("email_validator")

#: A code is six digits: with five tries each and CODE_LIMITS a guesser's chance stays below one in ten thousand a day.
CODE_DIGITS = 6
CODE_TRIES = 5
CODE_LIFE = dt.timedelta(minutes=10)
#: How long somebody who entered the right code may take to say their name.
NAMING_LIFE = dt.timedelta(minutes=30)
#: A change of the password without the old one needs a sign-in that is younger than this.
FRESH = dt.timedelta(minutes=15)
#: `seen_at` of a sign-in is written at most this often.
SEEN_EVERY = dt.timedelta(minutes=1)

SHORTEST_PASSWORD: dict[Kind, int] = {"patient": 8, "specialist": 12, "operator": 12}
LONGEST_PASSWORD = 256
LONGEST_NAME = 120
LONGEST_PHONE = 30
LONGEST_EMAIL = 254


@cache
def common_passwords() -> frozenset[str]:
    """Return passwords that guessers try first, in lower case (NOTICE names their source)."""
    text = files("polyclinic.identity").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.splitlines())


def password_problem(password: str, kind: Kind, *personal: str) -> Any | None:
    """Say why a new password is refused, or None: length and guessability only, no rules of composition (V6.2.4).

    ``personal`` are the person's own name and address, which a guesser knows.
    """
    shortest = SHORTEST_PASSWORD[kind]
    if len(password) < shortest:
        return _l("Use at least %(number)s characters. A sentence is easy to remember.", number=shortest)
    if len(password) > LONGEST_PASSWORD:
        return _l("Use at most %(number)s characters.", number=LONGEST_PASSWORD)
    folded = password.casefold()
    words = {word.casefold() for text in personal for word in (text, text.partition("@")[0]) if word}
    if folded in common_passwords() or folded in words:
        return _l("This password is one of those that are guessed first. Choose another.")
    return None


def clean_email(text: str) -> str | None:
    """Return an address as it is stored, or None where it is none; nothing is asked of the network."""
    try:
        found = email_validator.validate_email(text.strip(), check_deliverability=False)
    except email_validator.EmailNotValidError:
        return None
    return found.normalized.lower()


def clean_name(text: str) -> str:
    """Return a name on one line, without characters that nobody sees."""
    return " ".join("".join(letter for letter in text if letter.isprintable()).split())


def may_sign_in(kind: Kind, state: str) -> bool:
    """Tell whether a person in this state may use the place: blocked and suspended people may not."""
    return state != "suspended" if kind == "specialist" else state == "active"


def is_alive(
    now: dt.datetime, seen_at: dt.datetime, expires_at: dt.datetime, revoked_at: dt.datetime | None, idle: dt.timedelta
) -> bool:
    """Tell whether a sign-in still counts: not revoked, not over, and used within ``idle`` (V7.3.1)."""
    return revoked_at is None and now < expires_at and now - seen_at < idle


def profile_problem(field: str, value: str | None, offered: tuple[str, ...]) -> Any | None:
    """Say what is wrong with one field of somebody's own profile, or None."""
    if field == "name" and not (value and len(value) <= LONGEST_NAME):
        return _l("Enter a name of at most %(number)s characters.", number=LONGEST_NAME)
    if field == "phone" and value and not (len(value) <= LONGEST_PHONE and fullmatch(r"\+?[\d ()./-]{5,}", value)):
        return _l("Enter a telephone number such as +49 30 5550 1820, or leave it empty.")
    if field == "locale" and value not in offered:
        return _l("Choose one of the languages offered.")
    if field == "zone" and not is_zone(value):
        return _l("Choose a time zone such as Europe/Berlin.")
    return None
