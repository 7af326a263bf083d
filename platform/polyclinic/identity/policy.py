"""How patients may sign in on a portal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l

from polyclinic.tenancy.kinds import Choice, Duration, SetOf
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
IDLE = Setting(
    "sign_in.idle",
    Duration(min=timedelta(minutes=5), max=timedelta(days=7)),
    _l("Signed out when idle"),
    _l("How long a patient stays signed in without using the portal."),
    default=timedelta(hours=12),
    stricter="lower",
)
LIFETIME = Setting(
    "sign_in.lifetime",
    Duration(min=timedelta(hours=1), max=timedelta(days=90)),
    _l("Signed out in any case"),
    _l("How long after signing in a patient has to sign in again, however often the portal is used."),
    default=timedelta(days=30),
    stricter="lower",
)

SETTINGS: tuple[Setting[Any], ...] = (SIGN_IN_METHODS, REGISTRATION, IDLE, LIFETIME)
CHECKS = ()
