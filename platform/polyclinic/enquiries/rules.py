"""Pure decisions about enquiries: what may be sent, and which portals fit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from flask_babel import lazy_gettext as _l

from polyclinic.identity.rules import clean_email, clean_name
from polyclinic.kernel.errors import Invalid

KINDS = ("independent", "team", "network")
LONGEST_NAME, SHORTEST_BODY, LONGEST_BODY = 120, 20, 4000
OTHER = "other"
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Asking:
    """An enquiry as it is stored."""

    kind: str
    name: str
    email: str
    practice: str
    field: str
    languages: tuple[str, ...]
    portals: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class Wanted(Generic[P]):
    """What a portal looks for in public."""

    portal: P
    field: str
    languages: tuple[str, ...]
    """Language codes without land: "en", "de"."""


Fit = Literal["both", "field", "language"]


def fit_of(wanted: Wanted[P], field: str, languages: Collection[str]) -> Fit | None:
    """Tell how a portal fits somebody's field and languages; None where neither does."""
    same_field = bool(field) and field == wanted.field
    same_language = bool(set(languages) & set(wanted.languages))
    if same_field and same_language:
        return "both"
    return "field" if same_field else "language" if same_language and not field else None


def fitting(portals: Sequence[Wanted[P]], field: str, languages: Collection[str]) -> list[tuple[Wanted[P], Fit]]:
    """Return the portals that fit, the best first, otherwise in their order."""
    found = [(one, fit) for one in portals if (fit := fit_of(one, field, languages)) is not None]
    return sorted(found, key=lambda item: ("both", "field", "language").index(item[1]))


def clean_enquiry(given: dict[str, Any], known_portals: Collection[str]) -> Asking:
    """Return an enquiry as it is stored; raises Invalid with a sentence per wrong field."""
    name, body = clean_name(given.get("name") or ""), str(given.get("body") or "").replace("\r\n", "\n").strip()
    practice, address = clean_name(given.get("practice") or ""), clean_email(given.get("email") or "")
    wrong: dict[str, Any] = {}
    if given.get("kind") not in KINDS:
        wrong["kind"] = _l("Choose how you work.")
    if not name:
        wrong["name"] = _l("Enter your name, so that we know how to address you.")
    for field, text in (("name", name), ("practice", practice)):
        if len(text) > LONGEST_NAME:
            wrong[field] = _l("Enter a name of up to %(most)s letters.", most=LONGEST_NAME)
    if address is None:
        wrong["email"] = _l("Enter an e-mail address such as name@example.com: our answer goes there.")
    if not given.get("field"):
        wrong["field"] = _l("Choose the field you work in.")
    if len(body) < SHORTEST_BODY:
        wrong["body"] = _l("Tell us in two or three sentences about your work.")
    elif len(body) > LONGEST_BODY:
        wrong["body"] = _l(
            "This text has %(count)s characters. Shorten it to %(most)s; nothing was lost.",
            count=len(body),
            most=LONGEST_BODY,
        )
    portals = tuple(given.get("portals") or ())
    if not set(portals) <= set(known_portals):
        wrong["portals"] = _l("Choose from the websites of this list.")
    if wrong or address is None:
        raise Invalid("enquiry", _l("Some fields are missing or wrong."), fields=wrong)
    languages = tuple(str(one)[:20] for one in given.get("languages") or ())
    return Asking(given["kind"], name, address, practice, str(given["field"])[:80], languages, portals, body)
