"""How patients may sign in on a portal."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from polyclinic.tenancy.kinds import Choice, SetOf
from polyclinic.tenancy.settings import Setting

SIGN_IN_METHODS = Setting(
    "sign_in.methods",
    SetOf(("password", "code"), later=("passkey",)),
    _l("Ways to sign in"),
    _l("A password, or a code sent by mail."),
    default=frozenset({"password", "code"}),
)
REGISTRATION = Setting(
    "sign_in.registration",
    Choice(("open",), later=("invitation",)),
    _l("Registration"),
    _l("Whether anybody may register as a patient, or only people who were invited."),
    default="open",
)

SETTINGS: tuple[Setting[Any], ...] = (SIGN_IN_METHODS, REGISTRATION)
CHECKS = ()
