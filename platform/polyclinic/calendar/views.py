"""The availability editor of the Specialist Portal (C1): every change says which appointments it concerns (C9)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.calendar.availability import (
    AtRisk,
    Changed,
    create_exception,
    create_hours,
    create_time_off,
    delete_entry,
)
from polyclinic.calendar.forms import ExceptionForm, HoursForm, TimeOffForm
from polyclinic.calendar.models import AvailabilityException, AvailabilityRule, TimeOff
from polyclinic.calendar.services import offer_slots, offers_of
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import NotFound, Refusal
from polyclinic.web.auth import current_session, require, require_kind
from polyclinic.web.forms import show_refusal
from polyclinic.web.i18n import current_zone, format_day, format_when, short_day, weekday_names
from polyclinic.web.portal_badges import PortalBadge, badge_of
from polyclinic.web.specialist_portals import my_portals

blueprint = Blueprint("specialists_calendar", __name__, subdomain="specialists", template_folder="templates")

PREVIEWED = dt.timedelta(days=7)
_ENTRIES: dict[str, type[Any]] = {
    "hours": AvailabilityRule,
    "exceptions": AvailabilityException,
    "time-off": TimeOff,
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What patients of one portal are offered in the next days: slots per day, over all services."""

    badge: PortalBadge
    days: Sequence[tuple[dt.date, str, int]]
    """Date, its short name in the reader's language ("Tue 24"), number of slots."""

    @property
    def total(self) -> int:
        """All slots of the days."""
        return sum(count for _day, _name, count in self.days)


@blueprint.get("/availability")
@require("specialist")
def availability() -> str:
    """Show weekly hours, dates that differ, time off, and what patients see of it."""
    return _page()


@blueprint.post("/availability/hours")
@require("specialist")
def add_hours() -> ResponseReturnValue:
    """Add weekly hours on one or several days."""
    form = _offered(HoursForm(prefix="hours"))
    return _save("hours", form, lambda session, actor: create_hours(session, actor, form.rules(_zone(actor))))


@blueprint.post("/availability/exceptions")
@require("specialist")
def add_exception() -> ResponseReturnValue:
    """Add extra or closed time on one date."""
    form = _offered(ExceptionForm(prefix="exception"))
    return _save(
        "exceptions", form, lambda session, actor: [create_exception(session, actor, form.exception(_zone(actor)))]
    )


@blueprint.post("/availability/time-off")
@require("specialist")
def add_time_off() -> ResponseReturnValue:
    """Take time off on every portal."""
    form = TimeOffForm(prefix="off")
    return _save("time-off", form, lambda session, actor: [create_time_off(session, actor, form.absence(_zone(actor)))])


@blueprint.post("/availability/<any('hours', 'exceptions', 'time-off'):kind>/<uuid:entry_id>/delete")
@require("specialist")
def remove(kind: str, entry_id: uuid.UUID) -> ResponseReturnValue:
    """Remove an entry."""
    changed = delete_entry(current_session(), require_kind("specialist"), _ENTRIES[kind], entry_id)
    flash(_("Removed."), "positive")
    _tell_concerned(changed.concerned)
    return redirect(url_for(".availability", _anchor=kind), 303)


def _save(kind: str, form: Any, write: Callable[[Session, Actor], Sequence[Changed[Any]]]) -> ResponseReturnValue:
    if not form.validate_on_submit():
        return _page(kind, form), 422
    try:
        changes = write(current_session(), require_kind("specialist"))
    except NotFound:
        raise
    except Refusal as refusal:
        show_refusal(form, refusal)
        return _page(kind, form), refusal.status
    flash(_("Saved. Patients see it from now on."), "positive")
    _tell_concerned([one for change in changes for one in change.concerned])
    return redirect(url_for(".availability", _anchor=kind), 303)


def _tell_concerned(concerned: Sequence[AtRisk]) -> None:
    """Name the appointments that stay although the change leaves them outside the availability."""
    starts = sorted({one.start for one in concerned})
    if not starts:
        return
    times = "; ".join(format_when(start, current_zone()) for start in starts[:5])
    flash(
        ngettext(
            "One appointment lies outside your hours now and stays as it is: %(times)s",
            "%(num)s appointments lie outside your hours now and stay as they are: %(times)s",
            len(starts),
            times=times if len(starts) <= 5 else f"{times} …",
        ),
        "caution",
    )


def _zone(actor: Actor) -> str:
    return actor.zone or "UTC"


def _offered(form: Any) -> Any:
    portals = my_portals(current_session(), require_kind("specialist"))
    form.offer([(str(portal.id), portal.name) for portal in portals])
    return form


def _page(kind: str = "", refused: Any = None) -> str:
    actor, session = require_kind("specialist"), current_session()
    forms = {
        "hours": _offered(HoursForm(formdata=None, prefix="hours")),
        "exceptions": _offered(ExceptionForm(formdata=None, prefix="exception")),
        "time-off": TimeOffForm(formdata=None, prefix="off"),
    }
    if refused is not None:
        forms[kind] = refused
    moment = now(session)
    today = moment.astimezone(current_zone()).date()
    badges = {portal.id: badge_of(portal) for portal in my_portals(session, actor)}
    rules = session.scalars(
        select(AvailabilityRule)
        .where(AvailabilityRule.specialist_id == actor.id)
        .order_by(AvailabilityRule.weekday, AvailabilityRule.starts)
    ).all()
    return render_template(
        "calendar/availability.html",
        forms=forms,
        refused=kind if refused is not None else "",
        week=[(name, [rule for rule in rules if rule.weekday == day]) for day, name in enumerate(weekday_names())],
        has_rules=bool(rules),
        exceptions=session.scalars(
            select(AvailabilityException)
            .where(AvailabilityException.specialist_id == actor.id, AvailabilityException.date >= today)
            .order_by(AvailabilityException.date, AvailabilityException.starts)
        ).all(),
        absences=session.scalars(
            select(TimeOff)
            .where(TimeOff.specialist_id == actor.id, TimeOff.ends_at > moment)
            .order_by(TimeOff.starts_at)
        ).all(),
        badges=badges,
        zone=_zone(actor),
        previews=_previews(session, actor, badges, moment),
        format_day=format_day,
        open_form=request.args.get("add", ""),
    )


def _previews(
    session: Session, actor: Actor, badges: dict[uuid.UUID, PortalBadge], moment: dt.datetime
) -> list[Preview]:
    """Compute what each portal offers in the coming days, on the specialist's calendar of days."""
    first = moment.astimezone(current_zone()).date()
    previews = []
    for portal in my_portals(session, actor):
        counts = dict.fromkeys((first + dt.timedelta(days=number) for number in range(PREVIEWED.days)), 0)
        starts = {
            slot.start
            for offer in offers_of(session, portal.id, portal.settings, specialist_ids=[_id(actor)])
            for slot in offer_slots(session, offer, moment, moment + PREVIEWED)
        }
        for start in starts:
            day = start.astimezone(current_zone()).date()
            if day in counts:
                counts[day] += 1
        days = [(day, short_day(day), count) for day, count in counts.items()]
        previews.append(Preview(badges[portal.id], days))
    return previews


def _id(actor: Actor) -> uuid.UUID:
    if actor.id is None:
        raise NotFound
    return actor.id
