"""How patients and specialists find each other on a portal."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from polyclinic.tenancy.kinds import SetOf
from polyclinic.tenancy.settings import Setting

MODES = Setting(
    "allocation.modes",
    SetOf(("browse",), later=("request", "automated", "assisted")),
    _l("Allocation modes"),
    _l("“browse”: patients choose a specialist and a time themselves."),
    default=frozenset({"browse"}),
)

SETTINGS: tuple[Setting[Any], ...] = (MODES,)
CHECKS = ()
