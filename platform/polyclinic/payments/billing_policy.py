"""What a portal's receipts say about who issues them, where the portal takes the money (E4, E10)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from polyclinic.payments.receipt_rules import prefix_from
from polyclinic.tenancy.kinds import LocalizedText, Text
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.policy import BRAND_NAME
from polyclinic.tenancy.settings import Check, Setting, Settings

BILLING_NAME = Setting(
    "billing.name",
    Text(max=120, example="Bewegwerk GmbH"),
    _l("Issuer of receipts"),
    _l("The company that receipts come from where the portal takes the money. Unset: the portal's name."),
    network=False,
)
BILLING_ADDRESS = Setting(
    "billing.address",
    Text(max=400, example="Torstraße 1, 10119 Berlin"),
    _l("Issuer's address"),
    _l("On receipts, below the issuer; commas or new lines separate its lines."),
    network=False,
)
BILLING_TAX_ID = Setting(
    "billing.tax_id",
    Text(max=60, example="DE123456789"),
    _l("Issuer's tax number"),
    _l("On receipts, below the address."),
    network=False,
)
BILLING_NOTE = Setting(
    "billing.note",
    LocalizedText(max=400),
    _l("Note on receipts"),
    _l("A line below the sums of receipts that the portal issues, such as why no tax is charged."),
    default={},
    network=False,
)
BILLING_PREFIX = Setting(
    "billing.prefix",
    Text(max=8, pattern=r"[A-Z0-9]+", example="BW"),
    _l("Prefix of receipt numbers"),
    _l("Stands before the numbers of all receipts of the portal. Unset: made from the portal's short name."),
    network=False,
)

SETTINGS: tuple[Setting[Any], ...] = (BILLING_NAME, BILLING_ADDRESS, BILLING_TAX_ID, BILLING_NOTE, BILLING_PREFIX)
CHECKS: tuple[Check, ...] = ()


def issuer_name(settings: Settings) -> str:
    """Return what a portal's own receipts are issued by."""
    return settings.find(BILLING_NAME) or settings.get(BRAND_NAME)


def number_prefix(portal: PortalView) -> str:
    """Return what stands before the numbers of a portal's receipts."""
    return portal.settings.find(BILLING_PREFIX) or prefix_from(portal.slug)


def address_lines(address: str) -> list[str]:
    """Return the lines of an address: as written, or where it is one line, its parts between commas."""
    parts = address.split("\n") if "\n" in address else address.split(",")
    return [line for part in parts if (line := part.strip())]
