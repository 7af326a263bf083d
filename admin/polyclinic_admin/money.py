"""Charges, payments and refunds of the portals in an operator's scope, with the ledger's sums above them (E6, I4)."""

from __future__ import annotations

import uuid
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import pgettext

from polyclinic.kernel.money import Money
from polyclinic.payments.ledger_sums import LedgerSum, ledger_sums
from polyclinic.payments.models import Charge, Payment, Refund
from polyclinic.payments.refund_rules import REASONS
from polyclinic.payments.words import model_words
from polyclinic.web.formats import say_money
from polyclinic.web.portal_badges import PortalBadge, portal_badge
from polyclinic_admin.access import operator_session
from polyclinic_admin.lists import Cell, Facet, ReadOnlyList
from polyclinic_admin.people import portal_choices

TONES: Final = {
    "paid": "positive",
    "succeeded": "positive",
    "open": "caution",
    "intended": "neutral",
    "processing": "accent",
    "requested": "accent",
    "pending": "accent",
    "failed": "critical",
    "expired": "neutral",
    "void": "neutral",
}


def _charge_states() -> list[tuple[str, str]]:
    return [("open", pgettext("money that is owed", "Open")), ("paid", _("Paid")), ("void", _("Not owed any more"))]


def _payment_states() -> list[tuple[str, str]]:
    return [
        ("intended", _("About to begin")),
        ("open", pgettext("money that is owed", "Open")),
        ("processing", _("Being processed")),
        ("paid", _("Paid")),
        ("failed", _("Failed")),
        ("expired", _("Expired")),
    ]


def _refund_states() -> list[tuple[str, str]]:
    return [
        ("requested", _("Requested")),
        ("pending", _("On the way")),
        ("succeeded", _("Returned")),
        ("failed", _("Failed")),
    ]


def _models() -> list[tuple[str, str]]:
    return [(slug, word) for slug, word in model_words().items() if slug != "free"]


def state_of(charge: Charge) -> str:
    """Return whether a charge is open, paid or not owed any more."""
    return "void" if charge.voided_at else "paid" if charge.paid_at else "open"


def _portal(_view: Any, _context: Any, row: Any, _name: str) -> Cell:
    badge = portal_badge(row.portal_id)
    return Cell(badge.name, hue=badge.hue)


def _amount(_view: Any, _context: Any, row: Any, name: str) -> Cell:
    return Cell(say_money(Money(getattr(row, name), row.currency), exact=True))


def _when(_view: Any, _context: Any, row: Any, name: str) -> Cell:
    moment = getattr(row, name)
    return Cell(at=moment) if moment else Cell("–")


def _model(_view: Any, _context: Any, row: Any, _name: str) -> Cell:
    return Cell(model_words().get(row.payment_model, row.payment_model))


def _state(state: str, words: list[tuple[str, str]]) -> Cell:
    return Cell(dict(words)[state], tone=TONES[state])


class MoneyList(ReadOnlyList):
    """A list of money: newest first, and above it what the ledger sums up to per portal and currency."""

    list_template = "console/money.html"
    column_default_sort = ("created_at", True)
    column_sortable_list = ("created_at", "amount_minor")

    def sums(self) -> list[tuple[PortalBadge, LedgerSum]]:
        """Return the ledger's sums of the portals in scope, narrowed by the portal that is chosen."""
        chosen = self.chosen().get("portal")
        found = ledger_sums(operator_session(), uuid.UUID(chosen) if chosen else None)
        return sorted(((portal_badge(one.portal_id), one) for one in found), key=lambda pair: pair[0].name)


class Charges(MoneyList):
    """What patients owe, and how it is shared."""

    column_list = (
        "created_at",
        "portal_id",
        "description",
        "payment_model",
        "state",
        "amount_minor",
        "commission_minor",
        "paid_at",
    )
    column_labels = {
        "created_at": _l("When"),
        "portal_id": _l("Website"),
        "description": _l("What"),
        "payment_model": _l("How it is paid"),
        "state": _l("State"),
        "amount_minor": _l("Amount"),
        "commission_minor": _l("Commission"),
        "paid_at": _l("Paid on"),
    }
    column_searchable_list = ("description",)
    lead = _l("What patients owe for visits, what was paid of it, and what the platform keeps.")
    empty_title = _l("No charge matches")
    empty_text = _l("Charges appear here as soon as somebody books a visit that costs something.")
    facets = (
        Facet("portal", _l("Website"), portal_choices, lambda value: Charge.portal_id == uuid.UUID(value)),
        Facet(
            "state",
            _l("State"),
            _charge_states,
            lambda value: {
                "open": Charge.paid_at.is_(None) & Charge.voided_at.is_(None),
                "paid": Charge.paid_at.is_not(None),
                "void": Charge.voided_at.is_not(None),
            }[value],
        ),
        Facet("model", _l("How it is paid"), _models, lambda value: Charge.payment_model == value),
    )
    column_formatters = {
        "created_at": _when,
        "portal_id": _portal,
        "payment_model": _model,
        "state": lambda _view, _context, row, _name: Cell(
            dict(_charge_states())[state_of(row)], tone=TONES[state_of(row)]
        ),
        "amount_minor": _amount,
        "commission_minor": _amount,
        "paid_at": _when,
    }


class Payments(MoneyList):
    """What was tried at payment providers, and what a human must look at."""

    column_list = (
        "created_at",
        "portal_id",
        "payment_model",
        "state",
        "amount_minor",
        "failure",
        "quarantine",
        "read_at",
    )
    column_labels = {
        "created_at": _l("When"),
        "portal_id": _l("Website"),
        "payment_model": _l("How it is paid"),
        "state": _l("State"),
        "amount_minor": _l("Amount"),
        "failure": _l("Last failure"),
        "quarantine": _l("Why it is held back"),
        "read_at": _l("Provider last heard"),
    }
    column_searchable_list = ("checkout_id", "intent_id", "capture_id")
    lead = _l("Every attempt to pay at a provider. One that is held back is confirmed by nobody until it is explained.")
    empty_title = _l("No payment matches")
    empty_text = _l("Payments appear here as soon as somebody begins to pay online.")
    facets = (
        Facet("portal", _l("Website"), portal_choices, lambda value: Payment.portal_id == uuid.UUID(value)),
        Facet("state", _l("State"), _payment_states, lambda value: Payment.state == value),
        Facet(
            "look",
            _l("Needs a look"),
            lambda: [("quarantine", _("Held back")), ("disputed", _("Disputed"))],
            lambda value: Payment.disputed.is_(True) if value == "disputed" else Payment.quarantine.is_not(None),
        ),
    )
    column_formatters = {
        "created_at": _when,
        "portal_id": _portal,
        "payment_model": _model,
        "state": lambda _view, _context, row, _name: _state(row.state, _payment_states()),
        "amount_minor": _amount,
        "quarantine": lambda _view, _context, row, _name: (
            Cell(row.quarantine, tone="critical") if row.quarantine else Cell("–")
        ),
        "failure": lambda _view, _context, row, _name: Cell(row.failure or "–"),
        "read_at": _when,
    }


class Refunds(MoneyList):
    """What goes back to patients, by which rule."""

    column_list = (
        "created_at",
        "portal_id",
        "reason",
        "requested_by",
        "state",
        "amount_minor",
        "commission_minor",
        "failure",
        "settled_at",
    )
    column_labels = {
        "created_at": _l("When"),
        "portal_id": _l("Website"),
        "reason": _l("Rule"),
        "requested_by": _l("By"),
        "state": _l("State"),
        "amount_minor": _l("Amount"),
        "commission_minor": _l("Commission in it"),
        "failure": _l("Last failure"),
        "settled_at": _l("Settled"),
    }
    column_searchable_list = ("external_id", "cause_key")
    lead = _l("Money that goes back to patients, each with the rule that grants it.")
    empty_title = _l("No refund matches")
    empty_text = _l("Refunds appear here when a paid visit is cancelled.")
    facets = (
        Facet("portal", _l("Website"), portal_choices, lambda value: Refund.portal_id == uuid.UUID(value)),
        Facet("state", _l("State"), _refund_states, lambda value: Refund.state == value),
    )
    column_formatters = {
        "created_at": _when,
        "portal_id": _portal,
        "reason": lambda _view, _context, row, _name: Cell(str(REASONS.get(row.reason, row.reason))),
        "requested_by": lambda _view, _context, row, _name: Cell(
            {
                "patient": _("Patient"),
                "specialist": _("Specialist"),
                "operator": _("Operator"),
                "system": _("System"),
            }[row.requested_by]
        ),
        "state": lambda _view, _context, row, _name: _state(row.state, _refund_states()),
        "amount_minor": _amount,
        "commission_minor": _amount,
        "failure": lambda _view, _context, row, _name: Cell(row.failure or "–"),
        "settled_at": _when,
    }
