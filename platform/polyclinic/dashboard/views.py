"""The Specialist Portal's first page and its live numbers."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from babel import dates
from flask import Blueprint, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from polyclinic.dashboard.rules import ActionItem
from polyclinic.dashboard.services import Visit, count_live, get_dashboard
from polyclinic.enquiries.views import landing
from polyclinic.web.auth import current_actor, current_session, require, require_kind
from polyclinic.web.i18n import current_language, current_zone, format_day, localized
from polyclinic.web.portal_badges import PortalBadge, badge_of
from polyclinic.web.specialist_portals import my_portals

blueprint = Blueprint("specialists_dashboard", __name__, subdomain="specialists", template_folder="templates")


@dataclass(frozen=True, slots=True)
class Row:
    """A visit as a line of the agenda."""

    starts: dt.datetime
    ends: dt.datetime
    name: str
    text: str
    href: str
    badge: PortalBadge | None
    past: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Said:
    """An action item in words: what, why, and the one click that resolves it."""

    item: ActionItem
    title: str
    text: str
    href: str
    action: str
    icon: str
    tone: str


@blueprint.get("/")
def welcome() -> ResponseReturnValue:
    """Send specialists to their day; tell everybody else what this place is."""
    if current_actor().signed_in:
        return redirect(url_for(".index"))
    return landing()


@blueprint.get("/dashboard")
@require("specialist")
def index() -> str:
    """Show what is next and what to do."""
    actor, session = require_kind("specialist"), current_session()
    portals = my_portals(session, actor)
    board = get_dashboard(session, actor, portals)
    badges = {portal.id: badge_of(portal) for portal in portals}
    rows = {visit.appointment.id: row_of(visit, badges, board.now) for visit in (*board.today, *board.upcoming)}
    where = current_zone()
    ahead = [rows[visit.appointment.id] for visit in board.upcoming]
    by_day = itertools.groupby(ahead, key=lambda row: row.starts.astimezone(where).date())
    upcoming = [(day, list(visits)) for day, visits in by_day]
    return render_template(
        "dashboard/index.html",
        board=board,
        next=row_of(board.next, badges, board.now) if board.next else None,
        next_day=format_day(board.next.appointment.starts_at, length="full") if board.next else "",
        until=say_until(board.next.appointment.starts_at, board.now) if board.next else "",
        today=[rows[visit.appointment.id] for visit in board.today],
        upcoming=upcoming,
        fresh=[row_of(visit, badges, board.now) for visit in board.new_bookings],
        first_name=actor.name.split(" ")[0],
        actions=[say(item) for item in board.actions],
        busiest=max((count for _day, count in board.month.per_day), default=0),
    )


def row_of(visit: Visit, badges: Mapping[uuid.UUID, PortalBadge], moment: dt.datetime) -> Row:
    """Return a visit as the agenda shows it."""
    one = visit.appointment
    return Row(
        one.starts_at,
        one.ends_at,
        visit.patient_name,
        localized(one.service_name),
        url_for("specialists_booking.show", appointment_id=one.id),
        badges.get(one.portal_id),
        past=one.ends_at <= moment,
        current=one.starts_at <= moment < one.ends_at,
    )


def say_until(starts: dt.datetime, moment: dt.datetime) -> str:
    """How long it is until a visit, in words: "in 2 hours", "now"."""
    if starts <= moment:
        return _("Now")
    locale = current_language().locale
    return dates.format_timedelta(starts - moment, granularity="minute", add_direction=True, locale=locale)


@blueprint.get("/live/counts")
@require("specialist")
def counts() -> ResponseReturnValue:
    """Return the numbers of the page; asked for whenever the live channel says that something changed."""
    actor, session = require_kind("specialist"), current_session()
    return jsonify(count_live(session, actor, my_portals(session, actor)))


def say(item: ActionItem) -> Said:
    """Put an action item into words in the reader's language."""
    if item.kind == "complete":
        return Said(
            item,
            _("Did the visit with %(name)s take place?", name=item.name),
            _("It is over and not marked yet."),
            url_for("specialists_booking.show", appointment_id=item.subject_id),
            _("Mark it"),
            "square-check",
            "caution",
        )
    if item.kind == "hours":
        return Said(
            item,
            _("Say when you work"),
            _("Without weekly hours nobody can book a visit with you."),
            url_for("specialists_calendar.availability"),
            _("Add hours"),
            "calendar-plus",
            "critical",
        )
    if item.kind == "account":
        return Said(
            item,
            _("Stripe is not connected"),
            _("Before you can be paid for visits on %(portals)s, Stripe needs to know you.", portals=item.name),
            url_for("specialists_accounts.index"),
            _("Connect Stripe"),
            "credit-card",
            "critical",
        )
    if item.kind == "services":
        return Said(
            item,
            _("Choose what you offer on %(portal)s", portal=item.name),
            _("You are listed there without a service that can be booked."),
            url_for("specialists_directory.websites"),
            _("Choose services"),
            "store",
            "caution",
        )
    return Said(
        item,
        _("Your listing on %(portal)s is paused", portal=item.name),
        _("New patients cannot find you there."),
        url_for("specialists_directory.websites"),
        _("Review"),
        "pause",
        "neutral",
    )
