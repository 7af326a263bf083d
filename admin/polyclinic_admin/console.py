"""The console's frame on Flask-Admin: its first page, its views, their entries in the navigation."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, url_for
from flask_admin import Admin, AdminIndexView
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from polyclinic.audit.models import AuditEvent
from polyclinic.booking.models import Appointment
from polyclinic.directory.models import Listing
from polyclinic.enquiries.models import Enquiry
from polyclinic.identity.models import Patient, Specialist
from polyclinic.kernel.clock import now
from polyclinic.notifications.models import Delivery
from polyclinic.pages.models import ContactMessage
from polyclinic.payments.inbox_models import WebhookEvent
from polyclinic.payments.models import Charge, Payment, Refund
from polyclinic.tenancy.models import Portal
from polyclinic.web.navigation import Entry, add_entries, add_entry
from polyclinic.web.portal_badges import badge_of
from polyclinic.web.site import reader
from polyclinic_admin.access import OperatorsOnly, app_of, expose, operator, operator_session
from polyclinic_admin.desk import ContactMessages, Enquiries, whole_network
from polyclinic_admin.mail import Deliveries
from polyclinic_admin.money import Charges, Payments, Refunds
from polyclinic_admin.network import AuditEvents, Portals
from polyclinic_admin.people import Listings, Patients, Specialists
from polyclinic_admin.webhooks import Webhooks
from polyclinic_admin.words import kind_word


class Home(OperatorsOnly, AdminIndexView):  # type: ignore[misc]  # Flask-Admin carries no types
    """What waits for an operator, and the network at a glance (D2)."""

    @expose("/")
    def index(self) -> str:
        """Show approvals that wait and the figures of each portal."""
        session, actor = operator_session(), operator()
        waiting = [
            (
                _("Specialists waiting for approval"),
                session.scalar(select(func.count()).where(Specialist.state == "submitted")) or 0,
                url_for("console_specialists.index_view", state="submitted"),
                "user-check",
            ),
            (
                _("Listings waiting for approval"),
                session.scalar(select(func.count()).where(Listing.state == "applied")) or 0,
                url_for("console_listings.index_view", state="applied"),
                "store",
            ),
            (
                _("Messages to the support desk"),
                session.scalar(select(func.count()).where(ContactMessage.state == "new")) or 0,
                url_for("console_contact.index_view", state="new"),
                "inbox",
            ),
        ]
        if whole_network():
            asking = session.scalar(select(func.count()).where(Enquiry.state == "new")) or 0
            href = url_for("console_enquiries.index_view", state="new")
            waiting.append((_("Enquiries from specialists"), asking, href, "hand-heart"))
        page: str = self.render(
            "console/home.html",
            first_name=actor.name.split(" ")[0],
            waiting=[item for item in waiting if item[1]],
            portals=self._portals(session, actor),
            events=session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(8)).all(),
        )
        return page

    @staticmethod
    def _portals(session: Any, actor: Any) -> list[dict[str, Any]]:
        moment = now(session)
        counts: dict[str, dict[Any, int]] = {}
        for name, column, conditions in (
            ("listed", Listing.portal_id, (Listing.state == "listed",)),
            ("patients", Patient.portal_id, ()),
            ("upcoming", Appointment.portal_id, (Appointment.state == "confirmed", Appointment.starts_at > moment)),
            ("completed", Appointment.portal_id, (Appointment.state == "completed",)),
        ):
            rows = session.execute(select(column, func.count()).where(*conditions).group_by(column)).all()
            counts[name] = {row[0]: row[1] for row in rows}
        shown = [portal for portal in app_of().places.portals() if actor.portals is None or portal.id in actor.portals]
        return [
            {"badge": badge_of(portal), "portal": portal}
            | {name: found.get(portal.id, 0) for name, found in counts.items()}
            for portal in shown
        ]


def network_entries(place: str, name: Any) -> list[Entry]:
    """The entries that only operators of the whole network have."""
    if place != "admin" or reader() is None or not whole_network():
        return []
    more: dict[str, Any] = {"order": 24, "needs": "signed_in", "shortcut": "g e"}
    return [Entry("admin", "console_enquiries.index_view", name, "hand-heart", **more)]


def add_console(app: Flask) -> None:
    """Build Flask-Admin on the operators' place and fill the navigation."""
    templates = Blueprint("console_templates", __name__, subdomain="admin", template_folder="templates")
    app.register_blueprint(templates)
    app.jinja_env.globals["kind_word"] = kind_word
    admin = Admin(
        app,
        name="Polyclinic",
        subdomain="admin",
        url="/",
        index_view=Home(name=_l("Overview"), endpoint="console", url="/", template="console/home.html"),
    )
    views = (
        (Portals(Portal, name=_l("Websites"), endpoint="console_portals", url="/portals"), "globe", "g w"),
        (
            Specialists(Specialist, name=_l("Specialists"), endpoint="console_specialists", url="/specialists"),
            "stethoscope",
            "g s",
        ),
        (Listings(Listing, name=_l("Listings"), endpoint="console_listings", url="/listings"), "store", "g l"),
        (Patients(Patient, name=_l("Patients"), endpoint="console_patients", url="/patients"), "users", "g p"),
        (
            ContactMessages(ContactMessage, name=_l("Messages"), endpoint="console_contact", url="/contact-messages"),
            "inbox",
            "g c",
        ),
        (Charges(Charge, name=_l("Charges"), endpoint="console_charges", url="/charges"), "coins", "g f"),
        (Payments(Payment, name=_l("Payments"), endpoint="console_payments", url="/payments"), "credit-card", "g y"),
        (Refunds(Refund, name=_l("Refunds"), endpoint="console_refunds", url="/refunds"), "undo-2", "g r"),
        (Deliveries(Delivery, name=_l("Mails"), endpoint="console_deliveries", url="/deliveries"), "mail-check", "g m"),
        (Webhooks(WebhookEvent, name=_l("Webhooks"), endpoint="console_webhooks", url="/webhooks"), "inbox", "g h"),
        (
            AuditEvents(AuditEvent, name=_l("Audit trail"), endpoint="console_audit", url="/audit-events"),
            "scroll-text",
            "g a",
        ),
    )
    shown: dict[str, Any] = {"order": 10, "needs": "signed_in", "shortcut": "g o"}
    add_entry(app, "admin", "console.index", _l("Overview"), "layout-dashboard", **shown)
    enquiries = Enquiries(Enquiry, name=_l("Enquiries"), endpoint="console_enquiries", url="/enquiries")
    admin.add_view(enquiries)
    add_entries(app, lambda place: network_entries(place, enquiries.name))
    for number, (view, icon, shortcut) in enumerate(views):
        admin.add_view(view)
        shown = {"order": 20 + number, "needs": "signed_in", "shortcut": shortcut}
        add_entry(app, "admin", f"{view.endpoint}.index_view", view.name, icon, **shown)
