"""The next free time of each offer, stored for directories and computed again by the reader who finds it stale.

A row goes stale when its slot comes too near, when a hold dies that may free an earlier one, when anything is written
into the calendar on whichever portal, and when the offer's terms change. It is written under the specialist's lock:
otherwise an answer computed before a claim could be stored after it.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Sequence

from sqlalchemy import Subquery, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from polyclinic.calendar.models import NextFree
from polyclinic.calendar.opening import load, opened, try_lock
from polyclinic.calendar.policy import HORIZON, MINIMUM_NOTICE, SLOT_STEP
from polyclinic.calendar.rules import BEYOND, SlotTerms, next_free
from polyclinic.calendar.services import Offer
from polyclinic.directory.models import ListingService
from polyclinic.kernel.clock import now
from polyclinic.kernel.transactions import transactional
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.settings import Settings

_MINUTE = dt.timedelta(minutes=1)
# The terms in one text, as key_of() writes them: one comparison finds every kind of change.
_STALE_OFFERS = text(
    """
    SELECT offered.specialist_id, profile.zone, service.id, service.duration_minutes,
           coalesce(offered.buffer_before_minutes, service.buffer_before_minutes),
           coalesce(offered.buffer_after_minutes, service.buffer_after_minutes)
      FROM listing_service AS offered
      JOIN published_profile AS profile USING (portal_id, specialist_id)
      JOIN service ON service.portal_id = offered.portal_id AND service.id = offered.service_id
      LEFT JOIN next_free AS stored ON stored.portal_id = offered.portal_id
           AND stored.specialist_id = offered.specialist_id AND stored.service_id = offered.service_id
     WHERE offered.portal_id = :portal AND offered.active AND service.active
       AND (stored.stale_at IS NULL OR stored.stale_at <= (SELECT app_now())
            OR stored.terms <> concat_ws('/', service.duration_minutes,
                   coalesce(offered.buffer_before_minutes, service.buffer_before_minutes),
                   coalesce(offered.buffer_after_minutes, service.buffer_after_minutes), CAST(:common AS text)))
     ORDER BY offered.specialist_id, service.id
    """
)


class StoredNextFree:
    """Where the directory finds next free times (directory.offers.NextFreeSource)."""

    def refresh(self, session: Session, portal: PortalView) -> None:
        """Bring the stale rows of a portal up to date; one statement when none is stale."""
        if stale_offers(session, portal.id, portal.settings):
            refresh_next_free(session, portal.id, portal.settings)

    def earliest(self, portal_id: uuid.UUID, service_id: uuid.UUID | None = None) -> Subquery:
        """Return a subquery of ``specialist_id, next_free_at``: the earliest of all services, or of one."""
        query = (
            select(NextFree.specialist_id, func.min(NextFree.next_free_at).label("next_free_at"))
            .join(
                ListingService,
                (ListingService.portal_id == NextFree.portal_id)
                & (ListingService.specialist_id == NextFree.specialist_id)
                & (ListingService.service_id == NextFree.service_id),
            )
            .where(NextFree.portal_id == portal_id, ListingService.active)
            .group_by(NextFree.specialist_id)
        )
        return (query if service_id is None else query.where(NextFree.service_id == service_id)).subquery("earliest")


def stale_offers(session: Session, portal_id: uuid.UUID, settings: Settings) -> list[Offer]:
    """Return the offers of a portal whose next free time is not stored, or stale, ordered by specialist."""
    step, notice, horizon = settings.get(SLOT_STEP) // _MINUTE, settings.get(MINIMUM_NOTICE), settings.get(HORIZON)
    common = "/".join(str(part) for part in (step, notice // _MINUTE, horizon // _MINUTE))
    return [
        Offer(one[0], one[1], SlotTerms(portal_id, one[2], one[3], one[4], one[5], step, notice, horizon))
        for one in session.execute(_STALE_OFFERS, {"portal": portal_id, "common": common})
    ]


@transactional
def refresh_next_free(session: Session, portal_id: uuid.UUID, settings: Settings) -> int:
    """Compute the stale rows of a portal again; return how many were written.

    Never waits: where somebody is writing into a calendar, its rows stay as they are until the next reader.
    """
    stale = stale_offers(session, portal_id, settings)
    return sum(
        _refresh(session, list(offers)) for _, offers in itertools.groupby(stale, key=lambda offer: offer.specialist_id)
    )


def _refresh(session: Session, offers: Sequence[Offer]) -> int:
    """Compute and store the rows of one specialist."""
    specialist_id, zone = offers[0].specialist_id, offers[0].zone
    with opened(session, specialist_id):
        if not try_lock(session, specialist_id):
            return 0
        moment = now(session)
        end = moment + offers[0].terms.horizon + BEYOND
        calendar = load(session, specialist_id, zone, moment, end)
        for offer in offers:
            answer = next_free(calendar, offer.terms, moment)
            values = {"next_free_at": answer.at, "stale_at": answer.stale_at, "terms": key_of(offer.terms)}
            keys = {"portal_id": offer.terms.portal, "specialist_id": specialist_id, "service_id": offer.terms.service}
            session.execute(
                insert(NextFree).values(**keys, **values).on_conflict_do_update(index_elements=list(keys), set_=values)
            )
    return len(offers)


def key_of(terms: SlotTerms) -> str:
    """Return terms in one text, to compare them."""
    parts = (terms.duration, terms.before, terms.after, terms.step, terms.notice // _MINUTE, terms.horizon // _MINUTE)
    return "/".join(map(str, parts))
