"""Pure decisions about pages: their names and placeholders; and what may be written to us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from polyclinic.identity.rules import clean_email, clean_name
from polyclinic.kernel.errors import Invalid

NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
FILE_NAME = re.compile(r"(?P<name>[^.]+)\.(?P<locale>[A-Za-z]{2,3}(?:_[A-Za-z0-9]{2,8})*)\.md")
PLACEHOLDER = re.compile(r"\{\{\s*(?P<name>[A-Za-z0-9_.-]*)\s*\}\}")
#: First parts of addresses that a portal has already; a page of that name could not be reached.
RESERVED = frozenset(
    {
        "account",
        "agreements",
        "api",
        "appointments",
        "book",
        "consents",
        "forgot",
        "language",
        "payments",
        "register",
        "reset",
        "robots.txt",
        "sign-in",
        "sign-out",
        "sitemap.xml",
        "static",
        "theme",
        "zone",
    }
)


def placeholders(text: str) -> Iterator[tuple[int, str]]:
    """Every `{{ name }}` with its line, counted from 0."""
    for found in PLACEHOLDER.finditer(text):
        yield text.count("\n", 0, found.start()), found["name"]


TOPICS = ("booking", "payment", "technology", "data", "other")
LONGEST_NAME, SHORTEST_BODY, LONGEST_BODY = 120, 10, 4000


@dataclass(frozen=True, slots=True)
class Writing:
    """A message to the support desk as it is stored."""

    name: str
    email: str
    topic: str
    body: str


def clean_writing(name: str, email: str, topic: str, body: str) -> Writing:
    """Return a message as it is stored; raises Invalid with a sentence per wrong field."""
    name, body, address = clean_name(name), body.replace("\r\n", "\n").strip(), clean_email(email)
    wrong: dict[str, Any] = {}
    if not name:
        wrong["name"] = _l("Enter your name, so that we know how to address you.")
    elif len(name) > LONGEST_NAME:
        wrong["name"] = _l("Enter a name of up to %(most)s letters.", most=LONGEST_NAME)
    if address is None:
        wrong["email"] = _l("Enter an e-mail address such as name@example.com: our answer goes there.")
    if topic not in TOPICS:
        wrong["topic"] = _l("Choose what it is about.")
    if len(body) < SHORTEST_BODY:
        wrong["body"] = _l("Write a sentence or two, so that we can help.")
    elif len(body) > LONGEST_BODY:
        wrong["body"] = _l(
            "This text has %(count)s characters. Shorten it to %(most)s; nothing was lost.",
            count=len(body),
            most=LONGEST_BODY,
        )
    if wrong or address is None:
        raise Invalid("contact", _l("Some fields are missing or wrong."), fields=wrong)
    return Writing(name, address, topic, body)
