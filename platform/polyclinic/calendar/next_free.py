"""The next free time of each offer, stored for directories and computed again by the reader who finds it stale.

A row goes stale when its slot comes too near, when a hold dies that may free an earlier one, when anything is written
into the calendar on whichever portal, and when what is offered or its terms change. It is written under the
specialist's lock: otherwise an answer computed before a claim could be stored after it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from typing import Any

from sqlalchemy import ScalarSelect, Subquery, delete, insert, select, text
from sqlalchemy.orm import Session

from polyclinic.calendar.models import NextFree
from polyclinic.calendar.opening import each_unlocked, load
from polyclinic.calendar.policy import HORIZON, MINIMUM_NOTICE, SLOT_STEP
from polyclinic.calendar.rules import BEYOND, SlotTerms, next_free
from polyclinic.calendar.services import Offer, offers_of
from polyclinic.kernel.clock import now
from polyclinic.kernel.transactions import transactional
from polyclinic.kernel.versions import rows_version
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.settings import Settings

#: So many specialists are computed again by one reader, the earliest times first; the next reader goes on.
AT_ONCE = 100
_MINUTE = dt.timedelta(minutes=1)
# Missing, stale, of other terms (in one text, as key_of() writes them), or no longer offered.
_STALE = text(
    """
    SELECT specialist_id FROM (
        SELECT offered.specialist_id, service.id AS service_id,
               concat_ws('/', service.duration_minutes,
                   coalesce(offered.buffer_before_minutes, service.buffer_before_minutes),
                   coalesce(offered.buffer_after_minutes, service.buffer_after_minutes), CAST(:common AS text)) AS terms
          FROM listing_service AS offered
          JOIN published_profile AS profile USING (portal_id, specialist_id)
          JOIN service ON service.portal_id = offered.portal_id AND service.id = offered.service_id
         WHERE offered.portal_id = :portal AND offered.active AND service.active
    ) AS offer
    FULL JOIN (SELECT specialist_id, service_id, terms, stale_at, next_free_at
                 FROM next_free WHERE portal_id = :portal) AS stored USING (specialist_id, service_id)
     WHERE offer.terms IS DISTINCT FROM stored.terms OR stored.stale_at <= (SELECT app_now())
     GROUP BY specialist_id ORDER BY min(stored.next_free_at) NULLS FIRST, specialist_id LIMIT :limit
    """
)


class StoredNextFree:
    """Where the directory finds next free times (directory.offers.NextFreeSource)."""

    def refresh(self, session: Session, portal: PortalView) -> None:
        """Bring the stale rows of a portal up to date; one statement when none is stale."""
        if stale_specialists(session, portal.id, portal.settings):
            refresh_next_free(session, portal.id, portal.settings)

    def version(self) -> ScalarSelect[Any]:
        """Return a scalar subquery that changes whenever one of the stored times of ``:portal`` does."""
        return rows_version(NextFree)

    def earliest(self, portal_id: uuid.UUID, service_id: uuid.UUID | None = None) -> Subquery:
        """Return a subquery of ``specialist_id, next_free_at``: the earliest of all services, or of one."""
        query = select(NextFree.specialist_id, NextFree.next_free_at).where(NextFree.portal_id == portal_id)
        which = NextFree.earliest if service_id is None else NextFree.service_id == service_id
        return query.where(which).subquery("earliest")


def stale_specialists(
    session: Session, portal_id: uuid.UUID, settings: Settings, limit: int = AT_ONCE
) -> list[uuid.UUID]:
    """Return whose next free times on a portal are missing or stale, those first who may be first in a directory."""
    parameters = {"portal": portal_id, "common": _common(settings), "limit": limit}
    return list(session.scalars(_STALE, parameters))


def _common(settings: Settings) -> str:
    step, notice, horizon = settings.get(SLOT_STEP), settings.get(MINIMUM_NOTICE), settings.get(HORIZON)
    return "/".join(str(part // _MINUTE) for part in (step, notice, horizon))


def key_of(terms: SlotTerms) -> str:
    """Return terms in one text, to compare them."""
    parts = (terms.duration, terms.before, terms.after, terms.step, terms.notice // _MINUTE, terms.horizon // _MINUTE)
    return "/".join(map(str, parts))


@transactional
def refresh_next_free(session: Session, portal_id: uuid.UUID, settings: Settings, limit: int = AT_ONCE) -> int:
    """Compute what is stale on a portal again; return for how many specialists.

    Never waits: where somebody is writing into a calendar, its rows stay as they are until the next reader.
    """
    stale = stale_specialists(session, portal_id, settings, limit)
    offers: defaultdict[uuid.UUID, list[Offer]] = defaultdict(list)
    for offer in offers_of(session, portal_id, settings, specialist_ids=stale):
        offers[offer.specialist_id].append(offer)
    written = 0
    with each_unlocked(session, stale) as free:
        for specialist_id in free:
            _store(session, portal_id, specialist_id, offers[specialist_id])
            written += 1
    return written


def _store(session: Session, portal_id: uuid.UUID, specialist_id: uuid.UUID, offers: list[Offer]) -> None:
    """Replace the rows of one specialist, whose calendar is open and locked, on one portal."""
    mine = (NextFree.portal_id == portal_id) & (NextFree.specialist_id == specialist_id)
    session.execute(delete(NextFree).where(mine).execution_options(synchronize_session=False))
    if not offers:
        return
    moment = now(session)
    calendar = load(session, specialist_id, offers[0].zone, moment, moment + offers[0].terms.horizon + BEYOND)
    answers = [next_free(calendar, offer.terms, moment) for offer in offers]
    first = min(range(len(offers)), key=lambda place: (answers[place].at is None, answers[place].at or moment, place))
    rows = [
        {
            "portal_id": portal_id,
            "specialist_id": specialist_id,
            "service_id": offer.terms.service,
            "next_free_at": answer.at,
            "stale_at": answer.stale_at,
            "terms": key_of(offer.terms),
            "earliest": place == first,
        }
        for place, (offer, answer) in enumerate(zip(offers, answers, strict=True))
    ]
    session.execute(insert(NextFree).values(rows))
