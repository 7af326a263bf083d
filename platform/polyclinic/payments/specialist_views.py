"""Transactions over all portals, their download and chart, and billing details, in the Specialist Portal (E11, U2)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Invalid
from polyclinic.kernel.ids import parse_id
from polyclinic.kernel.money import Money
from polyclinic.payments.billing import read_billing, save_billing
from polyclinic.payments.forms import BillingForm
from polyclinic.payments.portal_views import document_of, serve_document
from polyclinic.payments.receipt_documents import heading_of, receipts_of
from polyclinic.payments.refund_rules import REASONS
from polyclinic.payments.transactions import (
    STATUSES,
    AmountName,
    Filters,
    Status,
    Transaction,
    currencies_of,
    every_transaction,
    list_transactions,
    month_bounds,
    revenue_by_month,
    totals_of,
)
from polyclinic.payments.words import TONES, model_words, status_words
from polyclinic.web.auth import current_session, require, require_kind
from polyclinic.web.forms import show_refusal
from polyclinic.web.i18n import current_zone, format_month
from polyclinic.web.plugins import current_hooks
from polyclinic.web.portal_badges import badge_of
from polyclinic.web.specialist_portals import my_portals

blueprint = Blueprint("specialists_transactions", __name__, subdomain="specialists", template_folder="templates")
MONTHS = 12
AMOUNTS: Final[tuple[AmountName, ...]] = ("amount", "gross", "commission", "fee", "net", "running")


@dataclass(frozen=True, slots=True)
class Bar:
    """One month of the chart."""

    month: str
    """As filters and the API write it: "2026-11"."""
    name: str
    net: Money
    height: float
    """Of 100; below zero for a month in which more went back than came."""


@blueprint.get("/transactions")
@require("specialist")
def index() -> str:
    """List transactions with filters, totals per currency and revenue by month; the address says all of it."""
    actor, session = require_kind("specialist"), current_session()
    filters, asked = read_filters()
    rows, following = list_transactions(session, actor, filters, cursor=request.args.get("cursor"))
    documents = receipts_of(session, {row.charge_id for row in rows})
    badges = {portal.id: badge_of(portal) for portal in my_portals(session, actor)}
    return render_template(
        "payments/specialist/index.html",
        rows=rows,
        totals=totals_of(session, actor, filters),
        charts=revenue_charts(actor, filters),
        documents={row.id: document_of(row, documents[row.charge_id]) for row in rows},
        heading_of=heading_of,
        charge_page=charge_page,
        badges=badges,
        portals=[(str(badge.id), badge.name) for badge in badges.values()],
        currencies=[(code, code) for code in currencies_of(session, actor)],
        statuses=[(status, status_words()[status]) for status in STATUSES],
        months=[(key, name) for key, name, _bounds in reversed(last_months())],
        words=status_words(),
        tones=TONES,
        models=model_words(),
        reasons=REASONS,
        asked=asked,
        filtered=any(asked.values()),
        without_patient=f"{url_for('.index')}?{urlencode({**asked, 'patient': ''})}",
        download=f"{url_for('.download')}?{urlencode({name: value for name, value in asked.items() if value})}",
        next_href=f"{url_for('.index')}?{urlencode({**asked, 'cursor': following})}" if following else "",
    )


@blueprint.get("/transactions.csv")
@require("specialist")
def download() -> Response:
    """Download what the filters let through as CSV, oldest first, amounts in major units beside their currency."""
    actor = require_kind("specialist")
    filters, _asked = read_filters()
    names = {portal.id: portal.name for portal in my_portals(current_session(), actor)}
    words, zone = status_words(), current_zone()
    transactions = every_transaction(current_session(), actor, filters)

    def lines() -> Iterator[str]:
        yield "\ufeff" + _line(_csv_heads())
        for row in transactions:
            yield _line(
                [
                    row.at.astimezone(zone).isoformat(timespec="minutes"),
                    _("Refund") if row.kind == "refund" else _("Charge"),
                    names.get(row.portal_id, ""),
                    row.patient_name,
                    row.description,
                    words[row.status],
                    row.currency,
                    *(
                        str(row.money(name).amount)
                        for name in ("amount", "gross", "commission", "fee", "net", "running")
                    ),
                    str(row.charge_id),
                ]
            )

    response = Response(stream_with_context(lines()), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="transactions.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.get("/transactions/receipts/<uuid:receipt_id>.pdf")
@require("specialist")
def document(receipt_id: uuid.UUID) -> Response:
    """Serve a receipt or credit note of one of the specialist's own charges; reading it is audited (U3)."""
    return serve_document(require_kind("specialist"), receipt_id)


@blueprint.route("/billing-details", methods=["GET", "POST"])
@require("specialist")
def billing() -> str | tuple[str, int] | AnyResponse:
    """Show and change what the specialist's own receipts say."""
    actor, session = require_kind("specialist"), current_session()
    form: Any = BillingForm(obj=read_billing(session, actor))
    if form.validate_on_submit():
        try:
            save_billing(
                session, actor, {name: form[name].data or "" for name in ("name", "address", "tax_id", "note")}
            )
        except Invalid as refusal:
            show_refusal(form, refusal)
        else:
            flash(_("Saved. Your next receipts say it; those that were issued stay as they are."), "success")
            return redirect(url_for(".billing"), 303)
    page = render_template("payments/specialist/billing.html", form=form, own_name=actor.name)
    return page, 422 if form.errors else 200


def read_filters() -> tuple[Filters, dict[str, str]]:
    """Return the filters of the address, and what of it was understood, for the form and for links."""
    month = request.args.get("month", "")
    bounds = month_bounds(month, current_zone())
    status: Status | None = next((known for known in STATUSES if known == request.args.get("status")), None)
    portal_id, patient_id = parse_id(request.args.get("portal", "")), parse_id(request.args.get("patient", ""))
    currency = request.args.get("currency", "")
    currency = currency if len(currency) == 3 and currency.isascii() and currency.isupper() else ""
    asked = {
        "portal": str(portal_id) if portal_id else "",
        "status": status or "",
        "month": month if bounds else "",
        "currency": currency,
        "patient": str(patient_id) if patient_id else "",
    }
    since, until = bounds or (None, None)
    return Filters(portal_id, status, currency or None, patient_id, since, until), asked


def last_months() -> list[tuple[str, str, tuple[dt.datetime, dt.datetime]]]:
    """Return the last twelve months on the specialist's wall, oldest first: key, name, bounds in UTC."""
    zone = current_zone()
    day = now(current_session()).astimezone(zone).date().replace(day=1)
    found = []
    for _number in range(MONTHS):
        key = f"{day:%Y-%m}"
        if bounds := month_bounds(key, zone):
            found.append((key, format_month(day), bounds))
        day = (day - dt.timedelta(days=1)).replace(day=1)
    return found[::-1]


def revenue_charts(actor: Actor, filters: Filters) -> list[tuple[str, list[Bar]]]:
    """Return a chart per currency: the net of each of the last twelve months."""
    months = last_months()
    everything = Filters(filters.portal_id, None, filters.currency, filters.patient_id)
    found = revenue_by_month(current_session(), actor, everything, [bounds for _key, _name, bounds in months])
    charts = []
    for currency, sums in found.items():
        most = max(map(abs, sums), default=0)
        if most:
            bars = [
                Bar(key, name, Money(net, currency), 100 * net / most)
                for (key, name, _bounds), net in zip(months, sums, strict=True)
            ]
            charts.append((currency, bars))
    return charts


def charge_page(row: Transaction) -> str:
    """Return the address of a charge in the specialist's own dashboard at the provider, "" where there is none (E3)."""
    model = current_hooks().payment_models.get(row.payment_model)
    if model is None or model.provider is None or not row.account or not row.capture_id:
        return ""
    link: Any = getattr(model.provider, "charge_page", None)
    return str(link(row.account, row.capture_id)) if link else ""


def _csv_heads() -> list[str]:
    return [
        _("When"),
        _("What"),
        _("Website"),
        _("Patient"),
        _("Description"),
        _("Status"),
        _("Currency"),
        _("Amount"),
        _("Gross"),
        _("Commission"),
        _("Provider's fee"),
        _("Net"),
        _("Running total"),
        _("Charge"),
    ]


def _line(cells: list[str]) -> str:
    """Write a line of CSV; a spreadsheet must not take a name for a formula."""
    safe = [f"'{cell}" if cell[:1] in "=+@\t\r" or (cell[:1] == "-" and not _number(cell)) else cell for cell in cells]
    out = io.StringIO()
    csv.writer(out).writerow(safe)
    return out.getvalue()


def _number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdigit()
