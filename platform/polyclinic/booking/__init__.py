"""From a slot to a visit that took place: holds, appointments and their one table of transitions.

What others use: ``holds`` and ``services`` (hold, confirm, cancel, complete), ``appointments`` (access functions and
lists), ``offers`` (who is shown which slots), ``words``. Outbox: ``appointment.confirmed``, ``appointment.cancelled``,
``appointment.completed`` with ``{"appointment_id", "by", "sequence"}``.
"""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from polyclinic.directory.offers import set_slot_offers
from polyclinic.identity.registration import on_sign_in
from polyclinic.identity.tokens import add_scopes
from polyclinic.payments.causes import register_cause
from polyclinic.web.navigation import add_entry


def init_app(app: Flask) -> None:
    """Offer slots to the directory, take over guests' holds, add pages, APIs and jobs."""
    from polyclinic.booking import (  # noqa: PLC0415  # edges load only where there is an application
        api,
        appointment_views,
        guests,
        own_api,
        payment_views,
        specialist_views,
        tasks,
        views,
    )
    from polyclinic.booking.charges import CAUSE  # noqa: PLC0415  # as above
    from polyclinic.booking.offers import BookingOffers  # noqa: PLC0415  # as above
    from polyclinic.booking.paying import AppointmentPayments  # noqa: PLC0415  # as above

    set_slot_offers(app, BookingOffers())
    on_sign_in(app, guests.adopt)
    tasks.init_app(app)
    register_cause(app, CAUSE, AppointmentPayments())
    app.register_blueprint(payment_views.blueprint)
    app.register_blueprint(views.blueprint)
    app.register_blueprint(appointment_views.blueprint)
    app.register_blueprint(specialist_views.blueprint)
    app.extensions["polyclinic.apis"]["portal"].register_blueprint(api.blueprint)
    app.extensions["polyclinic.apis"]["specialists"].register_blueprint(own_api.blueprint)
    see = {"appointments:read": _l("see your appointments")}
    add_scopes(app, "portal", {**see, "appointments:write": _l("book and cancel")})
    add_scopes(app, "specialists", {**see, "appointments:write": _l("cancel and complete")})
    _add_entries(app)


def _add_entries(app: Flask) -> None:
    mine = {"order": 30, "needs": "signed_in"}
    add_entry(app, "portal", "portal_appointments.index", _l("My appointments"), "calendar-check", **mine)
    shown = {"order": 20, "needs": "signed_in", "shortcut": "g c"}
    add_entry(app, "specialists", "specialists_booking.calendar", _l("Calendar"), "calendar", **shown)
    shown = {"order": 30, "needs": "signed_in", "shortcut": "g a", "live": "upcoming"}
    add_entry(app, "specialists", "specialists_booking.index", _l("Appointments"), "list", **shown)
