"""The network's vocabularies and teams: what specialists can be found by, and whom they work with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.directory.models import Team, Vocabulary
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Forbidden, Invalid
from polyclinic.kernel.transactions import transactional

WordKind = Literal["category", "specialization", "expertise"]
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@transactional
def save_word(session: Session, actor: Actor, kind: WordKind, slug: str, name: Mapping[str, str]) -> Vocabulary:
    """Add a word to a vocabulary, or give a known one other names; published copies learn of it when published."""
    _require_network(actor)
    _refuse_slug(slug)
    if not name or not all(text.strip() for text in name.values()):
        message = _l("Expected a name in at least one language.")
        raise Invalid("word", message, fields={"name": message})
    word = session.get(Vocabulary, (kind, slug))
    if word is None:
        word = Vocabulary(kind=kind, slug=slug, name=dict(name))
        session.add(word)
    word.name = dict(name)
    session.flush()
    record(session, actor, "vocabulary.saved", "vocabulary", f"{kind}/{slug}")
    return word


@transactional
def save_team(session: Session, actor: Actor, slug: str, name: str) -> Team:
    """Add a team, or rename the one that has this slug."""
    _require_network(actor)
    _refuse_slug(slug)
    team = session.scalars(select(Team).where(Team.slug == slug)).one_or_none()
    if team is None:
        team = Team(slug=slug, name=name)
        session.add(team)
    team.name = name
    session.flush()
    record(session, actor, "team.saved", "team", team.id)
    return team


def _refuse_slug(slug: str) -> None:
    if not SLUG.fullmatch(slug):
        message = _l("Expected small letters, digits and hyphens, such as “back-and-neck”.")
        raise Invalid("slug", message, fields={"slug": message})


def _require_network(actor: Actor) -> None:
    if actor.kind == "system" or (actor.kind == "operator" and actor.portals is None):
        return
    raise Forbidden("network-only", _l("Only operators of the whole network keep vocabularies and teams."))
