"""Reading receipts: whose they are, and the PDF, rendered once and kept as it is (E10, P4)."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, cast

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.money import Money
from polyclinic.kernel.transactions import transactional
from polyclinic.kernel.zones import zone
from polyclinic.payments.models import PaymentCharge
from polyclinic.payments.receipt_models import Receipt
from polyclinic.payments.refund_rules import REASONS
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.policy import TIME_ZONE
from polyclinic.web.files import files
from polyclinic.web.formats import say_money
from polyclinic.web.i18n import format_day, format_percent, use_locale
from polyclinic.web.pdf import render_pdf
from polyclinic.web.places import PlaceFlask
from polyclinic.web.theming import brand_of_portal, look_of_portal

log = logging.getLogger(__name__)
TEMPLATE: Final = "documents/receipt.typ"


def receipts_of(session: Session, charge_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Receipt]]:
    """Return the documents of charges, oldest first; the receipt of a payment belongs to each charge it settles."""
    if not charge_ids:
        return {}
    settled = session.execute(
        select(PaymentCharge.payment_id, PaymentCharge.charge_id).where(PaymentCharge.charge_id.in_(charge_ids))
    ).all()
    payments: dict[uuid.UUID, list[uuid.UUID]] = {}
    for payment_id, charge_id in settled:
        payments.setdefault(payment_id, []).append(charge_id)
    found = session.scalars(
        select(Receipt)
        .where(or_(Receipt.charge_id.in_(charge_ids), Receipt.payment_id.in_(list(payments))))
        .order_by(Receipt.issued_at, Receipt.number)
    ).all()
    result: dict[uuid.UUID, list[Receipt]] = {charge_id: [] for charge_id in charge_ids}
    for receipt in found:
        whole = receipt.kind == "receipt" and receipt.payment_id in payments
        for charge_id in payments[receipt.payment_id] if whole and receipt.payment_id else [receipt.charge_id]:
            if charge_id in result:
                result[charge_id].append(receipt)
    return result


def get_receipt(session: Session, actor: Actor, receipt_id: uuid.UUID) -> Receipt:
    """Return a receipt that the actor may see; raises NotFound for any other.

    The database narrows by the actor's scope; a patient's and a specialist's own id is asked for once more.
    """
    query = select(Receipt).where(Receipt.id == receipt_id)
    if actor.kind == "patient":
        query = query.where(Receipt.portal_id == actor.portal_id, Receipt.patient_id == actor.id)
    elif actor.kind == "specialist":
        query = query.where(Receipt.specialist_id == actor.id)
    elif actor.kind != "operator":
        raise NotFound
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def open_document(session: Session, actor: Actor, receipt_id: uuid.UUID) -> tuple[Receipt, bytes]:
    """Return a receipt with its PDF: the same bytes whenever and whoever asks; staff's reading is audited (U3).

    Reading writes nothing: before the job of ``receipt_tasks`` has kept the bytes, the same are made again.
    """
    receipt = get_receipt(session, actor, receipt_id)
    if actor.kind != "patient":
        _note_reading(session, actor, receipt)
        receipt = get_receipt(session, actor, receipt_id)
    kept = files().get(receipt.file_key) if receipt.file_key else None
    if kept is not None:
        return receipt, kept
    session.expunge(receipt)
    session.rollback()  # no connection is held while the document is set
    made = render_receipt(receipt)
    if receipt.file_hash is not None and hashlib.sha256(made).digest() != receipt.file_hash:
        log.error("the stored bytes of receipt %s are lost, and what is rendered now differs", receipt.id)
    return receipt, made


@transactional
def _note_reading(session: Session, actor: Actor, receipt: Receipt) -> None:
    record(session, actor, "receipt.read", "receipt", receipt.id, portal_id=receipt.portal_id)


def keep_document(session: Session, receipt_id: uuid.UUID) -> None:
    """Render a receipt's document and keep its bytes for good, as a job; one that is kept stays as it is (E10)."""
    receipt = session.scalars(select(Receipt).where(Receipt.id == receipt_id)).one()
    if receipt.file_key is not None:
        return
    session.expunge(receipt)
    session.rollback()
    made = render_receipt(receipt)
    key = f"receipts/{secrets.token_urlsafe(24)}.pdf"
    files().put(key, made)
    if not _keep(session, receipt_id, key, made):
        files().delete(key)


@transactional
def _keep(session: Session, receipt_id: uuid.UUID, key: str, made: bytes) -> bool:
    """Remember where the bytes are; of two jobs that rendered at once the first is right for both."""
    kept = session.execute(
        update(Receipt)
        .where(Receipt.id == receipt_id, Receipt.file_key.is_(None))
        .values(file_key=key, file_hash=hashlib.sha256(made).digest())
        .returning(Receipt.id)
    )
    return kept.scalar_one_or_none() is not None


def render_receipt(receipt: Receipt) -> bytes:
    """Return the PDF of a receipt in its portal's look and its own language; needs an app context."""
    portal = cast(PlaceFlask, current_app).places.portal(receipt.portal_id)
    if portal is None:
        raise NotFound
    where = portal.settings.get(TIME_ZONE)
    with use_locale(receipt.locale, where):
        heading = heading_of(receipt)
        return render_pdf(
            look_of_portal(portal),
            TEMPLATE,
            title=f"{heading} {receipt.label}",
            author=portal.name,
            moment=receipt.issued_at.astimezone(zone(where)),
            data=_content(portal, receipt, heading),
            portal=portal.slug,
        )


def heading_of(receipt: Receipt) -> str:
    """Return what a document is called in the reader's language."""
    return _("Credit note") if receipt.kind == "credit_note" else _("Receipt")


def _content(portal: PortalView, receipt: Receipt, heading: str) -> dict[str, Any]:
    data, brand = receipt.data, brand_of_portal(portal)
    return {
        "brand": {
            "name": brand.name,
            "contact": [line for line in (portal.host, brand.support_email, brand.support_phone) if line],
        },
        "foot": f"{brand.name} · {heading} {receipt.label}",
        "heading": heading,
        "parties": _parties(data),
        "facts": _facts(receipt),
        "columns": [_("Description"), _("Amount in %(currency)s", currency=receipt.currency)],
        "lines": [
            [line["text"], _("with %(name)s", name=data["specialist"]), _amount(line["minor"], receipt)]
            for line in data["lines"]
        ],
        "sums": _sums(receipt),
        "total": [
            _("Returned") if receipt.kind == "credit_note" else _("Paid"),
            _amount(receipt.amount_minor, receipt),
        ],
        "notes": _notes(receipt),
    }


def _amount(minor: int, receipt: Receipt) -> str:
    return say_money(Money(minor, receipt.currency), exact=True)


def _parties(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    issuer = data["issuer"]
    tax_id = [_("Tax number %(number)s", number=issuer["tax_id"])] if issuer["tax_id"] else []
    return [
        {"label": _("Issued by"), "lines": [issuer["name"], *issuer["address"], *tax_id]},
        {"label": _("Issued to"), "lines": [data["patient"]]},
    ]


def _facts(receipt: Receipt) -> list[list[str]]:
    facts = [[_("Number"), receipt.label], [_("Date"), format_day(receipt.issued_at, length="long")]]
    if receipt.kind == "receipt":
        paid_at = dt.datetime.fromisoformat(receipt.data["paid_at"])
        facts.append([_("Paid on"), format_day(paid_at, length="long")])
        facts.append([_("How it was paid"), method_word(receipt.data["method"])])
    elif receipt.data["refers_to"]:
        facts.append([_("For receipt"), receipt.data["refers_to"]])
    return facts


def method_word(method: str) -> str:
    """Return how something was paid, in the reader's language."""
    return _("Online") if method == "online" else _("Directly to the specialist")


def _sums(receipt: Receipt) -> Sequence[Sequence[str]]:
    data = receipt.data
    if not data["tax_bps"]:
        return []
    rate = format_percent(data["tax_bps"])
    label = f"{data['tax_label']} ({rate})" if data["tax_label"] else _("Tax (%(rate)s)", rate=rate)
    return [[_("Net"), _amount(data["net"], receipt)], [label, _amount(data["tax"], receipt)]]


def _notes(receipt: Receipt) -> list[str]:
    data = receipt.data
    notes = []
    if receipt.kind == "credit_note":
        notes.append(str(REASONS.get(data["reason"], data["reason"])))
    if data["issuer"]["note"]:
        notes.append(data["issuer"]["note"])
    return notes
