"""What a specialist says of themselves, and their portrait: base of every published copy (S3, S5)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.directory.models import SpecialistProfile, Vocabulary
from polyclinic.directory.portraits import forget_portrait, keep_portrait
from polyclinic.directory.publishing import WORDS, refresh_live_fields
from polyclinic.directory.services import get_specialist
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Forbidden, Invalid
from polyclinic.kernel.transactions import transactional
from polyclinic.web.files import FileStore
from polyclinic.web.i18n import locale_of

TEXTS = {"title": 120, "bio": 3000}
FIELDS = ("title", "bio", "languages", "categories", "specializations", "expertise", "credentials")
MOST_WORDS = 12
_CREDENTIAL = {"name": 160, "issuer": 160, "number": 80, "jurisdiction": 40, "expires": 10}


def get_profile(session: Session, specialist_id: uuid.UUID) -> SpecialistProfile | None:
    """Return a person's profile, None before they wrote any; raises NotFound outside the scope."""
    get_specialist(session, specialist_id)
    return session.scalars(
        select(SpecialistProfile).where(SpecialistProfile.specialist_id == specialist_id)
    ).one_or_none()


@transactional
def save_profile(
    session: Session, actor: Actor, specialist_id: uuid.UUID, changes: Mapping[str, Any]
) -> SpecialistProfile:
    """Change the named fields of a profile: of one's own, or of anybody as the network.

    What needs no review goes live on every portal at once, the rest waits for each (S3). Raises Invalid per field.
    """
    _require_self(actor, specialist_id)
    profile = get_profile(session, specialist_id)
    _refuse(session, changes)
    if profile is None:
        profile = SpecialistProfile(specialist_id=specialist_id, title={}, bio={}, image_key=None)
        for name in FIELDS[2:]:
            setattr(profile, name, [])
        session.add(profile)
    for name, value in changes.items():
        setattr(profile, name, dict(value) if name in TEXTS else list(value))
    _saved(session, actor, profile, sorted(changes))
    return profile


def set_portrait(
    session: Session, actor: Actor, files: FileStore, specialist_id: uuid.UUID, content: bytes
) -> SpecialistProfile:
    """Replace somebody's portrait by an uploaded picture; raises Invalid where it is none that can be used (M4).

    The file is written before the transaction that names it, and the old one removed after: a crash leaves a file too
    many, never a page without its picture.
    """
    _require_self(actor, specialist_id)
    key = keep_portrait(files, content)
    try:
        profile, old = _name_portrait(session, actor, specialist_id, key)
    except BaseException:
        forget_portrait(files, key)
        raise
    if old is not None:
        forget_portrait(files, old)
    return profile


@transactional
def _name_portrait(
    session: Session, actor: Actor, specialist_id: uuid.UUID, key: str
) -> tuple[SpecialistProfile, str | None]:
    profile = get_profile(session, specialist_id) or save_profile(session, actor, specialist_id, {})
    old, profile.image_key = profile.image_key, key
    _saved(session, actor, profile, ["image"])
    return profile, old


def _saved(session: Session, actor: Actor, profile: SpecialistProfile, names: list[str]) -> None:
    profile.changed_at = now(session)
    session.flush()
    portals = refresh_live_fields(session, profile.specialist_id)
    detail = {"fields": names, "portals": [str(portal) for portal in portals]}
    record(session, actor, "profile.changed", "specialist", profile.specialist_id, detail=detail)


def _require_self(actor: Actor, specialist_id: uuid.UUID) -> None:
    network = actor.kind == "operator" and actor.portals is None
    if not (network or actor.kind == "system" or (actor.kind == "specialist" and actor.id == specialist_id)):
        raise Forbidden("not-yours", _l("Only the specialist changes this profile."))


def _refuse(session: Session, changes: Mapping[str, Any]) -> None:
    wrong: dict[str, Any] = {}
    for name, value in changes.items():
        message = _wrong(session, name, value)
        if message is not None:
            wrong[name] = message
    if wrong:
        raise Invalid("profile", _l("Some fields of the profile cannot be saved like this."), fields=wrong)


def _wrong(session: Session, name: str, value: Any) -> Any:
    if name in TEXTS:
        return _wrong_text(value, TEXTS[name])
    if name == "languages":
        fine = isinstance(value, list) and all(isinstance(code, str) and _is_language(code) for code in value)
        return None if fine else _l("Expected languages by their codes, such as “en” or “de”.")
    if name == "credentials":
        return _wrong_credentials(value)
    if name not in WORDS:
        return _l("There is no such field.")
    if not isinstance(value, list) or len(value) > MOST_WORDS or not all(isinstance(slug, str) for slug in value):
        return _l("Expected up to %(most)s words of the vocabulary.", most=MOST_WORDS)
    query = select(Vocabulary.slug).where(Vocabulary.kind == WORDS[name], Vocabulary.slug.in_(value))
    unknown = set(value) - set(session.scalars(query))
    if not unknown:
        return None
    return _l("The vocabulary does not know “%(word)s”.", word=sorted(unknown)[0])


def _wrong_text(value: Any, longest: int) -> Any:
    texts = value.items() if isinstance(value, Mapping) else [("", value)]
    for locale, text in texts:
        if not isinstance(text, str) or not _is_language(locale) or not 0 < len(text.strip()) <= longest:
            return _l("Expected a text per language of up to %(longest)s characters.", longest=longest)
    return None


def _is_language(code: str) -> bool:
    try:
        locale_of(code)
    except ValueError:
        return False
    return True


def _wrong_credentials(value: Any) -> Any:
    if isinstance(value, list) and len(value) <= MOST_WORDS and all(map(_is_credential, value)):
        return None
    return _l("Expected credentials with a name and, where they have them, issuer, number, jurisdiction and expiry.")


def _is_credential(one: Any) -> bool:
    return (
        isinstance(one, Mapping)
        and bool(one.get("name"))
        and all(isinstance(text, str) and len(text) <= _CREDENTIAL.get(key, 0) for key, text in one.items())
    )
