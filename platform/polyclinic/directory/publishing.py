"""The published copy: what the public of one portal sees of a specialist, existing exactly while they are visible (S3).

It is a copy because visitors and patients have no right to a person's own profile, and because a reviewed field waits
in the profile until the portal approves it, while the rest goes live at once.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.directory.models import Listing, PublishedProfile, SpecialistProfile, Vocabulary
from polyclinic.directory.rules import LIVE_FIELDS, REVIEWED_FIELDS, is_visible
from polyclinic.identity.models import Specialist
from polyclinic.kernel.clock import now

#: profile field -> kind of vocabulary
WORDS = {"categories": "category", "specializations": "specialization", "expertise": "expertise"}
_TITLES = frozenset({"dr", "prof", "med", "phd"})


def approve(session: Session, listing: Listing) -> bool:
    """Take the reviewed fields as they are now for approved by the portal, and publish."""
    profile = _profile(session, listing.specialist_id)
    listing.approved = {name: getattr(profile, name) for name in REVIEWED_FIELDS}
    return publish(session, listing)


def publish(session: Session, listing: Listing) -> bool:
    """Write the copy of a listing, or remove it where nobody may see it; return whether it is visible now."""
    person, profile = _person(session, listing.specialist_id), _profile(session, listing.specialist_id)
    if not is_visible(person.state, listing.state):
        withdraw(session, listing)
        return False
    values = {name: getattr(profile, name) for name in (*REVIEWED_FIELDS, *LIVE_FIELDS)}
    _write(session, listing, person, values | (listing.approved or {}))
    return True


def refresh_live_fields(session: Session, specialist_id: uuid.UUID) -> list[uuid.UUID]:
    """Copy what needs no review into every published copy that this scope sees; return the portals."""
    person, profile = _person(session, specialist_id), _profile(session, specialist_id)
    shown = [listing for listing in _listings(session, specialist_id) if _copy(session, listing) is not None]
    for listing in shown:
        _write(session, listing, person, {name: getattr(profile, name) for name in LIVE_FIELDS})
    return [listing.portal_id for listing in shown]


def publish_everywhere(session: Session, specialist_id: uuid.UUID) -> list[uuid.UUID]:
    """Publish or withdraw every listing of a person, on all portals at once; return the portals that now show them."""
    return [listing.portal_id for listing in _listings(session, specialist_id) if publish(session, listing)]


def withdraw(session: Session, listing: Listing) -> None:
    """Remove the copy of a listing: from the commit on, nobody of the public sees it."""
    copy = _copy(session, listing)
    if copy is not None:
        session.delete(copy)
        session.flush()


def sort_name(name: str) -> str:
    """Return what a name is sorted by: as people read it, without titles, accents and case."""
    words = [word for word in name.split() if word.strip(".").casefold() not in _TITLES]
    plain = unicodedata.normalize("NFKD", " ".join(words) or name)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def _write(session: Session, listing: Listing, person: Specialist, values: Mapping[str, Any]) -> None:
    copy = _copy(session, listing) or PublishedProfile(portal_id=listing.portal_id, specialist_id=listing.specialist_id)
    for name, value in values.items():
        setattr(copy, name, value)
    copy.listing_id, copy.name, copy.sort_name = listing.id, person.name, sort_name(person.name)
    copy.zone, copy.published_at = person.zone, now(session)
    copy.words = _words(session, {name: getattr(copy, name) for name in WORDS})
    session.add(copy)  # only now: the question before would flush half a copy
    session.flush()


def _words(session: Session, chosen: dict[str, list[str]]) -> dict[str, Any]:
    """Return the names of the chosen words, which the public cannot look up themselves."""
    slugs = {slug for found in chosen.values() for slug in found}
    if not slugs:
        return {}
    known = session.scalars(select(Vocabulary).where(Vocabulary.slug.in_(slugs))).all()
    names = {(word.kind, word.slug): word.name for word in known}
    return {
        kind: {slug: names[kind, slug] for slug in chosen[field] if (kind, slug) in names}
        for field, kind in WORDS.items()
        if chosen[field]
    }


def _person(session: Session, specialist_id: uuid.UUID) -> Specialist:
    return session.scalars(select(Specialist).where(Specialist.id == specialist_id)).one()


def _profile(session: Session, specialist_id: uuid.UUID) -> SpecialistProfile:
    return session.scalars(select(SpecialistProfile).where(SpecialistProfile.specialist_id == specialist_id)).one()


def _listings(session: Session, specialist_id: uuid.UUID) -> Sequence[Listing]:
    return session.scalars(
        select(Listing).where(Listing.specialist_id == specialist_id).order_by(Listing.portal_id)
    ).all()


def _copy(session: Session, listing: Listing) -> PublishedProfile | None:
    return session.scalars(
        select(PublishedProfile).where(
            PublishedProfile.portal_id == listing.portal_id, PublishedProfile.specialist_id == listing.specialist_id
        )
    ).one_or_none()
