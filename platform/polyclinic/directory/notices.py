"""What features above the directory say about a listing on the specialist's page "Websites"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app
from sqlalchemy.orm import Session

from polyclinic.directory.models import Listing
from polyclinic.kernel.actor import Actor
from polyclinic.tenancy.places import PortalView


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence about a listing, with the one click that goes on."""

    title: str
    text: str
    href: str
    action: str


NoticeSource = Callable[[Session, Actor, PortalView, Listing], Notice | None]
_KEY = "polyclinic.listing_notices"


def add_notice(app: Flask, source: NoticeSource) -> None:
    """Have ``source`` asked about every listing that its specialist looks at."""
    app.extensions.setdefault(_KEY, []).append(source)


def notices_of(session: Session, actor: Actor, portal: PortalView, listing: Listing) -> list[Notice]:
    """Return what there is to say about a listing."""
    sources = cast("list[NoticeSource]", current_app.extensions.get(_KEY, []))
    found = (source(session, actor, portal, listing) for source in sources)
    return [notice for notice in found if notice is not None]
