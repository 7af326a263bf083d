"""What a page for visitors says until something of it changes: kept in the process, told apart by what it stands on.

A page asks the database for the version of everything that it would read (one statement), and what was made of the same
version, for the same settings, look, language, zone and wishes, is shown again. So nothing is ever shown that is not
true: a booking, a new price or another specialist is another version (C5). What is kept goes with the settings of its
portal, which a process reads anew every few seconds, and never leaves its portal (I2).
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, cast
from weakref import WeakKeyDictionary

from markupsafe import Markup
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from polyclinic.directory.models import Listing, ListingService, PublishedProfile, Service
from polyclinic.directory.offers import NextFreeSource
from polyclinic.kernel.versions import rows_version
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.settings import Settings
from polyclinic.web.auth import current_actor
from polyclinic.web.i18n import current_language, current_zone
from polyclinic.web.security import for_everybody
from polyclinic.web.theming import current_look

#: So many pages of one portal are kept, those last asked for.
MOST = 128


@dataclass(slots=True)
class Kept:
    """The values of a page, and those of its parts that look the same to every visitor."""

    values: dict[str, Any]
    _parts: dict[str, Markup] = field(default_factory=dict)

    def part(self, name: str, caller: Callable[[], Markup]) -> Markup:
        """``{% call kept("people") %}…{% endcall %}``: what stands between, made once.

        It may hold nothing that belongs to one reader: asking for a token or a nonce in it is an error.
        """
        if name not in self._parts:
            with for_everybody():
                self._parts[name] = caller()
        return self._parts[name]


_kept: WeakKeyDictionary[Settings, OrderedDict[Hashable, Kept]] = WeakKeyDictionary()


def directory_version(session: Session, portal: PortalView, source: NextFreeSource | None) -> tuple[int, ...]:
    """Return the version of everything that the directory of a portal shows, next free times brought up to date."""
    if source is not None:
        source.refresh(session, portal)
    return tuple(session.execute(_versions(cast(Hashable, source)), {"portal": portal.id}).one())


@functools.cache
def _versions(source: Any) -> Select[Any]:
    models = (PublishedProfile, Listing, ListingService, Service)
    return select(*map(rows_version, models), *([] if source is None else [source.version()]))


def kept_for_visitors(portal: PortalView, key: Hashable, make: Callable[[], dict[str, Any]]) -> Kept:
    """Return the values of a page that depends on ``key``, the portal, the look, the language and the zone only.

    Somebody signed in may be shown something else (B1), so for them they are made.
    """
    if current_actor().signed_in:
        return Kept(make())
    pages = _kept.setdefault(portal.settings, OrderedDict())
    whole = (portal.id, current_look().digest, current_language().code, current_zone().key, key)
    if whole not in pages:
        pages[whole] = Kept(make())
        if len(pages) > MOST:
            pages.popitem(last=False)
    pages.move_to_end(whole)
    return pages[whole]
