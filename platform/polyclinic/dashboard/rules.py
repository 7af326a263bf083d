"""Pure decisions about what a specialist should do next (D1)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

#: For how long somebody counts as a new patient, and a visit as forgotten once it is over.
NEW_FOR = dt.timedelta(days=7)
FORGOTTEN_AFTER = dt.timedelta(hours=1)

Kind = Literal["complete", "hours", "account", "services", "paused"]


@dataclass(frozen=True, slots=True)
class Open:
    """A visit that nobody has marked: its id, the patient's name, when it ended (UTC)."""

    id: uuid.UUID
    name: str
    ended_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ActionItem:
    """One thing to do, with the time it is due (UTC) and what it is about."""

    kind: Kind
    due_at: dt.datetime | None = None
    subject_id: uuid.UUID | None = None
    name: str = ""


def action_items(
    now: dt.datetime,
    *,
    has_hours: bool,
    unmarked: Iterable[Open],
    without_services: Iterable[tuple[uuid.UUID, str]] = (),
    paused: Iterable[tuple[uuid.UUID, str]] = (),
    unpaid: Iterable[tuple[dt.datetime | None, str]] = (),
) -> list[ActionItem]:
    """Return what to do, the most urgent first.

    Without hours nobody can book at all, so that comes first; then payment accounts that are missing or lack something
    (deadline, portals' names); visits that are over and unmarked, the oldest first; portals (id, name) without a
    service, and paused ones.
    """
    items = [] if has_hours else [ActionItem("hours")]
    items += [ActionItem("account", deadline, None, names) for deadline, names in unpaid]
    over = sorted((visit for visit in unmarked if visit.ended_at + FORGOTTEN_AFTER <= now), key=lambda v: v.ended_at)
    items += [ActionItem("complete", visit.ended_at + FORGOTTEN_AFTER, visit.id, visit.name) for visit in over]
    items += [ActionItem("services", None, portal_id, name) for portal_id, name in without_services]
    items += [ActionItem("paused", None, portal_id, name) for portal_id, name in paused]
    return items
